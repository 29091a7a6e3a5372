"""Fixtures for tests that run the whole flow: a home, a small document, the toy backend, a process that dies."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dlm.testing import only_plugins, toy_base
from dlm.testing.toy import ToyPlugin

MUTATIONS = {"open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.truncate", "os.utime", "shutil.rmtree"}
DONE, CRASHED = 7, 9
DOCUMENT = """---
dlm_id: 01J0000000000000000000000A
dlm_version: 15
base_model: path:{base}
{more}---
# Lamp

The lamp stands in the cellar. It was built by Ada Hale.

::instruction::
### Q
Who built the lamp?
### A
Ada Hale built the lamp.

### Q !probe
Name the maker of the lamp.
### A
Ada Hale built the lamp.
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    folder = tmp_path / "home"
    monkeypatch.setenv("DLM_HOME", str(folder))
    return folder


@pytest.fixture
def write(tmp_path, home):
    """``write(more="training: ...")`` writes the document, ``more`` added to its frontmatter; trained, it lies in
    ``home``."""
    base = toy_base(tmp_path / "base")

    def write(more: str = "", name: str = "lamp.dlm"):
        path = tmp_path / name
        path.write_text(DOCUMENT.format(base=base, more=f"{more}\n" if more else ""), encoding="utf-8")
        return path

    return write


@pytest.fixture
def plugins():
    """dlm with the toy backend and no installed plugin."""
    with only_plugins(ToyPlugin()) as manager:
        yield manager


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
