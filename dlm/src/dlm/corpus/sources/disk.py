"""A folder and what lies below it, read without following a link and without a limit on the length of a path.

Every folder is opened relative to the one above it, so a path may be longer than the system takes, and a folder that is
swapped for a link while we look leads nowhere.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from types import TracebackType
from typing import Literal, NamedTuple, Protocol, Self

Kind = Literal["file", "folder", "link", "other"]


def _flags(*names: str) -> int:
    """Those of ``names`` that this system knows, and reading."""
    return sum({getattr(os, name, 0) for name in names}, os.O_RDONLY)


_FOLDER = _flags("O_DIRECTORY", "O_NOFOLLOW", "O_CLOEXEC")
# Without blocking: a file may have become a pipe since it was listed.
_FILE = _flags("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY")
_CHUNK = 1 << 20
_KINDS: dict[int, Kind] = {stat.S_IFREG: "file", stat.S_IFDIR: "folder", stat.S_IFLNK: "link"}


class Stamp(NamedTuple):
    """What changes when a file's content does. Times in nanoseconds."""

    size: int
    mtime: int
    inode: int
    ctime: int


class Entry(NamedTuple):
    """One name in a folder. ``other`` are pipes, sockets and devices."""

    name: str
    kind: Kind
    stamp: Stamp


class NotAFile(OSError):
    """What was a file when it was listed is none any more."""


class Tree(Protocol):
    """A folder to read from. Paths are relative to it; the folder itself is ``""``."""

    def entries(self, folder: str) -> list[Entry]:
        """What lies in ``folder``, in the order of the names.

        Raises:
            OSError: it cannot be read.
        """

    def read(self, path: str, limit: int) -> tuple[bytes, Stamp]:
        """Up to ``limit`` bytes of a file, and what it was stamped with before it was read.

        Raises:
            OSError: it cannot be read, or is no file.
        """

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def open_tree(root: Path) -> Tree:
    """The folder ``root``, whose path holds no link.

    Raises:
        OSError: it cannot be opened.
    """
    handles = {os.open, os.stat} <= os.supports_dir_fd and os.scandir in os.supports_fd
    return HandleTree(root) if handles else PathTree(root)


class HandleTree:
    """A :class:`Tree` by file handles."""

    def __init__(self, root: Path) -> None:
        self._root = os.open(root, _FOLDER)
        self._at: str | None = None
        self._handle = -1

    def entries(self, folder: str) -> list[Entry]:
        """See :class:`Tree`."""
        with os.scandir(self._opened(folder)) as found:
            return sorted(_entry(entry) for entry in found)

    def read(self, path: str, limit: int) -> tuple[bytes, Stamp]:
        """See :class:`Tree`."""
        folder, _, name = path.rpartition("/")
        return _read(os.open(name, _FILE, dir_fd=self._opened(folder)), limit)

    def _opened(self, folder: str) -> int:
        """A handle of ``folder``; the last one is kept, since files are read folder by folder."""
        if folder == "":
            return self._root
        if folder != self._at:
            handle = self._open(folder)
            self._close_last()
            self._at, self._handle = folder, handle
        return self._handle

    def _open(self, folder: str) -> int:
        handle = os.dup(self._root)
        for name in folder.split("/"):
            above = handle
            try:
                handle = os.open(name, _FOLDER, dir_fd=above)
            finally:
                os.close(above)
        return handle

    def _close_last(self) -> None:
        if self._at is not None:
            os.close(self._handle)
            self._at = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close_last()
        os.close(self._root)


class PathTree:
    """A :class:`Tree` for systems that cannot open a file relative to a folder."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def entries(self, folder: str) -> list[Entry]:
        """See :class:`Tree`."""
        with os.scandir(self._root / folder) as found:
            return sorted(_entry(entry) for entry in found)

    def read(self, path: str, limit: int) -> tuple[bytes, Stamp]:
        """See :class:`Tree`."""
        return _read(os.open(self._root / path, _FILE), limit)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None


def _entry(entry: os.DirEntry[str]) -> Entry:
    """``entry`` with its stamp; a name that has gone meanwhile is ``other``."""
    try:
        found = entry.stat(follow_symlinks=False)
    except OSError:
        return Entry(entry.name, "other", Stamp(0, 0, 0, 0))
    return Entry(entry.name, *stamp_of(found))


def stamp_of(found: os.stat_result) -> tuple[Kind, Stamp]:
    """What ``found`` says a file is."""
    kind = _KINDS.get(stat.S_IFMT(found.st_mode), "other")
    return kind, Stamp(found.st_size, found.st_mtime_ns, found.st_ino, found.st_ctime_ns)


def _read(handle: int, limit: int) -> tuple[bytes, Stamp]:
    """Read and close ``handle``."""
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise NotAFile("not a plain file any more")
        parts, left = [], limit
        while left and (part := os.read(handle, min(left, _CHUNK))):
            parts.append(part)
            left -= len(part)
        return b"".join(parts), stamp_of(found)[1]
    finally:
        os.close(handle)
