"""A file on its way here: what has arrived, and what the server said of the whole, from one process to the next."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from dlm.store.files import disk_errors, sync_folder, write_atomic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class Seen(NamedTuple):
    """What the server said of the file."""

    validator: str | None
    """A strong ``ETag`` with its quotes, or a date; ``None`` where nothing tells one state of the file from another."""
    total: int | None


class Partial:
    """``NAME.part`` grows, and is ``NAME`` when it is whole. ``NAME.part.json`` says which file it is the beginning of.

    The note is written before the first byte: what lies there without one belongs to nobody and is not gone on with.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._part = path.with_name(f"{path.name}.part")
        self._note = path.with_name(f"{path.name}.part.json")
        self.seen = self._read()
        if self.seen is None or self.seen.validator is None:
            self.drop()
        elif self.have == self.seen.total and not self.whole:
            self.finish()

    @property
    def have(self) -> int:
        """Bytes that have arrived."""
        try:
            return self._part.stat().st_size
        except FileNotFoundError:
            return 0

    @property
    def whole(self) -> bool:
        """Whether all of it has."""
        return self.path.exists()

    def begin(self, seen: Seen) -> None:
        """Forget what has arrived, and await the file that ``seen`` tells of."""
        self.drop()
        self.seen = seen
        write_atomic(self._note, json.dumps(seen._asdict()) + "\n")

    @contextmanager
    def appending(self) -> Iterator[Callable[[bytes], None]]:
        """A function that puts bytes behind what has arrived; they are the file's when it returns."""
        with disk_errors(self._part):
            file = self._part.open("ab", buffering=0)

        def append(chunk: bytes) -> None:
            left = memoryview(chunk)
            with disk_errors(self._part):
                while left:
                    left = left[file.write(left) :]

        with file:
            yield append

    def finish(self) -> None:
        """Nothing is missing: give the file its name."""
        with disk_errors(self.path):
            with self._part.open("ab") as file:
                os.fsync(file.fileno())
            self._part.replace(self.path)
            sync_folder(self.path.parent)

    def drop(self) -> None:
        """Forget all of it."""
        self.seen = None
        with disk_errors(self.path):
            for path in (self._note, self._part, self.path):
                path.unlink(missing_ok=True)

    def _read(self) -> Seen | None:
        try:
            found = json.loads(self._note.read_text(encoding="utf-8"))
            validator, total = found["validator"], found["total"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        right = isinstance(validator, str | None) and isinstance(total, int | None)
        return Seen(validator, total) if right else None
