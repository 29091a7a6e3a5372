"""Writing files so that a reader, a crash or a full disk never meets half of one."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from ..errors import DlmError, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
# Libraries written in Rust report the number in their text only.
_FOREIGN_ERRNO = re.compile(r"\(os error (\d+)\)")


@contextmanager
def disk_errors(path: Path, error: type[DlmError] = StoreError) -> Iterator[None]:
    """Turn what the file system refuses into ``error``, saying where and what to do.

    Raises:
        StoreError: (or ``error``) in place of any :class:`OSError`.
    """
    try:
        yield
    except OSError as problem:
        raise error(explain(problem, path) or f"cannot write {path}: {problem.strerror or problem}") from problem


def explain(problem: BaseException, path: Path) -> str | None:
    """What to tell someone whose disk is full or closed to us; ``None`` when ``problem`` is neither."""
    number = _errno(problem)
    if number in _FULL:
        return (
            f"no space left to write {path} (that disk has {free_megabytes(path)} MB free): make room, or point "
            "DLM_HOME at a larger disk, then run the command again. What was there before is untouched"
        )
    if number in _FORBIDDEN:
        return f"not allowed to write {path}: give yourself write access to it, or point DLM_HOME at a folder of yours"
    return None


@contextmanager
def told(folder: Path) -> Iterator[None]:
    """What somebody else's code raises while it fills ``folder``: a disk's refusal in words, the rest as it is.

    Raises:
        StoreError: the disk is full or closed to us.
    """
    try:
        yield
    except StoreError:
        raise
    except Exception as problem:
        if (text := explain(problem, folder)) is None:
            raise
        raise StoreError(text) from problem


def free_megabytes(path: Path) -> int:
    """Free space, in MB, on the disk that holds ``path`` or will hold it."""
    standing = next(place for place in (path, *path.parents) if place.exists())
    return shutil.disk_usage(standing).free // 1_000_000


def write_atomic(path: Path, text: str, error: type[DlmError] = StoreError) -> None:
    """Replace ``path`` with ``text`` in one step, durable when this returns.

    Raises:
        StoreError: (or ``error``) the disk is full or closed to us; ``path`` is as it was.
    """
    with replacing(path, error) as file:
        file.write(text.encode("utf-8"))


@contextmanager
def replacing(path: Path, error: type[DlmError] = StoreError, *, mode: int = 0o666) -> Iterator[BinaryIO]:
    """A file beside ``path`` to write to, which takes its place in one step, durable, when the body has ended, and is
    gone when the body fails. ``mode`` is less what the umask takes away.

    Raises:
        StoreError: (or ``error``) the disk is full or closed to us; ``path`` is as it was.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    with disk_errors(path, error):
        try:
            with open(temporary, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)


def sync_tree(folder: Path) -> None:
    """Wait until every file and folder under ``folder``, and its own entries, are on the disk."""
    for path in sorted(folder.rglob("*")):
        if path.is_dir():
            sync_folder(path)
        elif path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
    sync_folder(folder)


def sync_folder(folder: Path) -> None:
    """Wait until the names in ``folder`` are on the disk. Windows has no such call and needs none."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sha256(path: Path) -> str:
    """Hex digest of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def remove_tree(folder: Path) -> None:
    """Remove a folder that nobody reads."""
    with disk_errors(folder):
        shutil.rmtree(folder)


def _errno(problem: BaseException) -> int | None:
    seen: BaseException | None = problem
    while seen is not None:
        if isinstance(seen, OSError) and seen.errno is not None:
            return seen.errno
        if found := _FOREIGN_ERRNO.search(str(seen)):
            return int(found[1])
        seen = seen.__cause__ or seen.__context__
    return None
