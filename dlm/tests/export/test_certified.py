"""What the flow does with a certificate, and how an export is looked at again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from dlm.cli.main import main
from dlm.errors import ExportFailed, ExportUnfaithful, RuntimeMissing
from dlm.export.certificate import CERTIFICATE_FILE
from dlm.export.manifest import read_manifest
from dlm.export.options import ExportOptions
from dlm.export.run import export_to
from dlm.export.sink import Wishes
from dlm.hookspecs import hookimpl
from dlm.store import Store
from dlm.testing.toy_sink import ToySink
from dlm.training.run import TrainOptions, train

pytestmark = pytest.mark.usefixtures("plugins")
WRONG = ExportOptions(Wishes(settings={"wrong": "scale"}))


def run(*words: object):
    return CliRunner().invoke(main, [*map(str, words)])


def test_what_was_measured_lies_beside_the_files_and_in_the_manifest(trained) -> None:
    done = export_to(trained, "toy")
    written = json.loads((done.folder / CERTIFICATE_FILE).read_text(encoding="utf-8"))
    manifest = read_manifest(done.folder)
    assert (written["verdict"], manifest.certified, manifest.certificate["verdict"]) == ("passed",) * 3
    assert written["positions"] >= 2000
    assert CERTIFICATE_FILE in {one.path for one in manifest.artifacts}


def test_an_export_below_the_floor_does_not_take_the_place_of_the_one_before(trained) -> None:
    before = export_to(trained, "toy")
    with pytest.raises(ExportUnfaithful, match="certificate: failed"):
        export_to(trained, "toy", options=WRONG)
    assert read_manifest(before.folder) == before.manifest
    assert sorted(path.name for path in before.folder.parent.iterdir()) == [".locks", before.folder.name]
    shown = run("export", trained, "--target", "toy", "--set", "wrong=scale")
    assert (shown.exit_code, "--allow-lossy keeps it all the same" in shown.output) == (1, True)


def test_a_lossy_export_is_kept_when_asked_for_and_says_so(trained) -> None:
    shown = run("export", trained, "--target", "toy", "--set", "wrong=scale", "--allow-lossy", "--json")
    assert shown.exit_code == 0, shown.output
    assert json.loads(shown.stdout)["certified"] == "lossy"


def test_without_the_program_that_serves_it_the_export_is_there_and_the_exit_code_is_4(trained, monkeypatch) -> None:
    def missing(self, folder):
        raise RuntimeMissing("no toy is installed: pip install toy")

    monkeypatch.setattr(ToySink, "runtime", missing)
    shown = run("export", trained, "--target", "toy")
    assert shown.exit_code == 4
    assert "no toy is installed: pip install toy" in shown.output
    folder = next(Path(line) for line in shown.stdout.splitlines() if line.startswith("/"))
    assert read_manifest(folder).certified == "unknown"
    assert run("verify-export", folder).exit_code == 4


def test_no_verify_measures_nothing_and_the_manifest_says_so(trained) -> None:
    shown = run("export", trained, "--target", "toy", "--no-verify", "--json")
    found = json.loads(shown.stdout)
    assert (found["certified"], found["certificate"]) == ("not measured", None)
    assert CERTIFICATE_FILE not in {one["path"] for one in found["artifacts"]}


def test_verify_export_reads_every_file_and_measures_again(trained) -> None:
    folder = export_to(trained, "toy").folder
    shown = run("verify-export", folder)
    assert shown.exit_code == 0, shown.output
    assert shown.stdout.startswith("3 files as written, ")
    assert "certificate: passed" in shown.stdout
    assert all(len(line) <= 80 for line in shown.stdout.splitlines())


@pytest.mark.parametrize("damage", ["changed", "gone", "longer"])
def test_verify_export_names_a_file_that_is_not_what_was_written(trained, damage) -> None:
    folder = export_to(trained, "toy").folder
    weights = folder / "weights" / "toy.safetensors"
    content = weights.read_bytes()
    if damage == "gone":
        weights.unlink()
    else:
        weights.write_bytes(content[:-1] + b"\0" if damage == "changed" else content + b"\0")
    shown = run("verify-export", folder)
    assert shown.exit_code == 1
    assert "weights/toy.safetensors " in shown.stdout
    found = json.loads(run("verify-export", folder, "--json").stdout)
    assert [one["path"] for one in found["differences"]] == ["weights/toy.safetensors"]


def test_verify_export_catches_files_that_were_always_wrong(trained) -> None:
    from dataclasses import replace

    folder = export_to(trained, "toy", options=replace(WRONG, certify=False)).folder
    shown = run("verify-export", folder)
    assert (shown.exit_code, "certificate: failed" in shown.stdout) == (1, True)


def test_verify_export_without_the_document_asks_for_it(trained, tmp_path: Path) -> None:
    folder = export_to(trained, "toy").folder
    (folder / "notes.txt").write_text("mine")
    moved = trained.rename(tmp_path / "moved.dlm")
    shown = run("verify-export", folder)
    assert (shown.exit_code, "--doc DOC, or --files-only" in shown.output) == (2, True)
    files = run("verify-export", folder, "--files-only")
    assert (files.exit_code, "not of the export: notes.txt" in files.stdout) == (0, True)
    assert run("verify-export", folder, "--doc", moved).exit_code == 0


def test_verify_export_of_a_folder_without_one_is_a_mistake_of_use(tmp_path: Path, home) -> None:
    shown = run("verify-export", tmp_path)
    assert (shown.exit_code, "holds no export" in shown.output) == (2, True)


def test_an_export_that_was_moved_is_verified_where_it_lies(trained, tmp_path: Path) -> None:
    folder = export_to(trained, "toy").folder.rename(tmp_path / "elsewhere")
    assert run("verify-export", folder).exit_code == 0


def test_exports_are_listed_with_their_version_and_whether_it_is_current(trained, tmp_path: Path) -> None:
    assert "nothing was exported yet" in run("exports", trained).stdout
    inside = export_to(trained, "toy").folder
    outside = export_to(trained, "toy", options=ExportOptions(Wishes("F64"), out=tmp_path / "mine")).folder
    lines = run("exports", trained).stdout.splitlines()
    assert [lines[0], lines[3]] == [str(inside), str(outside)]
    assert "certificate: passed" in lines[1]
    assert lines[2] == "  of v0001"
    train(trained, options=TrainOptions(max_steps=2, seed=1))
    assert run("exports", trained).stdout.splitlines()[2] == "  of v0001, and v0002 is current"
    assert [one["current"] for one in json.loads(run("exports", trained, "--json").stdout)["exports"]] == [False, False]


def test_gc_removes_what_a_dead_export_left_and_no_whole_one(trained, home) -> None:
    folder = export_to(trained, "toy").folder
    dead = folder.with_name(f".{folder.name}.partial-00000000")
    dead.mkdir()
    (dead / "model").write_bytes(b"half")
    shown = run("gc", trained)
    assert "left by an export that died" in shown.stdout
    assert (dead.exists(), folder.exists()) == (False, True)


def test_gc_keeps_an_export_that_was_moved_aside_for_one_that_never_came(trained) -> None:
    folder = export_to(trained, "toy").folder
    aside = folder.rename(folder.with_name(f".{folder.name}.replaced-00000000"))
    assert "the next one puts it back" in run("gc", trained).stdout
    assert aside.exists()
    with pytest.raises(ExportUnfaithful):
        export_to(trained, "toy", options=WRONG)
    assert read_manifest(folder).certified == "passed"


def test_a_backend_without_distributions_leaves_the_export_uncertified(trained, monkeypatch) -> None:
    from dlm.testing import ToyBackend
    from dlm.training.backend import Backend

    monkeypatch.setattr(ToyBackend, "runtime", Backend.runtime)
    done = export_to(trained, "toy")
    assert done.manifest.certified == "unknown"
    assert "pip install 'dlm[hf]'" in done.certificate.reasons[0]


def test_a_failure_to_hand_an_export_on_leaves_the_files_and_says_where(trained, monkeypatch) -> None:
    def closed(self, request, folder):
        raise ExportFailed("the toy shop is closed: try tomorrow")

    monkeypatch.setattr(ToySink, "finish", closed)
    shown = run("export", trained, "--target", "toy", "--no-verify")
    assert shown.exit_code == 3
    folder = shown.output.strip().rpartition("complete, in ")[2]
    assert read_manifest(Path(folder)) is not None


def test_a_store_in_use_costs_only_the_note_in_its_manifest(trained, home) -> None:
    store = Store(home, "01J0000000000000000000000A")
    heard: list[str] = []
    with store.lock("train"):
        done = export_to(trained, "toy", options=ExportOptions(certify=False), say=heard.append)
    assert any("the export is complete, but the store's manifest does not name it" in line for line in heard)
    assert store.manifest().exports == ()
    assert str(done.folder) in run("exports", trained).stdout


def test_plugins_hear_of_a_finished_export(trained, plugins) -> None:
    heard = []

    class Listens:
        @hookimpl
        def dlm_exported(self, folder, manifest):
            heard.append((folder, manifest.target))

    plugins.register(Listens())
    done = export_to(trained, "toy", options=ExportOptions(certify=False))
    assert heard == [(done.folder, "toy")]


def test_allow_lossy_without_measuring_is_a_contradiction(trained) -> None:
    shown = run("export", trained, "--target", "toy", "--no-verify", "--allow-lossy")
    assert (shown.exit_code, "give one" in shown.output) == (2, True)


def test_forget_names_the_exports_that_still_know_it(trained, home) -> None:
    from dlm.document import read

    folder = export_to(trained, "toy", options=ExportOptions(certify=False)).folder
    shown = run("forget", trained, read(trained).sections[0].id, "--yes")
    assert shown.exit_code == 0, shown.output
    assert f"  exported  {folder}" in shown.stdout
