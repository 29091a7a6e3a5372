"""A folder and what lies below it, read without following a link and without a limit on the length of a path.

Every folder is opened relative to the one above it, so a path may be longer than the system takes, and a folder that is
swapped for a link while we look leads nowhere.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Literal, Protocol, Self

Kind = Literal["file", "folder", "link", "other"]
"""``other`` are pipes, sockets and devices."""


def _flags(*names: str) -> int:
    """Those of ``names`` that this system knows, and reading."""
    return sum({getattr(os, name, 0) for name in names}, os.O_RDONLY)


_FOLDER = _flags("O_DIRECTORY", "O_NOFOLLOW", "O_CLOEXEC")
# Without blocking: a file may have become a pipe since it was listed.
_FILE = _flags("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY")
_CHUNK = 1 << 20
_MOST_HANDLES = 64
_KINDS: dict[int, Kind] = {stat.S_IFDIR: "folder", stat.S_IFLNK: "link"}


Stamp = tuple[int, int, int, int]
"""What changes when a file's content does: size, time of the last change of the content, inode, time of the last change
of anything. Times in nanoseconds."""
Entry = tuple[str, Kind, Stamp]
"""One name in a folder; all but files have an empty stamp. Plain tuples: there may be a hundred thousand of them."""
_NO_STAMP: Stamp = (0, 0, 0, 0)


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
    """The folder ``root``, whose path holds no link. It is opened when it is first looked at."""
    handles = {os.open, os.stat} <= os.supports_dir_fd and os.scandir in os.supports_fd
    return HandleTree(root) if handles else PathTree(root)


class HandleTree:
    """A :class:`Tree` by file handles. Keeps those on the way to the last folder: the next one is usually near."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._names: list[str] = []
        self._handles: list[int] = []
        """Of the root and of each of the names; -1 where it was closed again."""

    def entries(self, folder: str) -> list[Entry]:
        """See :class:`Tree`."""
        with os.scandir(self._opened(folder)) as found:
            return _sorted(found)

    def read(self, path: str, limit: int) -> tuple[bytes, Stamp]:
        """See :class:`Tree`."""
        folder, _, name = path.rpartition("/")
        return _read(os.open(name, _FILE, dir_fd=self._opened(folder)), limit)

    def _opened(self, folder: str) -> int:
        names = folder.split("/") if folder else []
        if not self._handles:
            self._handles.append(os.open(self._root, _FOLDER))
        shared = 0
        while shared < min(len(names), len(self._names)) and names[shared] == self._names[shared]:
            shared += 1
        while self._handles[shared] < 0:
            shared -= 1
        self._close_below(shared)
        for name in names[shared:]:
            self._handles.append(os.open(name, _FOLDER, dir_fd=self._handles[-1]))
            self._names.append(name)
            if len(self._names) > _MOST_HANDLES:
                os.close(self._handles[-2])
                self._handles[-2] = -1
        return self._handles[-1]

    def _close_below(self, depth: int) -> None:
        while len(self._names) > depth:
            handle = self._handles.pop()
            self._names.pop()
            if handle >= 0:
                os.close(handle)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close_below(0)
        if self._handles:
            os.close(self._handles.pop())


class PathTree:
    """A :class:`Tree` for systems that cannot open a file relative to a folder."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def entries(self, folder: str) -> list[Entry]:
        """See :class:`Tree`."""
        with os.scandir(self._root / folder) as found:
            return _sorted(found)

    def read(self, path: str, limit: int) -> tuple[bytes, Stamp]:
        """See :class:`Tree`."""
        return _read(os.open(self._root / path, _FILE), limit)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None


def _sorted(found: Iterable[os.DirEntry[str]]) -> list[Entry]:
    """The entries of one folder, files with their stamps; a file that has gone meanwhile is ``other``."""
    entries: list[Entry] = []
    for entry in found:
        if entry.is_file(follow_symlinks=False):
            try:
                entries.append((entry.name, *stamp_of(entry.stat(follow_symlinks=False))))
            except OSError:
                entries.append((entry.name, "other", _NO_STAMP))
        elif entry.is_dir(follow_symlinks=False):
            entries.append((entry.name, "folder", _NO_STAMP))
        else:
            entries.append((entry.name, "link" if entry.is_symlink() else "other", _NO_STAMP))
    entries.sort()
    return entries


def stamp_of(found: os.stat_result) -> tuple[Kind, Stamp]:
    """What ``found`` says a file is."""
    if not stat.S_ISREG(found.st_mode):
        return _KINDS.get(stat.S_IFMT(found.st_mode), "other"), _NO_STAMP
    return "file", (found.st_size, found.st_mtime_ns, found.st_ino, found.st_ctime_ns)


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
