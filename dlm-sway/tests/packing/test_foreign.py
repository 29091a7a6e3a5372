"""A suite that comes in a pack names what lies in its pack: no file of this machine, no code, no server unasked."""

from __future__ import annotations

import json
import sys
from hashlib import sha256
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner

from dlm_sway import Probe, hookimpl
from dlm_sway.cli.pack import unpack as unpack_command
from dlm_sway.entries import ProbeEntry
from dlm_sway.errors import PackError
from dlm_sway.packing import archive
from dlm_sway.packing.unpack import unpack
from dlm_sway.probes.base import ProbeSpec
from dlm_sway.spec.fields import SuitePath

CAP = 1_000_000
MODELS = "models: {base: {kind: known, base: ./base}, ft: {kind: known, base: ./base, adapter: ./adapter}}\n"
ENTRY = "suite: [{name: a, kind: reads, prompts: [../what, /etc/hosts], file: ./files/000-notes}]\n"


class ReadsSpec(ProbeSpec):
    prompts: tuple[str, ...] = ()
    file: SuitePath | None = None
    more: dict[str, Path] | None = None
    model: str = "installed"


class Reads(Probe[ReadsSpec]):
    """Has keys that are paths, and one that only its library could tell from a name."""

    kind = "reads"
    spec_type = ReadsSpec


@pytest.fixture(autouse=True)
def plugins(installed, monkeypatch: pytest.MonkeyPatch) -> None:
    class Offers:
        @hookimpl
        def dlm_sway_probes(self):
            yield ProbeEntry(name="reads", target="foreign_tests_kit:Reads", summary="x", category="adherence")

    kit = ModuleType("foreign_tests_kit")
    kit.Reads = Reads  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, kit.__name__, kit)
    installed.register(Offers(), name="reads")


def pack(folder: Path, suite: str) -> Path:
    """A pack that is right in everything but, perhaps, its suite."""
    files = {"sway.yaml": suite.encode(), "nulls.jsonl": b"", "files/000-notes": b"notes", "adapter/weights": b"w"}
    told = {name: {"bytes": len(content), "sha256": sha256(content).hexdigest()} for name, content in files.items()}
    manifest = {
        "sway_version": "1",
        "spec_filename": "sway.yaml",
        "suite_digest": "",
        "models_digest": "",
        "null_stats_count": 0,
        "files": told,
        "swaypack_version": 2,
    }
    archive.write(folder / "p.swaypack.tar.gz", {**files, "manifest.json": json.dumps(manifest).encode()})
    return folder / "p.swaypack.tar.gz"


def test_prompts_are_no_paths_and_files_of_the_pack_are_its_own(tmp_path: Path) -> None:
    unpack(pack(tmp_path, MODELS + ENTRY), tmp_path / "there", cap=CAP)
    assert (tmp_path / "there" / "files" / "000-notes").read_text() == "notes"


FOREIGN = {
    "base of this machine": MODELS.replace("./base", "/srv/model") + ENTRY,
    "base beside the pack": MODELS.replace("./base", "../model") + ENTRY,
    "base at home": MODELS.replace("./base", "~/model") + ENTRY,
    "base below the working folder": MODELS.replace("./base", "models/of/mine") + ENTRY,
    "base of a document": MODELS.replace("./base", "notes.dlm") + ENTRY,
    "adapter of this machine": MODELS.replace("./adapter", "/srv/adapter") + ENTRY,
    "adapter beside the pack": MODELS.replace("./adapter", "./adapter/../../mine") + ENTRY,
    "document": MODELS + ENTRY + "dlm_source: ../diary.dlm\n",
    "code": MODELS.replace("{kind: known", "{entry_point: 'os:system', kind: known") + ENTRY,
    "file of this machine": MODELS + ENTRY.replace("./files/000-notes", "/etc/hosts"),
    "file beside the pack": MODELS + ENTRY.replace("./files/000-notes", "../p.swaypack.tar.gz"),
    "file in the working folder": MODELS + ENTRY.replace("./files/000-notes", "diary"),
    "path in a path's mapping": MODELS + ENTRY.replace("kind: reads", "kind: reads, more: {x: /etc/hosts}"),
    "path where a number belongs": MODELS + ENTRY.replace("kind: reads", "kind: reads, weight: ../../x"),
    "path of an unknown probe": MODELS + "suite: [{name: a, kind: stranger/x, deep: [{file: ../x}]}]\n",
    "key of an unknown probe": MODELS + "suite: [{name: a, kind: stranger/x, deep: {/etc/hosts: 1}}]\n",
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_suite_that_names_something_of_this_machine_is_refused(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "diary").write_text("mine")
    monkeypatch.chdir(tmp_path / "home")
    file = pack(tmp_path, FOREIGN[kind])
    with pytest.raises(PackError, match=r"refused: its suite names .*, which is no part of the pack"):
        unpack(file, tmp_path / "there", cap=CAP)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", file.name]


@pytest.mark.parametrize(
    "suite",
    [
        "suite: 5\n",
        "- 1\n",
        "models: [1]\n" + ENTRY,
        MODELS.replace("adapter: ./adapter", "adapter: [./adapter]") + ENTRY,
        MODELS.replace("{kind: known", "{trust_remote_code: true, kind: known") + ENTRY,
        "models: &a [*a]\n",
        "a: " + "[" * 5000 + "\n",
        "a: {b: 1\n",
        "\x00",
    ],
)
def test_a_suite_that_is_none_is_refused_in_words(suite: str, tmp_path: Path) -> None:
    file = pack(tmp_path, suite)
    with pytest.raises(PackError, match="is no suite that sway can read: pack it again"):
        unpack(file, tmp_path / "there", cap=CAP)
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


def test_a_server_is_asked_only_when_its_user_says_so(tmp_path: Path) -> None:
    served = "{kind: known, base: 'org/name:7b', endpoint: 'https://collect.example/v1'}"
    file = pack(tmp_path, f"models: {{base: {served}, ft: {served}}}\nsuite: [{{name: a, kind: reads}}]\n")
    arguments = [str(file), "--into", str(tmp_path / "there")]
    with pytest.raises(PackError, match=r"and your API key, to 'https://collect\.example/v1': unpack with --allow-end"):
        CliRunner().invoke(unpack_command, arguments, catch_exceptions=False)
    assert not (tmp_path / "there").exists()
    done = CliRunner().invoke(unpack_command, [*arguments, "--allow-endpoint"], catch_exceptions=False)
    assert (done.exit_code, (tmp_path / "there" / "sway.yaml").exists()) == (0, True)
