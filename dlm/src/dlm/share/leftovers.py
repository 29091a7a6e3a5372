"""What pushes and pulls have left under ``$DLM_HOME``: packs that nobody sends any more, and beginnings of packs that
nobody has gone on fetching."""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from ..store.files import disk_errors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PULLING = "pulling"
PUSHING = "pushing"
GONE = ".gone"
"""Behind the name of a folder that is being removed."""
KEPT_DAYS = 30
"""That the beginning of a pack is kept for a pull to go on with, and the place of an upload for a push."""


def removable(root: Path) -> Iterator[tuple[Path, str]]:
    """What is of no use any more, each with a reason; what a running process uses is not among it."""
    for folder in _folders(root / PUSHING):
        if not _in_use(folder):
            yield folder, "left by a push that died"
    for folder in _folders(root / PULLING):
        if folder.suffix == GONE:
            yield folder, "left by a pull that died"
        elif _days(folder) >= KEPT_DAYS and not _in_use(folder):
            yield folder, f"a pull that nobody went on with for {KEPT_DAYS} days"
    for note in sorted((root / PUSHING).glob("*.json")):
        if _days(note) >= KEPT_DAYS:
            yield note, f"an upload that nobody went on with for {KEPT_DAYS} days"


def remove(path: Path) -> None:
    """Remove one of :func:`removable`, unless somebody has begun to use it."""
    from filelock import FileLock, Timeout

    with disk_errors(path):
        if not path.is_dir():
            path.unlink(missing_ok=True)
            return
        with suppress(Timeout), FileLock(path.with_suffix(".lock"), timeout=0):
            shutil.rmtree(path)
            # Only a push uses a name once: the lock of an address may be waited for.
            if path.parent.name == PUSHING:
                path.with_suffix(".lock").unlink(missing_ok=True)


def _folders(place: Path) -> list[Path]:
    return sorted(path for path in place.iterdir() if path.is_dir()) if place.is_dir() else []


def _days(path: Path) -> float:
    """Since anything in ``path`` was written."""
    newest = max([path.stat().st_mtime, *(one.stat().st_mtime for one in path.rglob("*"))])
    return (time.time() - newest) / 86_400


def _in_use(folder: Path) -> bool:
    from filelock import FileLock, Timeout

    lock = folder.with_suffix(".lock")
    if not lock.exists():
        return False
    try:
        with FileLock(lock, timeout=0):
            return False
    except (Timeout, OSError):
        return True
