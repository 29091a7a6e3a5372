"""Versions in use: whoever reads one says so, so that ``dlm gc`` leaves it alone. Nothing is written.

A reader shares a lock of the operating system on the version's ``version.json``; it goes when the process goes. Windows
has no such lock, and refuses by itself to remove files that are open.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from .version import FACTS_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .version import Version

try:
    import fcntl
except ImportError:
    fcntl = None  # type: ignore[assignment]


@contextmanager
def using(version: Version | None) -> Iterator[None]:
    """Keep ``version`` from being removed until the block ends. Readers never wait for one another."""
    if version is None:
        yield
        return
    with reading(version.path):
        yield


@contextmanager
def reading(folder: Path) -> Iterator[None]:
    """Keep the version in ``folder`` from being removed until the block ends."""
    if fcntl is None:
        yield
        return
    with (folder / FACTS_FILE).open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield


def in_use(folder: Path) -> bool:
    """Whether somebody reads the version in ``folder`` just now."""
    if fcntl is None:
        return False
    try:
        with (folder / FACTS_FILE).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
