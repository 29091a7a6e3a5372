"""What was found in files before, so that unchanged ones need not be read again. One file a document folder.

It is a cache: without it everything is read once more, and nothing else changes. Texts are not in it.
"""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path
from typing import Any

from ...errors import DlmError
from ...store.files import write_atomic
from .disk import Stamp
from .sections import source_id
from .text import Looked

_FORMAT = "dlm-sources 1"
_SPARE = 1000
_NOTHING: dict[str, list[Any]] = {}
_JUST_NOW = 2_000_000_000
"""Nanoseconds in which a file may change again without a trace in its times, on the coarsest file systems."""


class Index:
    """What :class:`~.text.Looked` said about the files below one folder."""

    def __init__(self, home: Path, base: Path) -> None:
        name = hashlib.sha256(str(base).encode("utf-8", "surrogateescape")).hexdigest()[:24]
        self.path = home / "cache" / "sources" / f"{name}.index"
        self.notes: list[str] = []
        self._known = self._load()
        self._seen: dict[str, dict[str, list[Any]]] = {}
        self._now = time.time_ns()

    def get(self, root: str, path: str, stamp: Stamp) -> Looked | None:
        """What was found in the file ``path`` of the source ``root`` when its stamp was the same."""
        row = self._known.get(root, _NOTHING).get(path)
        if row is None or (*row[:4],) != stamp:
            return None
        self._seen.setdefault(root, {})[path] = row
        return Looked._make(row[4:])

    def put(self, root: str, path: str, stamp: Stamp, looked: Looked) -> None:
        """Remember ``looked``, unless the file is so fresh that it could change again and keep its stamp."""
        if max(stamp.mtime, stamp.ctime) < self._now - _JUST_NOW:
            self._seen.setdefault(root, {})[path] = [*stamp, *looked]

    def save(self) -> None:
        """Write what is known now, if that is more or less than before."""
        rows = {root: rows for root, rows in self._known.items() if root not in self._seen and Path(root).is_dir()}
        for root, seen in self._seen.items():
            before = self._known.get(root, {})
            # Another document may use the same folder with other patterns: its rows stay, until they are mostly gone.
            rows[root] = {**before, **seen} if len(before) <= 2 * len(seen) + _SPARE else seen
        if rows == self._known:
            return
        body = json.dumps({"roots": rows, "ids": _ids_are_made_so()}, separators=(",", ":"))
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(self.path, f"{_FORMAT} {_sum(body)}\n{body}")
        except (OSError, DlmError) as error:
            self.notes.append(f"the sources will be read in full again next time: {error}")

    def _load(self) -> dict[str, dict[str, list[Any]]]:
        try:
            head, _, body = self.path.read_text("utf-8").partition("\n")
        except FileNotFoundError:
            return {}
        except (OSError, UnicodeDecodeError):
            head, body = "", ""
        if not head.startswith(_FORMAT.partition(" ")[0]) or not head.endswith(_sum(body)):
            self.notes.append(f"{self.path} was damaged: the sources were read in full, and it was written again")
            return {}
        found = json.loads(body) if head.startswith(_FORMAT + " ") else {}
        return dict(found["roots"]) if found.get("ids") == _ids_are_made_so() else {}


def _ids_are_made_so() -> str:
    """Changes when ids are made in another way: then what was found before holds no more."""
    return source_id("a/b.md", "\u00e4 \n\n\tb\r\nc ")


def _sum(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()
