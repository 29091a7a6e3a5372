"""Remembering which bytes of a file were read, so that what was unpacked is known to be what was signed."""

from __future__ import annotations

import hashlib
from typing import BinaryIO

_CHUNK = 2**20


class Witness:
    """A file whose bytes are hashed as they are read, from the first to the last and each once."""

    def __init__(self) -> None:
        self._file: BinaryIO | None = None
        self._hash = hashlib.sha256()

    def watch(self, file: BinaryIO) -> Witness:
        """Stand in for ``file``, nothing of which was read yet."""
        self._file = file
        return self

    def read(self, size: int = -1, /) -> bytes:
        """As of the file."""
        if self._file is None:
            raise RuntimeError("nothing is watched")
        data = self._file.read(size)
        self._hash.update(data)
        return data

    def sha256(self) -> str:
        """In hex, of what was read; ask when all was."""
        return self._hash.hexdigest()

    def drain(self) -> None:
        """Read what is left, such as a checksum that a decompressor had no need of."""
        while self.read(_CHUNK):
            pass
