"""What a GGUF file says it holds, held against its length, before a program in C is given it.

Reads the header alone: names, shapes and where data lies. Arrays are counted and passed over. Weights: ``gguf``.
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from dlm.errors import ExportFailed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MAGIC: Final = b"GGUF"
VERSIONS: Final = (2, 3)
_ALIGNMENT: Final = "general.alignment"
_SCALARS: Final = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
_MOST: Final = 1 << 24
"""Entries of any list: more is a damaged length."""


class Tensor(NamedTuple):
    """One tensor as the header describes it."""

    name: str
    shape: tuple[int, ...]
    """The fastest axis first, as the format has it."""
    kind: str
    """Such as ``Q8_0``."""
    offset: int
    """From the beginning of the file."""
    size: int
    """In bytes."""


@dataclass(frozen=True)
class Header:
    """Names and places of all that a file holds."""

    metadata: Mapping[str, Any]
    """Scalars and strings; of an array how many entries it has."""
    tensors: tuple[Tensor, ...]

    def text(self, key: str) -> str | None:
        """A string, if it is there."""
        value = self.metadata.get(key)
        return value if isinstance(value, str) else None


def read_header(path: Path) -> Header:
    """The header of the file ``path``, whose data is all there.

    Raises:
        ExportFailed: this is no GGUF file, or it ends before its data does.
    """
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _Walk(data).header()
    except OSError as error:
        raise ExportFailed(f"{path.name} cannot be read: {error.strerror}") from error
    except (ValueError, struct.error, UnicodeDecodeError, IndexError) as error:
        raise ExportFailed(
            f"{path.name} is no whole GGUF file: {error}: it is damaged or half-written; write the export again"
        ) from error


class _Walk:
    """From the front of ``data`` to where the header ends."""

    def __init__(self, data: mmap.mmap) -> None:
        self.data, self.at = data, 0

    def header(self) -> Header:
        if self._take(4) != MAGIC:
            raise ValueError("it does not begin as one")
        if (version := self._scalar("I")) not in VERSIONS:
            raise ValueError(f"it has version {version} of the format, and {VERSIONS} are known")
        tensors, pairs = self._count("Q"), self._count("Q")
        metadata = dict(self._pair() for _ in range(pairs))
        infos = [self._info() for _ in range(tensors)]
        alignment = int(metadata.get(_ALIGNMENT, 32))
        if alignment <= 0 or alignment & (alignment - 1):
            raise ValueError(f"its data would be aligned to {alignment} bytes")
        start = -(-self.at // alignment) * alignment
        placed = tuple(_placed(info, start, len(self.data)) for info in infos)
        if len({tensor.name for tensor in placed}) < len(placed):
            raise ValueError("two tensors have one name")
        return Header(metadata, placed)

    def _take(self, count: int) -> bytes:
        if count < 0 or self.at + count > len(self.data):
            raise ValueError(f"it ends after {len(self.data)} bytes, within its header")
        self.at += count
        return self.data[self.at - count : self.at]

    def _scalar(self, form: str) -> Any:
        return struct.unpack("<" + form, self._take(struct.calcsize(form)))[0]

    def _count(self, form: str) -> int:
        count = int(self._scalar(form))
        if count > _MOST:
            raise ValueError(f"a list in its header has {count} entries")
        return count

    def _string(self) -> str:
        return self._take(int(self._scalar("Q"))).decode("utf-8", "replace")

    def _pair(self) -> tuple[str, Any]:
        return self._string(), self._value(int(self._scalar("I")))

    def _value(self, kind: int) -> Any:
        if kind == _STRING:
            return self._string()
        if kind == _ARRAY:
            return self._array(int(self._scalar("I")), self._count("Q"))
        if kind not in _SCALARS:
            raise ValueError(f"its header has a value of unknown type {kind}")
        return self._scalar(_SCALARS[kind])

    def _array(self, kind: int, count: int) -> int:
        if kind in _SCALARS:
            self._take(count * struct.calcsize(_SCALARS[kind]))
        elif kind == _STRING:
            for _ in range(count):
                self._take(int(self._scalar("Q")))
        else:
            raise ValueError(f"its header has a list of unknown type {kind}")
        return count

    def _info(self) -> tuple[str, tuple[int, ...], int, int]:
        name, axes = self._string(), int(self._scalar("I"))
        if axes > 4:
            raise ValueError(f"{name} has {axes} axes")
        shape = tuple(int(self._scalar("Q")) for _ in range(axes))
        return name, shape, int(self._scalar("I")), int(self._scalar("Q"))


def _placed(info: tuple[str, tuple[int, ...], int, int], start: int, length: int) -> Tensor:
    from math import prod

    from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

    name, shape, number, offset = info
    kind = GGMLQuantizationType(number)
    block, size = GGML_QUANT_SIZES[kind]
    if shape and shape[0] % block:
        raise ValueError(f"{name} has rows of {shape[0]}, which {kind.name} cannot hold")
    size = prod(shape) // block * size
    if start + offset + size > length:
        raise ValueError(f"it ends after {length} bytes, and {name} would end at {start + offset + size}")
    return Tensor(name, shape, kind.name, start + offset, size)
