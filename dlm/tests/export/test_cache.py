"""What exports keep: found by what it was made of, whole or not there."""

from __future__ import annotations

import os
import time
from pathlib import Path
from threading import Barrier, Thread

import pytest

from dlm.export.cache import MONTH, entries, kept, removable, remove

PARTS = {"base": "sha256:b", "quant": "F16", "tool": "1.0"}


def writer(made: list[Path], content: bytes = b"weights"):
    def make(path: Path) -> None:
        assert not path.exists()
        made.append(path)
        path.write_bytes(content)

    return make


def test_a_file_is_made_once_for_each_content(tmp_path: Path) -> None:
    made: list[Path] = []
    first = kept(tmp_path, "merged", PARTS, writer(made), suffix=".gguf")
    assert kept(tmp_path, "merged", dict(reversed(PARTS.items())), writer(made), suffix=".gguf") == first
    assert len(made) == 1
    assert made[0].suffix == first.suffix == ".gguf"
    others = [{**PARTS, key: "else"} for key in PARTS]
    assert len({kept(tmp_path, "merged", parts, writer(made)) for parts in others} | {first}) == 4


def test_two_kinds_are_never_taken_for_one_another(tmp_path: Path) -> None:
    merged = kept(tmp_path, "merged", PARTS, writer([], b"with"))
    base = kept(tmp_path, "base", PARTS, writer([], b"without"))
    assert (merged.read_bytes(), base.read_bytes()) == (b"with", b"without")


@pytest.mark.parametrize("damage", ["cut", "changed", "gone", "card"])
def test_a_damaged_file_is_made_anew(tmp_path: Path, damage) -> None:
    path = kept(tmp_path, "merged", PARTS, writer([]))
    if damage == "cut":
        path.write_bytes(b"wei")
    elif damage == "changed":
        path.write_bytes(b"WEIGHTS")
    elif damage == "gone":
        path.unlink()
    else:
        path.with_name(path.name + ".json").write_text("{")
    made: list[Path] = []
    assert kept(tmp_path, "merged", PARTS, writer(made)).read_bytes() == b"weights"
    assert len(made) == 1


def test_half_a_file_is_never_found_by_name(tmp_path: Path) -> None:
    def half(path: Path) -> None:
        path.write_bytes(b"wei")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        kept(tmp_path, "merged", PARTS, half)
    assert [path.suffix for path in (tmp_path / "merged").iterdir()] == [".lock"]
    assert entries(tmp_path) == []


def test_two_that_want_the_same_file_make_it_once(tmp_path: Path) -> None:
    made: list[Path] = []
    both = Barrier(2)
    said: list[str] = []

    def slow(path: Path) -> None:
        made.append(path)
        time.sleep(0.3)
        path.write_bytes(b"weights")

    def work() -> None:
        both.wait()
        kept(tmp_path, "merged", PARTS, slow, said.append)

    threads = [Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert said == ["another process is making the same file: waiting for it"]


def test_what_nobody_used_for_a_month_may_go_and_leftovers_too(tmp_path: Path) -> None:
    old, new = (kept(tmp_path, "merged", {**PARTS, "n": n}, writer([])) for n in "ab")
    past = time.time() - MONTH - 86_400
    os.utime(old.with_name(old.name + ".json"), (past, past))
    dead = tmp_path / "merged" / f".{'0' * 32}.partial-{'0' * 8}.gguf"
    dead.write_bytes(b"half")
    assert dict(removable(tmp_path)) == {old: "not used for 31 days", dead: "left by a process that died"}
    for path, _ in removable(tmp_path):
        remove(path)
    assert [one.path for one in entries(tmp_path)] == [new]
    assert removable(tmp_path) == []
    kept(tmp_path, "merged", {**PARTS, "n": "b"}, lambda path: pytest.fail("it is still there"))
