"""A store in a temporary home, and writers that stand in for a backend."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dlm.store import Store

DLM_ID = "01J9ZQ4T8WXYV5E7KD3MNPRSTA"
FACTS = {
    "document_digest": "sha256:0",
    "section_ids": ["aaaaaaaaaaaaaaaa"],
    "source_path": "/docs/runbook.dlm",
    "base": {"key": "tiny", "digest": "sha256:b", "revision": "f" * 40, "source": "test"},
    "recipe": {"seed": 7},
    "versions": {"dlm": "1.0.0"},
}

MUTATIONS = {"open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.truncate", "os.utime", "shutil.rmtree"}
DONE, CRASHED = 7, 9


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "home", DLM_ID)


@pytest.fixture
def facts() -> dict[str, object]:
    return dict(FACTS)


@pytest.fixture
def adapter() -> Callable[[bytes], Callable[[Path], None]]:
    """``adapter(content)`` is a writer of two files, as a backend's ``save`` would be."""

    def make(content: bytes = b"weights") -> Callable[[Path], None]:
        def write(folder: Path) -> None:
            (folder / "adapter_model.safetensors").write_bytes(content)
            (folder / "adapter_config.json").write_text("{}")

        return write

    return make


@pytest.fixture
def crash_at() -> Callable[[int, Path, Callable[[], None]], bool]:
    """``crash_at(moment, root, work)``: see below."""
    return _crash_at


def _crash_at(moment: int, root: Path, work: Callable[[], None]) -> bool:
    """Do ``work`` in a child that ends at its ``moment``-th touch of ``root``; whether it got there."""
    child = os.fork()
    if child == 0:
        seen = 0

        def audit(event: str, arguments: tuple[object, ...]) -> None:
            nonlocal seen
            if event in MUTATIONS and any(str(root) in str(one) for one in arguments):
                seen += 1
                if seen == moment:
                    os._exit(CRASHED)

        sys.addaudithook(audit)
        try:
            work()
        except BaseException:
            os._exit(1)
        os._exit(DONE)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (DONE, CRASHED), "the work itself failed"
    return status == CRASHED
