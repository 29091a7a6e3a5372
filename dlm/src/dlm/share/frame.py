"""The zstd frame around a pack: measured from its block headers before anything is decompressed.

A pack is one frame and nothing else. The headers tell where it ends, so a pack that was cut off, or that goes on after
its end, is known at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from ..errors import PackInvalid
from .members import LIMITS, NOT_TOUCHED

if TYPE_CHECKING:
    from pathlib import Path

MAGIC = b"\x28\xb5\x2f\xfd"
LEVEL = 3
_LONGEST_HEADER = 18
_REPEATED = 1
_RESERVED = 3


class Frame(NamedTuple):
    """What the headers say."""

    size: int
    """Bytes of the file."""
    checked: bool
    """It ends with a checksum of the content."""


def measure(path: Path) -> Frame:
    """Walk the frame in ``path``; its content is not looked at.

    Raises:
        PackInvalid: it is no frame, is cut off, goes on after its end, or asks for too much memory.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(_LONGEST_HEADER)
        if not MAGIC.startswith(head[:4]) or not head:
            raise PackInvalid(f"{path} is no pack: it does not begin as a zstd file does. {NOT_TOUCHED}")
        end, checked = _header(head, path, size)
        end = _blocks(file, end, path, size) + 4 * checked
    if end > size:
        raise cut_off(path, size)
    if end < size:
        raise PackInvalid(f"{path} goes on for {size - end} bytes after its end. {NOT_TOUCHED}")
    return Frame(size, checked)


def cut_off(path: Path, size: int) -> PackInvalid:
    """The error about a file that ends too early."""
    return PackInvalid(f"{path} is cut off: it ends after {size} bytes, in the middle. {NOT_TOUCHED}")


def _header(head: bytes, path: Path, size: int) -> tuple[int, bool]:
    """Where the first block begins, and whether a checksum follows the last."""
    from zstandard import ZstdError, get_frame_parameters

    if len(head) < 6:
        raise cut_off(path, size)
    try:
        facts = get_frame_parameters(head)
    except ZstdError as problem:
        if size < _LONGEST_HEADER:
            raise cut_off(path, size) from problem
        raise PackInvalid(f"{path} is no pack: its zstd header is damaged ({problem}). {NOT_TOUCHED}") from problem
    if facts.dict_id:
        raise PackInvalid(f"{path} was compressed with a dictionary, and no pack is. {NOT_TOUCHED}")
    if facts.window_size > LIMITS.window:
        wanted = facts.window_size // 2**20
        raise PackInvalid(
            f"{path} asks for {wanted:,} MB of memory to be read, and a pack needs {LIMITS.window // 2**20} at most. "
            f"{NOT_TOUCHED}"
        )
    from zstandard import frame_header_size

    return frame_header_size(head), bool(facts.has_checksum)


def _blocks(file: BinaryIO, place: int, path: Path, size: int) -> int:
    """Where the last block ends; beyond the file where that is cut off."""
    while True:
        file.seek(place)
        head = file.read(3)
        if len(head) < 3:
            raise cut_off(path, size)
        word = int.from_bytes(head, "little")
        last, kind, length = word & 1, word >> 1 & 3, word >> 3
        if kind == _RESERVED:
            raise PackInvalid(f"{path} is damaged at byte {place}: no zstd block begins there. {NOT_TOUCHED}")
        place += 3 + (1 if kind == _REPEATED else length)
        if last or place > size:
            return place
