"""Where an export lies, and how a new one takes the place of the old.

A new export is written into a hidden folder beside its place and swapped in when it is whole. Linux and macOS exchange
two folders in one step, so there is no moment without an export. A file system that cannot do that gets two renames;
whoever is killed between them leaves the old export whole and hidden, and the next command that looks puts it back.
"""

from __future__ import annotations

import ctypes
import errno
import hashlib
import os
import re
import secrets
import shutil
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from ..errors import ExportFailed, StoreLocked, UsageProblem
from ..store.files import disk_errors, sync_folder
from .manifest import MANIFEST_FILE, is_export

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LOCKS = ".locks"
"""Inside a store's ``exports``: one file for each place somebody exported to."""
_HIDDEN = re.compile(r"\.(?P<name>.+)\.(?P<kind>partial|replaced)-[0-9a-f]{8}")
_AT_FDCWD, _EXCHANGE = -100, 2
_NOT_HERE = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EPERM})


def require_free(final: Path) -> None:
    """Refuse a place that holds anything but an export.

    Raises:
        UsageProblem: it does; nothing there is touched.
    """
    with disk_errors(final, ExportFailed):
        if not final.exists():
            return
        if not final.is_dir():
            raise UsageProblem(f"{final} is a file: give --out a folder that is new, empty, or an earlier export")
        if any(final.iterdir()) and not (final / MANIFEST_FILE).is_file():
            raise UsageProblem(
                f"{final} holds files that are no export, and they would be lost: give --out a folder that is new, "
                "empty, or an earlier export"
            )


@contextmanager
def alone(final: Path, locks: Path) -> Iterator[None]:
    """Be the only process that writes the export at ``final``.

    Raises:
        StoreLocked: another one is writing it.
        ExportFailed: the lock's file cannot be made.
    """
    with disk_errors(locks, ExportFailed):
        locks.mkdir(parents=True, exist_ok=True)
        lock = FileLock(_lock_file(final, locks))
        try:
            lock.acquire(timeout=0.3, poll_interval=0.02)
        except Timeout:
            raise StoreLocked(f"another process is writing the export {final}: wait until it has ended") from None
    try:
        yield
    finally:
        lock.release()


def is_being_written(final: Path, locks: Path) -> bool:
    """Whether some process holds the lock of ``final`` just now. Makes no file."""
    file = _lock_file(final, locks)
    if not file.exists():
        return False
    try:
        with FileLock(file, timeout=0):
            return False
    except Timeout:
        return True


@contextmanager
def workplace(final: Path) -> Iterator[Path]:
    """An empty hidden folder beside ``final``, gone at the end whatever happens. Hold :func:`alone`."""
    settle(final)
    place = final.with_name(f".{final.name}.partial-{secrets.token_hex(4)}")
    with disk_errors(place, ExportFailed):
        place.mkdir(parents=True)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def put_in_place(ready: Path, final: Path) -> None:
    """Make ``ready`` what lies at ``final``; what lay there goes.

    Raises:
        ExportFailed: the file system refuses; what lay there is as it was.
    """
    with disk_errors(final, ExportFailed):
        if not final.exists():
            ready.rename(final)
        elif not exchange(ready, final):
            aside = final.with_name(f".{final.name}.replaced-{secrets.token_hex(4)}")
            final.rename(aside)
            try:
                ready.rename(final)
            except BaseException:
                aside.rename(final)
                raise
            shutil.rmtree(aside, ignore_errors=True)
        sync_folder(final.parent)


def exchange(one: Path, other: Path) -> bool:
    """Swap two folders in one step; whether this system can.

    Raises:
        OSError: it can, and refused.
    """
    call = _exchanging()
    if call is None:
        return False
    sys.audit("os.rename", str(one), str(other), -1, -1)
    if call(os.fsencode(one), os.fsencode(other)) == 0:
        return True
    number = ctypes.get_errno()
    if number in _NOT_HERE:
        return False
    raise OSError(number, os.strerror(number), str(one), None, str(other))


def settle(final: Path) -> None:
    """Put back an export that a killed process had moved aside, and remove what it left. Hold :func:`alone`.

    Raises:
        ExportFailed: the file system refuses.
    """
    with disk_errors(final, ExportFailed):
        left = [path for path, name in hidden(final.parent) if name == final.name]
        aside = [path for path in left if ".replaced-" in path.name and is_export(path)]
        if aside and not final.exists():
            aside[-1].rename(final)
            left.remove(aside[-1])
        for path in left:
            shutil.rmtree(path)


def hidden(parent: Path) -> list[tuple[Path, str]]:
    """Folders in ``parent`` that an export is being written into, or was when its writer died, each with the name of
    its place."""
    if not parent.is_dir():
        return []
    found = ((path, _HIDDEN.fullmatch(path.name)) for path in sorted(parent.iterdir()) if path.is_dir())
    return [(path, match["name"]) for path, match in found if match]


def _lock_file(final: Path, locks: Path) -> Path:
    return locks / f"{hashlib.sha256(os.fsencode(final)).hexdigest()[:24]}.lock"


def _exchanging() -> Callable[[bytes, bytes], int] | None:
    """A function of two paths; ``None`` where the C library has none."""
    if os.name == "nt":
        return None
    library = ctypes.CDLL(None, use_errno=True)
    path, number = ctypes.c_char_p, ctypes.c_uint
    if (on_linux := getattr(library, "renameat2", None)) is not None:
        on_linux.argtypes = [ctypes.c_int, path, ctypes.c_int, path, number]
        return lambda one, other: int(on_linux(_AT_FDCWD, one, _AT_FDCWD, other, _EXCHANGE))
    if (on_macos := getattr(library, "renamex_np", None)) is not None:
        on_macos.argtypes = [path, path, number]
        return lambda one, other: int(on_macos(one, other, _EXCHANGE))
    return None
