"""What dead processes left in a store's folder of exports. Only looks."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from .manifest import is_export
from .place import LOCKS, hidden, is_being_written

if TYPE_CHECKING:
    from pathlib import Path


class Leftover(Enum):
    """What a hidden folder is."""

    DEAD = "dead"
    BUSY = "busy"
    """Somebody writes it just now."""
    ASIDE = "aside"
    """The only whole export of its place, moved out of the way for one that never came."""


def leftovers(exports: Path) -> list[tuple[Path, Leftover]]:
    """Every hidden folder in ``exports``."""
    return [(path, _kind(path, exports / name, exports / LOCKS)) for path, name in hidden(exports)]


def _kind(path: Path, final: Path, locks: Path) -> Leftover:
    if is_being_written(final, locks):
        return Leftover.BUSY
    if ".replaced-" in path.name and not final.exists() and is_export(path):
        return Leftover.ASIDE
    return Leftover.DEAD
