"""Fixtures for tests that run the whole flow: a home, a small document, the toy backend."""

from __future__ import annotations

import pytest

from dlm.testing import only_plugins, toy_base
from dlm.testing.toy import ToyPlugin

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
