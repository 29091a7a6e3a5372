"""An export from beginning to end, with the toy backend and the toy target."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from dlm.chosen import Wanted
from dlm.cli.main import main
from dlm.errors import ExportRefused, NotTrained, UsageProblem
from dlm.export.manifest import MANIFEST_FILE, read_manifest
from dlm.export.options import ExportOptions
from dlm.export.run import export_to
from dlm.export.sink import Wishes
from dlm.store import Store
from dlm.store.files import sha256
from dlm.training.run import TrainOptions, train

pytestmark = pytest.mark.usefixtures("plugins")
DLM_ID = "01J0000000000000000000000A"


def test_an_export_lies_in_the_store_with_a_manifest_that_names_every_file(trained, home) -> None:
    heard: list[str] = []
    done = export_to(trained, "toy", say=heard.append)
    assert done.folder == home / "store" / DLM_ID / "exports" / "toy-Q8_0-merged"
    manifest = read_manifest(done.folder)
    assert manifest == done.manifest
    files = {path.relative_to(done.folder).as_posix(): path for path in done.folder.rglob("*") if path.is_file()}
    assert {one.path for one in manifest.artifacts} == set(files) - {MANIFEST_FILE}
    assert all(one.sha256 == sha256(files[one.path]) for one in manifest.artifacts)
    assert (manifest.quant, manifest.form, manifest.merged, manifest.adapter_version) == ("Q8_0", "merged", True, 1)
    assert manifest.adapters[0].sha256 == Store(home, DLM_ID).version(1).facts["adapter_sha256"]
    assert any(line.startswith("quant: Q8_0 (the base has under 1B parameters") for line in heard)
    assert Store(home, DLM_ID).manifest().exports[0]["folder"] == "exports/toy-Q8_0-merged"


def test_no_path_of_this_machine_is_in_the_manifest(trained, tmp_path: Path) -> None:
    done = export_to(trained, "toy")
    assert str(tmp_path) not in (done.folder / MANIFEST_FILE).read_text(encoding="utf-8")


def test_a_second_export_replaces_the_first_and_leaves_nothing_beside_it(trained, home) -> None:
    first = export_to(trained, "toy", options=ExportOptions(Wishes(name="one")))
    second = export_to(trained, "toy", options=ExportOptions(Wishes(name="two")))
    assert first.folder == second.folder
    assert read_manifest(second.folder).name == "two"
    assert sorted(path.name for path in second.folder.parent.iterdir()) == [".locks", second.folder.name]
    assert len(Store(home, DLM_ID).manifest().exports) == 1


def test_a_refusal_leaves_the_export_before_untouched(trained) -> None:
    before = export_to(trained, "toy")
    with pytest.raises(ExportRefused, match="told to refuse"):
        export_to(trained, "toy", options=ExportOptions(Wishes(settings={"wrong": "refuse"})))
    assert read_manifest(before.folder) == before.manifest


def test_out_names_the_folder_and_is_listed_by_its_path(trained, home, tmp_path: Path) -> None:
    done = export_to(trained, "toy", options=ExportOptions(out=tmp_path / "mine"))
    assert done.folder == tmp_path / "mine"
    assert Store(home, DLM_ID).manifest().exports[0]["folder"] == str(tmp_path / "mine")
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


def test_a_folder_with_other_files_is_never_replaced(trained, tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "dear.txt").write_text("Ada")
    with pytest.raises(UsageProblem, match="holds files that are no export"):
        export_to(trained, "toy", options=ExportOptions(out=tmp_path / "letters"))
    assert (tmp_path / "letters" / "dear.txt").read_text() == "Ada"


def test_a_document_without_a_version_says_how_to_make_one(write) -> None:
    with pytest.raises(NotTrained, match="run `dlm train"):
        export_to(write(), "toy")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--quant", "Q9"], "--quant Q9: the target toy writes F64, Q8_0, Q4_K_M"),
        (["--set", "speed=1"], "the target toy has no setting speed: it has\n  wrong: how to be wrong"),
        (["--set", "speed"], "write --set NAME=VALUE"),
        (["--unmerged", "--dequantize"], "--dequantize is about merging"),
        (["--dequantize"], "trained on the base's full weights: leave --dequantize out"),
        (["--adapter", "code"], "has one adapter, without a name"),
        (["--version-number", "v7"], "has no version v7"),
    ],
)
def test_what_makes_no_sense_is_refused_as_a_mistake_of_use(trained, arguments, said) -> None:
    shown = CliRunner().invoke(main, ["export", str(trained), "--target", "toy", *arguments])
    assert shown.exit_code == 2, shown.output
    assert said in shown.output


def test_an_unknown_target_names_those_there_are(trained) -> None:
    shown = CliRunner().invoke(main, ["export", str(trained), "--target", "tape"])
    assert shown.exit_code == 2
    assert "no installed plugin offers the target 'tape' (installed: toy)" in shown.output
    known = CliRunner().invoke(main, ["export", str(trained), "--target", "gguf"])
    assert "install it: pip install 'dlm[gguf]'" in known.output


def test_the_command_tells_people_what_lies_where(trained, home) -> None:
    shown = CliRunner().invoke(main, ["export", str(trained), "--target", "toy", "--quant", "f64"])
    assert shown.exit_code == 0, shown.output
    lines = shown.stdout.splitlines()
    folder = home / "store" / DLM_ID / "exports" / "toy-F64-merged"
    assert lines[0].startswith("exported v0001 as toy F64 merged, ")
    assert lines[1] == str(folder)
    assert f"  toy-serve {folder}" in lines
    assert "the toy was told of toy-F64-merged" in lines


def test_json_is_the_manifest_with_the_folder(trained) -> None:
    shown = CliRunner().invoke(main, ["export", str(trained), "--target", "toy", "--json"])
    found = json.loads(shown.stdout)
    assert found["target"] == "toy"
    assert json.loads((Path(found["folder"]) / MANIFEST_FILE).read_text())["artifacts"] == found["artifacts"]


def test_the_targets_are_listed_with_what_they_can_do() -> None:
    shown = CliRunner().invoke(main, ["export", "--targets"])
    assert shown.exit_code == 0
    assert "toy\n  The toy's logits in a file.\n  --quant F64, Q8_0, Q4_K_M\n" in shown.stdout
    assert "gguf, not installed: pip install 'dlm[gguf]'\n" in shown.stdout
    assert all(len(line) <= 80 for line in shown.stdout.splitlines())


def test_a_document_of_several_adapters_asks_which(home, write) -> None:
    path = write("training:\n  adapters:\n    plans: {lora_r: 4}\n    code: {}")
    train(path, options=TrainOptions(max_steps=2))
    with pytest.raises(UsageProblem, match=r"--adapter plans, or sum them with --adapter-mix plans:0\.5,code:0\.5"):
        export_to(path, "toy")
    done = export_to(path, "toy", options=ExportOptions(wanted=Wanted("code")))
    assert [one.name for one in done.manifest.adapters] == ["code"]


def test_a_suite_is_written_beside_the_files_or_its_plugin_is_named(trained, plugins) -> None:
    from dlm.hookspecs import hookimpl

    command = ["export", str(trained), "--target", "toy", "--emit-sway-json"]
    shown = CliRunner().invoke(main, command)
    assert (shown.exit_code, "pip install 'dlm[sway]'" in shown.output) == (2, True)

    class Writes:
        @hookimpl
        def dlm_write_suite(self, request, folder, written):
            (folder / "sway.yaml").write_text(f"target: {written.quant}\n")
            return "sway.yaml"

    plugins.register(Writes())
    shown = CliRunner().invoke(main, [*command, "--json"])
    found = json.loads(shown.stdout)
    suite = Path(found["folder"]) / "sway.yaml"
    assert suite.is_file()
    assert found["next_steps"][-1] == f"sway run {suite}"
    assert "sway.yaml" not in {one["path"] for one in found["artifacts"]}, "it is there to be edited"


def test_commands_that_are_printed_can_be_copied_whatever_the_folder_is_called(trained, tmp_path: Path) -> None:
    out = tmp_path / "a model; of mine"
    done = export_to(trained, "toy", options=ExportOptions(out=out, certify=False))
    assert shlex.split(done.next_steps[0]) == ["toy-serve", str(out)]


def test_a_target_that_holds_all_adapters_gets_all_where_none_was_chosen(home, write, plugins) -> None:
    from dlm.entries import SinkEntry
    from dlm.hookspecs import hookimpl

    class Offers:
        @hookimpl
        def dlm_sinks(self):
            summary, target = "Every adapter for itself.", "dlm.testing.toy_sink:ToySink"
            yield SinkEntry(name="toys", target=target, summary=summary, every_adapter=True, forms=("adapter",))

    plugins.register(Offers())
    path = write("training:\n  adapters:\n    plans: {lora_r: 4}\n    code: {}")
    train(path, options=TrainOptions(max_steps=2))
    done = export_to(path, "toys", options=ExportOptions(certify=False))
    assert done.manifest.every_adapter
    assert [(one.name, one.weight) for one in done.manifest.adapters] == [("plans", 1.0), ("code", 1.0)]
    one = export_to(path, "toys", options=ExportOptions(wanted=Wanted("code"), certify=False))
    assert (one.manifest.every_adapter, len(one.manifest.adapters)) == (False, 1)
    shown = CliRunner().invoke(main, ["export", str(path), "--target", "toys", "--merged", "--quant", "F64"])
    assert "the target toys has no use for --quant and --merged: leave them out" in shown.output
