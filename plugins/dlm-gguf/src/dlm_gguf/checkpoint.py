"""Weights out of safetensors files, a block of rows at a time, as ``float32``. Only what is asked for is read.

The format: eight bytes of length, a JSON header with type, shape and place of every tensor, the bytes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from dlm.errors import ExportFailed

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

_LENGTH = 8
_TYPES: dict[str, tuple[str, int]] = {"F64": ("<f8", 8), "F32": ("<f4", 4), "F16": ("<f2", 2), "BF16": ("<u2", 2)}


class Weights(Protocol):
    """Named tensors that are read by rows. A tensor of one dimension is one row."""

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Of every tensor, by its name."""
        ...

    def rows(self, name: str, start: int, stop: int) -> Floats:
        """Rows ``start`` to ``stop`` of ``name``, ``[stop - start, ...]``; the caller may change them."""
        ...


@dataclass(frozen=True)
class _Place:
    path: Path
    kind: str
    shape: tuple[int, ...]
    offset: int


class Checkpoint:
    """The tensors of one or more safetensors files.

    Raises:
        ExportFailed: a file is damaged, or holds a tensor of a type that is no float.
    """

    def __init__(self, files: Iterable[Path]) -> None:
        self._places: dict[str, _Place] = {}
        for path in files:
            self._places |= _header(path)
        self.shapes = {name: place.shape for name, place in self._places.items()}

    def rows(self, name: str, start: int, stop: int) -> Floats:
        """As :meth:`Weights.rows`."""
        place = self._places[name]
        shape = place.shape if len(place.shape) > 1 else (1, *place.shape)
        kind, width = _TYPES[place.kind]
        each = prod(shape[1:])
        count = each * (stop - start)
        with place.path.open("rb") as file:
            file.seek(place.offset + start * each * width)
            raw = np.fromfile(file, dtype=kind, count=count)
        if raw.size != count:
            raise ExportFailed(f"{place.path} ends inside of {name}: fetch or train it again")
        return _widened(raw, place.kind).reshape(stop - start, *shape[1:])

    def whole(self, name: str) -> Floats:
        """All of ``name``, in its own shape."""
        shape = self.shapes[name]
        return self.rows(name, 0, shape[0] if len(shape) > 1 else 1).reshape(shape)


def of_folder(folder: Path) -> Checkpoint:
    """The weights in ``folder``: in the files that its index names, or in all where it has none. A publisher may have
    put the same weights beside them, under other names.

    Raises:
        ExportFailed: the index cannot be read, or names a file that is not there.
    """
    index = folder / "model.safetensors.index.json"
    if not index.is_file():
        return Checkpoint(sorted(folder.glob("*.safetensors")))
    try:
        names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
    except (OSError, ValueError, KeyError, AttributeError) as problem:
        raise ExportFailed(f"{index} cannot be read ({problem}): fetch the base again") from problem
    return Checkpoint([folder / name for name in names])


def _header(path: Path) -> dict[str, _Place]:
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(_LENGTH), "little")
            if not 0 < length < path.stat().st_size:
                raise ValueError("its header is longer than the file")
            described: dict[str, Any] = json.loads(file.read(length))
    except (OSError, ValueError) as problem:
        raise ExportFailed(f"{path} cannot be read ({problem}): fetch or train it again") from problem
    found = {}
    for name, facts in described.items():
        if name == "__metadata__":
            continue
        if facts["dtype"] not in _TYPES:
            raise ExportFailed(f"{path}: {name} is {facts['dtype']}, and only {', '.join(_TYPES)} can be exported")
        begin = _LENGTH + length + facts["data_offsets"][0]
        found[name] = _Place(path, facts["dtype"], tuple(facts["shape"]), begin)
    return found


def _widened(raw: NDArray[Any], kind: str) -> Floats:
    """As ``float32``; bfloat16 is its upper half."""
    if kind == "BF16":
        return (raw.astype(np.uint32) << 16).view(np.float32)
    return raw.astype(np.float32, copy=False)
