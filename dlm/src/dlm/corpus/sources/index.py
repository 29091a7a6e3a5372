"""What was found in folders and files before, so that what did not change need not be looked at again.

One file for each folder of documents, under ``$DLM_HOME/cache/sources``. It is a cache: without it everything is read
once more, and nothing else changes. Texts are not in it.
"""

from __future__ import annotations

import hashlib
import json
import marshal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ...errors import DlmError
from ...store.files import write_atomic
from .disk import Entry, Stamp
from .sections import source_id
from .text import Looked

_FORMAT = "dlm-sources 1"
_SOURCES = 8
"""How many sources of other documents, or with other rules, are kept beside those in use."""
_JUST_NOW = 2_000_000_000
"""Nanoseconds in which a file may change again without a trace in its times, on the coarsest file systems."""


class Listed(NamedTuple):
    """What the rules say about the entries of one folder, by their names."""

    excluded: int
    unnamed: int
    secrets: list[str]
    links: list[str]
    folders: list[str]
    """To be entered."""
    files: list[tuple[str, Sequence[int], Looked | None]]
    """Names and stamps of those to be taken, with what is known of their content."""


_Row = tuple[str, list[Any], dict[str, Any]]
"""Of one folder: its mark, the first parts of :class:`Listed`, and the files: ``{name: [*stamp, *what was found]}``."""


class Memory:
    """What is known of one source under one set of rules. Paths of folders are relative to the source."""

    def __init__(self, known: dict[str, _Row]) -> None:
        self._known = known
        self.next: dict[str, _Row] = {}
        """What is known now."""
        self.changed = False
        self._now = time.time_ns()

    @staticmethod
    def mark(entries: list[Entry], rules: str) -> str:
        """Changes when anything in a folder does, or the rules that hold there."""
        # The version without references: its bytes depend on nothing but the values.
        return hashlib.blake2b(marshal.dumps((rules, entries), 2), digest_size=16).hexdigest()

    def folder(self, folder: str, mark: str) -> Listed | None:
        """What the rules said when the mark was the same."""
        row = self._known.get(folder)
        if row is None or row[0] != mark:
            return None
        self.next[folder] = row
        files = [(name, file[:4], Looked._make(file[4:]) if file[4:] else None) for name, file in row[2].items()]
        return Listed._make([*row[1], files])

    def file(self, folder: str, name: str, stamp: Stamp) -> Looked | None:
        """What the file held when its stamp was the same."""
        file = self._known.get(folder, _NOTHING)[2].get(name, ())
        return Looked._make(file[4:]) if file[4:] and tuple(file[:4]) == stamp else None

    def keep(self, folder: str, mark: str, listed: Listed) -> None:
        """Remember what the rules say now."""
        files = {name: (*stamp, *(found or ())) for name, stamp, found in listed.files}
        self.next[folder] = mark, list(listed[:-1]), files
        self.changed = True

    def learn(self, folder: str, name: str, stamp: Stamp, looked: Looked) -> None:
        """Remember what a file holds, unless it is so fresh that it could change again and keep its stamp."""
        if max(stamp[1], stamp[3]) < self._now - _JUST_NOW:
            self.next[folder][2][name] = (*stamp, *looked)
            self.changed = True


_NOTHING: _Row = ("", [], {})


class Index:
    """The file of one folder of documents."""

    def __init__(self, home: Path, base: Path) -> None:
        name = hashlib.sha256(str(base).encode("utf-8", "surrogateescape")).hexdigest()[:24]
        self.path = home / "cache" / "sources" / f"{name}.index"
        self.notes: list[str] = []
        self._known = self._load()
        self._used: dict[str, Memory] = {}

    def memory(self, root: str, rules: str) -> Memory:
        """What is known of the source ``root`` under ``rules``."""
        key = f"{rules} {root}"
        return self._used.setdefault(key, Memory(self._known.get(key, {})))

    def save(self) -> None:
        """Write what is known now, if that is not what was known before."""
        now = {key: memory.next for key, memory in self._used.items()}
        gone = any(len(memory.next) != len(self._known.get(key, {})) for key, memory in self._used.items())
        if not gone and not any(memory.changed for memory in self._used.values()):
            return
        others = [(key, known) for key, known in self._known.items() if key not in now]
        kept = {**dict(others[-_SOURCES:]), **now}
        body = json.dumps({"ids": _ids_are_made_so(), "sources": kept}, separators=(",", ":"))
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(self.path, f"{_FORMAT} {_sum(body)}\n{body}")
        except (OSError, DlmError) as error:
            self.notes.append(f"the sources will be read in full again next time: {error}")

    def _load(self) -> dict[str, dict[str, _Row]]:
        try:
            head, _, body = self.path.read_text("utf-8").partition("\n")
        except FileNotFoundError:
            return {}
        except (OSError, UnicodeDecodeError):
            head, body = "", ""
        if not head.endswith(_sum(body)):
            self.notes.append(f"{self.path} was damaged: the sources were read in full, and it was written again")
            return {}
        found = json.loads(body) if head.startswith(_FORMAT + " ") else {}
        return dict(found["sources"]) if found.get("ids") == _ids_are_made_so() else {}


def _ids_are_made_so() -> str:
    """Changes when ids are made in another way: then what was found before holds no more."""
    return source_id("a/b.md", "\u00e4 \n\n\tb\r\nc ")


def _sum(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()
