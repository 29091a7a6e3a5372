"""The file: a gzipped tar that is the same for the same content, and is read as if its author meant harm.

What the members mean is :mod:`.unpack`'s to say.
"""

from __future__ import annotations

import gzip
import io
import os
import tarfile
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Final

from ..errors import PackError
from .manifest import TOP

_HEADERS: Final = 256 * 1024
"""Bytes that may stand between two members: headers and padding take far less."""
_MOST_MEMBERS: Final = 10_000
_DAMAGED: Final = (EOFError, zlib.error, gzip.BadGzipFile, tarfile.TarError, ValueError)
_LEVEL: Final = 6


def size(files: Mapping[str, bytes | Path]) -> int:
    """Bytes of all ``files``, not compressed."""
    return sum(len(one) if isinstance(one, bytes) else one.stat().st_size for one in files.values())


def write(path: Path, files: Mapping[str, bytes | Path]) -> None:
    """Pack ``files`` (name in the pack -> content) into ``path``: whole, or not at all.

    Raises:
        PackError: it exists, or it cannot be written.
    """
    temporary = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            _fill(file, files)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o666 & ~umask())  # as any file that a program writes, not the temporary one's
        # A link, unlike a rename, does not replace what somebody else put there meanwhile.
        os.link(temporary, path)
    except FileExistsError as error:
        raise PackError(f"{path}: refusing to overwrite: choose another path with -o, or delete it") from error
    except OSError as error:
        raise PackError(f"{path}: cannot write the pack: {error.strerror}: choose another path with -o") from error
    finally:
        if temporary:
            Path(temporary).unlink(missing_ok=True)


def _fill(file: IO[bytes], files: Mapping[str, bytes | Path]) -> None:
    # No name, no time, no owner: the same content gives the same bytes.
    with (
        gzip.GzipFile(filename="", mode="wb", compresslevel=_LEVEL, fileobj=file, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for name in sorted(files):
            content = files[name]
            member = tarfile.TarInfo(f"{TOP}/{name}")
            member.mode = 0o644
            with io.BytesIO(content) if isinstance(content, bytes) else content.open("rb") as opened:
                member.size = opened.seek(0, os.SEEK_END)
                opened.seek(0)
                tar.addfile(member, opened)


def umask() -> int:
    """The bits that new files are without here."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def extract(path: Path, into: Path, cap: int) -> None:
    """Write the members of the pack ``path`` into the folder ``into``, once every one of them was found harmless.

    Raises:
        PackError: it is not a pack, is damaged, holds more than ``cap`` bytes, or would write elsewhere.
    """
    with _members(path, cap) as members:
        for _ in members:
            pass
    with _members(path, cap) as members:
        for member, content in members:
            if content is not None:
                _put(content, into / PurePosixPath(member).relative_to(TOP))


def _put(content: IO[bytes], target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as file:
            while some := content.read(1 << 20):
                file.write(some)
    except OSError as error:
        if isinstance(error, gzip.BadGzipFile):
            raise
        raise PackError(f"{target}: cannot be written: {error.strerror}: unpack into another folder") from error


@contextmanager
def _members(path: Path, cap: int) -> Iterator[Iterator[tuple[str, IO[bytes] | None]]]:
    """Name and content of each member (no content: a folder), checked."""
    try:
        with path.open("rb") as file, gzip.GzipFile(fileobj=file) as zipped:
            yield _checked(path, _Budget(path, zipped), cap)
    except _DAMAGED as error:
        what = str(error) or type(error).__name__
        raise PackError(f"{path}: failed to extract: {what}: the pack is damaged, fetch it again") from error
    except IsADirectoryError as error:
        raise PackError(f"{path}: must be a file, and is a folder: name the .swaypack.tar.gz") from error
    except OSError as error:
        what = "not found" if isinstance(error, FileNotFoundError) else f"cannot be read: {error.strerror}"
        raise PackError(f"{path}: {what}: check the path of the pack") from error


def _checked(path: Path, reader: _Budget, cap: int) -> Iterator[tuple[str, IO[bytes] | None]]:
    seen: set[str] = set()
    total = 0
    with tarfile.open(fileobj=reader, mode="r|", bufsize=tarfile.RECORDSIZE) as tar:  # type: ignore[call-overload]
        for member in tar:
            _refuse(path, member, seen)
            seen.add(_same(member.name))
            total += member.size
            if total > cap:
                raise PackError(f"{path}: {_megabytes(total)} exceeds the cap of {_megabytes(cap)}: raise --max-size")
            reader.left += member.size + _HEADERS
            yield member.name, tar.extractfile(member)
    while reader.read(1 << 16):  # to the checksum at the end
        pass


def _refuse(path: Path, member: tarfile.TarInfo, seen: set[str]) -> None:
    if fault := _fault(member, seen):
        raise PackError(f"{path}: refused: {fault}: this is not a pack that sway wrote, and nothing of it was kept")


def _fault(member: tarfile.TarInfo, seen: set[str]) -> str:
    """What is wrong with a member; empty when nothing is."""
    name, parts = member.name, member.name.split("/")
    if member.islnk() or member.issym():
        return f"{name!r} is a link"
    if member.ischr() or member.isblk() or member.isfifo():
        return f"{name!r} is a device"
    if member.sparse is not None or not (member.isreg() or member.isdir()):
        return f"{name!r} is of an unknown type"
    if name.startswith(("/", "\\")) or ":" in name:
        return f"{name!r} is an absolute path"
    if ".." in parts or "\\" in name:
        return f"{name!r} leads out of its folder"
    if parts[0] != TOP:
        return f"missing the expected '{TOP}/' before {name!r}"
    if not name.isprintable() or "" in parts or "." in parts or any(len(part.encode()) > 200 for part in parts):
        return f"{name[:80]!r} is not a plain name"
    if _same(name) in seen:
        return f"{name!r} is there twice"
    if len(seen) >= _MOST_MEMBERS:
        return f"more than {_MOST_MEMBERS:,} members"
    try:
        tarfile.data_filter(member, TOP)
    except tarfile.FilterError as error:
        return f"{name!r} is not plain data ({error})"
    return ""


def _same(name: str) -> str:
    """Names that some file systems take for one."""
    return name.casefold()


class _Budget:
    """Reads what was allowed and no more, so that headers cannot unpack to gigabytes either."""

    def __init__(self, path: Path, file: gzip.GzipFile) -> None:
        self.left = _HEADERS
        self._path, self._file = path, file

    def read(self, wanted: int) -> bytes:
        """The next bytes."""
        found = self._file.read(wanted)
        self.left -= len(found)
        if self.left < 0:
            raise PackError(f"{self._path}: refused: it unpacks to far more than its members say")
        return found


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
