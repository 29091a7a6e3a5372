"""Tensors of a safetensors file, by numpy alone: nothing is unpickled, and no library of models is loaded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dlm_sway.errors import ProbeError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LARGEST_HEADER = 64 << 20
_TYPES = {"F64": np.float64, "F32": np.float32, "F16": np.float16, "BF16": np.uint16}


class Tensors:
    """What one file holds. The file is read a tensor at a time."""

    def __init__(self, path: Path) -> None:
        """Read the names.

        Raises:
            ProbeError: it is no such file.
        """
        self.path = path
        try:
            size = path.stat().st_size
            with path.open("rb") as file:
                length = int.from_bytes(file.read(8), "little")
                if not 2 <= length <= min(_LARGEST_HEADER, size - 8):
                    raise ValueError("it has no header")
                self._entries: dict[str, Any] = dict(json.loads(file.read(length)).items())
        except (OSError, ValueError, AttributeError, RecursionError) as problem:
            raise self._unreadable(problem) from problem
        self._entries.pop("__metadata__", None)
        self._start, self._end = 8 + length, size

    @property
    def names(self) -> tuple[str, ...]:
        """In the order of the alphabet."""
        return tuple(sorted(self._entries))

    def read(self, name: str) -> NDArray[np.float32]:
        """The values of one tensor, flat, in single precision.

        Raises:
            ProbeError: it is not there, is of another type than floating-point, or the file is damaged.
        """
        try:
            entry = self._entries[name]
            begin, end = entry["data_offsets"]
            kind = _TYPES[entry["dtype"]]
            if not 0 <= begin <= end <= self._end - self._start or (end - begin) % np.dtype(kind).itemsize:
                raise ValueError("its offsets lie outside the file")
            with self.path.open("rb") as file:
                file.seek(self._start + begin)
                found = np.frombuffer(file.read(end - begin), dtype=kind)
        except (OSError, ValueError, KeyError, TypeError) as problem:
            raise self._unreadable(f"{name}: {problem}") from problem
        if entry["dtype"] == "BF16":
            # The upper half of a number in single precision.
            return (found.astype(np.uint32) << 16).view(np.float32)
        return found.astype(np.float32)

    def _unreadable(self, problem: object) -> ProbeError:
        return ProbeError(f"{self.path} cannot be read as safetensors ({problem}): train again, or name another file")
