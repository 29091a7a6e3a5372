"""A store in a temporary home, and writers that stand in for a backend."""

from __future__ import annotations

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
