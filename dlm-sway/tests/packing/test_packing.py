"""Packs: made of a real suite, run elsewhere; and hostile ones, of which nothing is kept."""

from __future__ import annotations

import gzip
import io
import json
import random
import shutil
import sys
import tarfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner, Result

from dlm_sway import hookimpl
from dlm_sway.cli.pack import pack as pack_command
from dlm_sway.cli.pack import unpack as unpack_command
from dlm_sway.entries import BackendEntry
from dlm_sway.errors import PackError
from dlm_sway.packing import archive
from dlm_sway.packing.gather import gather
from dlm_sway.packing.unpack import unpack
from dlm_sway.scoring.remembering import Identity
from dlm_sway.spec.load import load
from dlm_sway.suite.run import run
from dlm_sway.testing import ClosedForm

CAP = 10_000_000
SECTIONS = '{"sections": [{"id": "a", "kind": "prose", "text": "The pump restarts after 40 s."}]}'
SUITE = """\
# kept: a remark
version: 1
models:
  base: {kind: known, base: ./model}
  ft: {kind: known, base: ./model, adapter: ../adapters/mine}
dlm_source: ./taught.json
suite:
- {name: nulls, kind: null_adapter, runs: 3}
- {name: a, kind: moved}
"""
ASKED: list[str] = []


class Known(ClosedForm):
    """A model that says what decides its numbers, wherever its files lie, and what it was asked."""

    def __init__(self, models, defaults):
        super().__init__(models, defaults, direction="random", size=30.0)

    def identity(self, digest):
        return Identity(
            {"base": digest(Path(self.models.base.base) / "weights")},
            {"adapter": digest(Path(self.models.ft.adapter) / "weights")},
        )

    def compare(self, items, view, *, layout=0, per_position=False):
        ASKED.append(view.label)
        return super().compare(items, view, layout=layout, per_position=per_position)


class Backends:
    """Offers it."""

    @hookimpl
    def dlm_sway_backends(self):
        gives = frozenset({"compare", "inspect", "null", "scale"})
        return [BackendEntry(name="known", target="packing_tests_kit:Known", summary="x", gives=gives)]


@pytest.fixture
def plugins(installed, monkeypatch, tmp_path):
    module = ModuleType("packing_tests_kit")
    module.Known = Known
    monkeypatch.setitem(sys.modules, "packing_tests_kit", module)
    monkeypatch.setenv("SWAY_CACHE_DIR", str(tmp_path / "cache"))
    installed.register(Backends(), name="known")
    ASKED.clear()
    return installed


@pytest.fixture
def spec(plugins, tmp_path) -> Path:
    return written(tmp_path / "here")


def written(root: Path) -> Path:
    """The suite and its files below ``root``."""
    for name, text in {
        "suites/sway.yaml": SUITE,
        "suites/taught.json": SECTIONS,
        "suites/model/weights": "base",
        "adapters/mine/weights": "adapter",
        "adapters/mine/optimizer.pt": "pickled",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root / "suites" / "sway.yaml"


def sway(command, *arguments: object) -> Result:
    return CliRunner().invoke(command, [str(one) for one in arguments], catch_exceptions=False)


def test_an_unpacked_suite_asks_nothing_of_null_adapters_and_finds_the_same(
    spec: Path, plugins, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, there = tmp_path / "p.swaypack.tar.gz", tmp_path / "elsewhere" / "suite"
    done = sway(pack_command, spec, "-o", file)
    assert "answers of random adapters: " in done.stdout
    assert "not packed: the base model model" in done.stdout
    assert f"next: sway unpack {file} --base FOLDER" in done.stdout
    assert file.stat().st_mode & 0o777 == spec.stat().st_mode & 0o777
    assert any(one.startswith("null") for one in ASKED)
    done = sway(unpack_command, file, "--into", there, "--base", spec.parent / "model")
    assert f"next: SWAY_NULL_CACHE_DIR={there}/null-cache sway run {there}/sway.yaml" in done.stdout
    monkeypatch.setenv("SWAY_CACHE_DIR", str(tmp_path / "another machine"))
    monkeypatch.setenv("SWAY_NULL_CACHE_DIR", str(there / "null-cache"))
    ASKED.clear()
    found = run(there / "sway.yaml", manager=plugins)
    assert [one for one in ASKED if one.startswith("null")] == []
    assert ASKED, "the adapter itself is asked"
    packed = json.loads((there / "result.json").read_text())
    assert [one["raw"] for one in packed["probes"]] == [one.raw for one in found.probes]
    assert packed["provenance"]["models_digest"] == found.provenance["models_digest"]
    ASKED.clear()
    run(there / "sway.yaml", manager=plugins)
    assert ASKED == []


def test_paths_are_rewritten_and_nothing_of_this_machine_is_in_the_suite_or_the_result(
    spec: Path, plugins, tmp_path: Path
) -> None:
    gather(spec, tmp_path / "p.tgz", plugins, cap=CAP)
    made = unpack(tmp_path / "p.tgz", tmp_path / "there", cap=CAP)
    text = (tmp_path / "there" / "sway.yaml").read_text()
    assert text.startswith("# kept: a remark\n")
    assert "base: ./base, adapter: ./adapter" in text
    assert "dlm_source: ./sections.json" in text
    assert str(tmp_path) not in text + (tmp_path / "there" / "result.json").read_text()
    assert (tmp_path / "there" / "adapter" / "weights").read_text() == "adapter"
    assert not (tmp_path / "there" / "adapter" / "optimizer.pt").exists()
    assert made.manifest.missing == {"./base": "model"}


def test_files_that_entries_name_go_along_and_are_found_where_the_pack_is_unpacked(
    spec: Path, plugins, tmp_path: Path
) -> None:
    other = spec.parents[1] / "adapters" / "other"
    other.mkdir()
    (other / "weights").write_text("another")
    spec.write_text(SUITE.replace("runs: 3}", f"null_kind: placebo, placebos: [../adapters/other, {other}]}}"))
    gather(spec, tmp_path / "p.tgz", plugins, cap=CAP)
    shutil.rmtree(spec.parents[1])
    there = tmp_path / "elsewhere" / "there"
    unpack(tmp_path / "p.tgz", there, cap=CAP)
    (there / "base").mkdir()
    nulls = load(there / "sway.yaml", plugins).probes[0].probe.spec
    assert nulls.placebos == ((there / "files" / "000-other").resolve(),) * 2
    assert (nulls.placebos[0] / "weights").read_text() == "another"


def test_the_same_content_gives_the_same_bytes(spec: Path, plugins, tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text(json.dumps(result_of(spec, plugins)))
    other = written(tmp_path / "other place")
    for name, one in (("a", spec), ("b", spec), ("c", other)):
        gather(one, tmp_path / name, plugins, result=tmp_path / "r.json", cap=CAP)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    names = [list(contents(tmp_path / one)) for one in ("a", "c")]
    assert names[0] == names[1] == sorted(names[0])


def result_of(spec: Path, plugins) -> dict:
    from dlm_sway.report.document import to_dict

    return to_dict(run(spec, manager=plugins))


def test_without_the_adapter_another_one_is_not_taken_for_it(spec: Path, plugins, tmp_path: Path) -> None:
    file = tmp_path / "p.tgz"
    gather(spec, file, plugins, adapter=False, cap=CAP)
    mine = spec.parents[1] / "adapters" / "mine"
    (tmp_path / "changed").mkdir()
    (tmp_path / "changed" / "weights").write_text("another")
    with pytest.raises(PackError, match="not the adapter that was packed"):
        unpack(file, tmp_path / "there", adapter=tmp_path / "changed", cap=CAP)
    assert not (tmp_path / "there").exists()
    unpack(file, tmp_path / "there", adapter=mine, cap=CAP)
    assert f"adapter: {mine}" in (tmp_path / "there" / "sway.yaml").read_text()
    with pytest.raises(PackError, match="refusing to overwrite"):
        unpack(file, tmp_path / "there", cap=CAP)


def test_packing_refuses_to_overwrite_to_exceed_the_cap_and_to_mix_suites(spec: Path, plugins, tmp_path: Path) -> None:
    out = tmp_path / "p.tgz"
    with pytest.raises(PackError, match=r"exceeds the cap of 0\.0 MB: leave the adapter out with --no-adapter"):
        gather(spec, out, plugins, cap=100)
    assert not out.exists()
    (tmp_path / "r.json").write_text(json.dumps(result_of(spec, plugins)))
    spec.write_text(spec.read_text() + "# edited\n")
    with pytest.raises(PackError, match="the result of another suite"):
        gather(spec, out, plugins, result=tmp_path / "r.json", cap=CAP)
    out.write_text("mine")
    with pytest.raises(PackError, match="refusing to overwrite"):
        gather(spec, out, plugins, cap=CAP)
    assert out.read_text() == "mine"


@pytest.fixture
def packed(spec: Path, plugins, tmp_path: Path) -> Path:
    file = tmp_path / "whole" / "p.tgz"
    gather(spec, file, plugins, cap=CAP)
    return file


def test_a_truncated_or_changed_pack_leaves_nothing_behind(packed: Path, tmp_path: Path) -> None:
    whole, draw = packed.read_bytes(), random.Random(7)
    (tmp_path / "out").mkdir()
    cuts = [0, 1, len(whole) - 1, *(draw.randrange(2, len(whole) - 1) for _ in range(40))]
    for cut in cuts:
        (tmp_path / "cut").write_bytes(whole[:cut])
        with pytest.raises(PackError, match=r"failed to extract|digest|manifest"):
            unpack(tmp_path / "cut", tmp_path / "out" / "there", cap=CAP)
        assert list((tmp_path / "out").iterdir()) == []
    for at in (draw.randrange(12, len(whole)) for _ in range(40)):
        (tmp_path / "cut").write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
        with pytest.raises(PackError):
            unpack(tmp_path / "cut", tmp_path / "out" / "there", cap=CAP)
        assert list((tmp_path / "out").iterdir()) == []


def member(name: str, **keys: object) -> tarfile.TarInfo:
    found = tarfile.TarInfo(name)
    for key, value in keys.items():
        setattr(found, key, value)
    return found


HOSTILE: dict[str, tuple[list[tarfile.TarInfo], str]] = {
    "absolute": ([member("/etc/evil")], "is an absolute path"),
    "drive": ([member("C:/evil")], "is an absolute path"),
    "dots": ([member("swaypack/../../evil")], "leads out of its folder"),
    "backslash": ([member("swaypack\\..\\evil")], "leads out of its folder"),
    "symlink": ([member("swaypack/a", type=tarfile.SYMTYPE, linkname="/etc/passwd")], "is a link"),
    "hard link": ([member("swaypack/a", type=tarfile.LNKTYPE, linkname="swaypack/b")], "is a link"),
    "device": ([member("swaypack/a", type=tarfile.CHRTYPE)], "is a device"),
    "pipe": ([member("swaypack/a", type=tarfile.FIFOTYPE)], "is a device"),
    "odd type": ([member("swaypack/a", type=b"Z")], "unknown type"),
    "twice": ([member("swaypack/a"), member("swaypack/A")], "is there twice"),
    "elsewhere": ([member("other/a")], "missing the expected 'swaypack/'"),
    "escape codes": ([member("swaypack/\x1b[2J")], "is not a plain name"),
    "empty part": ([member("swaypack//a")], "is not a plain name"),
    "crowd": ([member(f"swaypack/{n}") for n in range(10_001)], "more than 10,000 members"),
    "no manifest": ([member("swaypack/a")], "missing manifest.json"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_pack_is_refused_with_its_own_words(kind: str, tmp_path: Path) -> None:
    members, words = HOSTILE[kind]
    with tarfile.open(tmp_path / "evil.tgz", "w:gz") as tar:
        for one in [member("swaypack/first"), *members]:
            tar.addfile(one)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(PackError, match=r".") as raised:
        unpack(tmp_path / "evil.tgz", tmp_path / "there", cap=CAP)
    assert words in str(raised.value)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: tarball(zeros=CAP + 1), "exceeds the cap of 10.0 MB: raise --max-size"),
        (lambda: tarball(zeros=10) + bytes(5_000_000), "unpacks to far more than its members say"),
        (lambda: long_header(3_000_000), "unpacks to far more than its members say"),
    ],
)
def test_a_bomb_is_refused_before_anything_is_written(make: Callable[[], bytes], words: str, tmp_path: Path) -> None:
    (tmp_path / "bomb.tgz").write_bytes(gzip.compress(make(), 9))
    assert (tmp_path / "bomb.tgz").stat().st_size < 100_000
    with pytest.raises(PackError, match=words):
        unpack(tmp_path / "bomb.tgz", tmp_path / "there", cap=CAP)
    assert [path.name for path in tmp_path.iterdir()] == ["bomb.tgz"]


def tarball(zeros: int) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        tar.addfile(member("swaypack/big", size=zeros), io.BytesIO(bytes(zeros)))
    return out.getvalue()


def long_header(size: int) -> bytes:
    """A member whose name is a header of ``size`` bytes."""
    return member("swaypack/" + "a" * size).tobuf(tarfile.PAX_FORMAT)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"swaypack_version": 99}, "unsupported swaypack_version=99"),
        ({"swaypack_version": 1}, "unsupported swaypack_version=1"),
        ({"surprise": 1}, "is not one that sway wrote"),
        ({"missing": {"./base": "\x1b[2J"}}, "is not one that sway wrote"),
        ({"files": {}}, "only in the manifest or only beside it"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(change: dict, words: str, packed: Path, tmp_path: Path) -> None:
    forged(packed, tmp_path / "forged.tgz", lambda files: {**files, "manifest.json": changed(files, change)})
    with pytest.raises(PackError, match=words):
        unpack(tmp_path / "forged.tgz", tmp_path / "there", cap=CAP)
    assert not (tmp_path / "there").exists()


def test_a_changed_file_and_a_suite_that_names_other_folders_are_refused(packed: Path, tmp_path: Path) -> None:
    forged(packed, tmp_path / "a.tgz", lambda files: {**files, "nulls.jsonl": b""})
    with pytest.raises(PackError, match=r"'nulls.jsonl' has another digest"):
        unpack(tmp_path / "a.tgz", tmp_path / "there", cap=CAP)

    def outside(files: dict[str, bytes]) -> dict[str, bytes]:
        suite = files["sway.yaml"].replace(b"adapter: ./adapter", b"adapter: /home/me")
        told = json.loads(files["manifest.json"])["files"]
        told["sway.yaml"] = {"bytes": len(suite), "sha256": sha256(suite).hexdigest()}
        return {**files, "sway.yaml": suite, "manifest.json": changed(files, {"files": told})}

    forged(packed, tmp_path / "c.tgz", lambda files: with_file(files, "null-cache/nulls.sqlite3"))
    with pytest.raises(PackError, match=r"'null-cache/nulls\.sqlite3' is nothing that a pack holds"):
        unpack(tmp_path / "c.tgz", tmp_path / "there", cap=CAP)
    forged(packed, tmp_path / "b.tgz", outside)
    with pytest.raises(PackError, match="its suite names '/home/me', which is no part of the pack"):
        unpack(tmp_path / "b.tgz", tmp_path / "there", cap=CAP)


def with_file(files: dict[str, bytes], name: str) -> dict[str, bytes]:
    told = {**json.loads(files["manifest.json"])["files"], name: {"bytes": 1, "sha256": sha256(b"x").hexdigest()}}
    return {**files, name: b"x", "manifest.json": changed(files, {"files": told})}


def changed(files: dict[str, bytes], change: dict) -> bytes:
    return json.dumps({**json.loads(files["manifest.json"]), **change}).encode()


def forged(source: Path, target: Path, change: Callable[[dict[str, bytes]], dict[str, bytes]]) -> None:
    archive.write(target, change(contents(source)))


def contents(source: Path) -> dict[str, bytes]:
    with tarfile.open(source) as tar:
        return {one.name.removeprefix("swaypack/"): tar.extractfile(one).read() for one in tar}


def test_what_is_no_file_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="not found"):
        unpack(tmp_path / "none", tmp_path / "there", cap=CAP)
    with pytest.raises(PackError, match="must be a file"):
        unpack(tmp_path, tmp_path / "there", cap=CAP)
