"""Words that a base takes for similar, from its own embeddings: found once a base, then kept."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from ..corpus.similar import NONE

if TYPE_CHECKING:
    from pathlib import Path

    from ..corpus.similar import Similar
    from ..training.backend import Backend
    from .model import LocalBase

VERSION = 1
"""Changes whenever a backend would find other words."""


def similar_words(base: LocalBase, home: Path, backend: Backend, *, keep: bool = True) -> Similar:
    """The similar words of ``base``; none from a backend that does not know any.

    A file that cannot be read is written anew: it holds nothing that cannot be found again.
    """
    from ..store.files import write_atomic

    path = _path(base, home)
    found = _read(path)
    if found is None:
        found = {word: list(near) for word, near in sorted(backend.similar_words(base.path).items())}
        if keep:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(path, json.dumps(found, ensure_ascii=False, separators=(",", ":")) + "\n")
    return {word: tuple(near) for word, near in found.items()} if found else NONE


def found_before(base: LocalBase, home: Path) -> Similar | None:
    """What an earlier training found; ``None`` before the first one."""
    found = _read(_path(base, home))
    return None if found is None else {word: tuple(near) for word, near in found.items()}


def _path(base: LocalBase, home: Path) -> Path:
    name = hashlib.sha256(f"{VERSION}\n{base.digest}".encode()).hexdigest()[:24]
    return home / "cache" / "similar-words" / f"{name}.json"


def _read(path: Path) -> dict[str, list[str]] | None:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
