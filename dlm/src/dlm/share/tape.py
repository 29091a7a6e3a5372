"""Tar inside zstd, as a stream in both directions: whatever the size of a pack, a few megabytes of memory.

Every header is made by :func:`header`, and a pack of ours must have exactly those: then it has no links, devices,
owners or extensions, and two packs of the same content are the same bytes. Packs of the prior trainer are read more
loosely.
"""

from __future__ import annotations

import re
import tarfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from ..errors import PackInvalid
from .frame import LEVEL, MAGIC, cut_off, measure
from .members import LIMITS, NOT_TOUCHED, PRIOR_FIRST, may_run, shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .witness import Witness

BLOCK = 512
CHUNK = 2**20
_END = bytes(BLOCK)
_PAX_PATH = re.compile(rb"(?:\A|\n)\d+ path=([^\n]*)\n")
_LONGEST_PAX = 2**14
_LARGEST_OCTAL = 8**11 - 1
_KINDS = {
    tarfile.SYMTYPE: "a symbolic link",
    tarfile.LNKTYPE: "a hard link",
    tarfile.CHRTYPE: "a device",
    tarfile.BLKTYPE: "a device",
    tarfile.FIFOTYPE: "a pipe",
    tarfile.DIRTYPE: "a folder",
}


class Entry(NamedTuple):
    """The header of a member."""

    name: str
    size: int
    mtime: int
    block: bytes
    folder: bool = False


def header(name: str, size: int, mtime: int, *, runs: bool | None = None) -> bytes:
    """The one header that a member may have. ``runs`` in place of what :func:`.members.may_run` says."""
    info = tarfile.TarInfo(name)
    info.size, info.mtime = min(size, _LARGEST_OCTAL), mtime
    info.mode = 0o755 if (may_run(name) if runs is None else runs) else 0o644
    block = info.tobuf(tarfile.USTAR_FORMAT, "ascii", "strict")
    return block if size <= _LARGEST_OCTAL else _large(block, size)


def _large(block: bytes, size: int) -> bytes:
    """With a size as GNU tar writes those beyond 8 GB."""
    raw = bytearray(block)
    raw[124:136] = b"\x80" + size.to_bytes(11, "big")
    raw[148:156] = b" " * 8
    raw[148:156] = b"%06o\0 " % sum(raw)
    return bytes(raw)


class Writer:
    """Members, one after the other."""

    def __init__(self, sink: BinaryIO, mtime: int) -> None:
        self._sink = sink
        self._mtime = mtime

    def add(self, name: str, size: int, chunks: Iterator[bytes]) -> None:
        """Write a member of exactly ``size`` bytes.

        Raises:
            RuntimeError: ``chunks`` were more or fewer.
        """
        self._sink.write(header(name, size, self._mtime))
        written = 0
        for chunk in chunks:
            self._sink.write(chunk)
            written += len(chunk)
        if written != size:
            raise RuntimeError(f"{name} has {written} bytes, and its header says {size}")
        self._sink.write(bytes(-size % BLOCK))

    def end(self) -> None:
        """Write the mark after the last member."""
        self._sink.write(_END * 2)


@contextmanager
def writing(file: BinaryIO, mtime: int) -> Iterator[Writer]:
    """Compress what is added into ``file``."""
    from zstandard import ZstdCompressor

    packer = ZstdCompressor(level=LEVEL, write_checksum=True, write_content_size=False)
    with packer.stream_writer(file, write_size=CHUNK, closefd=False) as sink:
        writer = Writer(sink, mtime)
        yield writer
        writer.end()


class Reader:
    """Members, one after the other, each read or skipped before the next."""

    def __init__(self, path: Path, source: BinaryIO, size: int) -> None:
        self._path = path
        self._source = source
        self._size = size
        self._strict = False
        self._seen = 0
        self._mtime: int | None = None
        self._left = 0
        self._name = ""

    def next(self) -> Entry | None:
        """The next member; ``None`` after the last, and then nothing else follows.

        Raises:
            PackInvalid: it is no plain file, or its header is not as a pack's.
        """
        for _ in self.chunks():
            pass
        block = self._exactly(BLOCK)
        if block == _END:
            self._require_end()
            return None
        if not self._strict and block[156:157] == tarfile.XHDTYPE:
            return self._renamed(block)
        entry = self._entry(block)
        if self._strict:
            self._require_canonical(entry)
        self._left, self._name = entry.size, entry.name
        return entry

    def require_strict(self, first: Entry) -> None:
        """From here on, and in the ``first`` header, take nothing but what :class:`Writer` writes.

        Raises:
            PackInvalid: the first header is not as a pack's.
        """
        self._strict = True
        self._require_canonical(first)

    def chunks(self) -> Iterator[bytes]:
        """The content of the member that :meth:`next` gave.

        Raises:
            PackInvalid: the pack is damaged or cut off, or grows too much.
        """
        if not self._left:
            return
        padding = -self._left % BLOCK
        while self._left:
            chunk = self._some(min(CHUNK, self._left))
            self._left -= len(chunk)
            yield chunk
        if padding and any(self._exactly(padding)):
            raise self._bad(f"bytes are hidden behind {shown(self._name)}")

    def content(self, most: int) -> bytes:
        """All of a member that is to be small.

        Raises:
            PackInvalid: as :meth:`chunks`, or it is larger than ``most``.
        """
        if self._left > most:
            raise self._bad(f"{shown(self._name)} is {self._left:,} bytes large, and may have {most:,}")
        return b"".join(self.chunks())

    def _entry(self, block: bytes) -> Entry:
        info = self._info(block)
        folder = info.type == tarfile.DIRTYPE and not self._strict and info.size == 0
        if info.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) and not folder:
            kind = _KINDS.get(info.type, "an extension of tar")
            raise self._bad(f"{shown(info.name)} is {kind}, and a pack holds plain files only")
        if not 0 <= info.size <= LIMITS.member:
            raise self._bad(f"{shown(info.name)} says that it is {info.size:,} bytes large")
        return Entry(info.name, info.size, int(info.mtime), block, folder)

    def _info(self, block: bytes) -> tarfile.TarInfo:
        try:
            return tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        except tarfile.TarError as problem:
            raise self._bad(f"a member's header is damaged ({problem})") from problem

    def _renamed(self, block: bytes) -> Entry:
        """The member behind an extended header, under the name that it gives: tar's way with names beyond ASCII."""
        said = self._info(block)
        if not 0 < said.size <= _LONGEST_PAX:
            raise self._bad(f"the header of {shown(said.name)} is {said.size:,} bytes large")
        self._left, self._name = said.size, said.name
        name = _PAX_PATH.search(self.content(_LONGEST_PAX))
        entry = self._entry(self._exactly(BLOCK))
        if name is not None:
            entry = entry._replace(name=name[1].decode("utf-8", "surrogateescape"))
        self._left, self._name = entry.size, entry.name
        return entry

    def _require_canonical(self, entry: Entry) -> None:
        self._mtime = entry.mtime if self._mtime is None else self._mtime
        try:
            # Whether a file can be run is decided by its name. Early packs said of every member that it cannot.
            wanted = [header(entry.name, entry.size, self._mtime, runs=runs) for runs in (None, False)]
        except (ValueError, UnicodeError) as problem:
            raise self._bad(f"{shown(entry.name)} is no name of a member") from problem
        if entry.block not in wanted:
            raise self._bad(f"the header of {shown(entry.name)} has an owner, a mode or a time that no pack's has")

    def _require_end(self) -> None:
        rest = self._some(64 * BLOCK, may_end=True)
        if any(rest) or (self._strict and len(rest) != BLOCK) or self._some(1, may_end=True):
            raise self._bad("something follows after its last member")

    def _exactly(self, count: int) -> bytes:
        parts = []
        while count:
            parts.append(self._some(count))
            count -= len(parts[-1])
        return b"".join(parts)

    def _some(self, most: int, *, may_end: bool = False) -> bytes:
        from zstandard import ZstdError

        try:
            found = self._source.read(most)
        except ZstdError as problem:
            raise self._bad(f"it cannot be decompressed ({problem})") from problem
        if not found and not may_end:
            raise cut_off(self._path, self._size)
        self._seen += len(found)
        if self._seen > LIMITS.free and self._seen > LIMITS.ratio * self._size:
            raise self._bad(f"it grows to more than {LIMITS.ratio} times its size, as no trained document does")
        return found

    def _bad(self, what: str) -> PackInvalid:
        return PackInvalid(f"{self._path}: {what}. {NOT_TOUCHED}")


@contextmanager
def reading(path: Path, witness: Witness | None = None) -> Iterator[tuple[Reader, Entry]]:
    """The members of ``path``, the first one's header already read: its name tells the format. A ``witness`` is shown
    every byte of the file, unless something is wrong with it.

    Raises:
        PackInvalid: it is no pack, is cut off, or is damaged.
        PackRefused: it cannot be read.
        UsageProblem: there is no such file, or it is a document.
    """
    from zstandard import ZstdDecompressor

    from ..errors import PackRefused

    require_file(path)
    try:
        frame = measure(path)
        file = path.open("rb")
    except OSError as problem:
        raise PackRefused(f"cannot read {path}: {problem.strerror or problem}") from problem
    with file:
        watched: Any = witness.watch(file) if witness is not None else file
        source = ZstdDecompressor(max_window_size=LIMITS.window).stream_reader(watched, read_size=CHUNK)
        reader = Reader(path, source, frame.size)
        first = reader.next()
        if first is None:
            raise PackInvalid(f"{path} is an empty pack. {NOT_TOUCHED}")
        if first.name != PRIOR_FIRST:
            reader.require_strict(first)
            if not frame.checked:
                raise PackInvalid(f"{path} has no checksum at its end, as every pack has. {NOT_TOUCHED}")
        yield reader, first
        if witness is not None:
            witness.drain()


def require_file(path: Path) -> None:
    """See to it that ``path`` may be a pack at all.

    Raises:
        UsageProblem: there is no such file, or it is a document.
    """
    from ..errors import UsageProblem

    if path.is_dir():
        raise UsageProblem(f"{path} is a folder: name the pack in it")
    if not path.exists():
        raise UsageProblem(f"there is no pack {path}: `dlm pack DOC` makes one")
    if path.suffix == ".dlm" and not _begins_as_a_pack(path):
        raise UsageProblem(f"{path} is a document and no pack: `dlm pack {path}` makes one of it")


def _begins_as_a_pack(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return True  # whoever opens it next tells what is wrong
