"""The tokenised cache: token ids of records, kept between runs. It never changes a result and never fails a run.

A record's tokens are found by everything that decides them: its words, the tokenizer and template of the base, the
system prompt, the lengths. Records are told apart by their words, never by their section. Token ids are text in another
spelling, so every entry says which sections it came from: :func:`retain` removes what is no longer written anywhere.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .files import free_megabytes
from .token_file import (
    BUSY,
    DAMAGED,
    RunFacts,
    Use,
    code,
    lookup,
    set_aside,
    store_run,
)
from .token_file import (
    Overview as Overview,
)
from .token_file import (
    Removed as Removed,
)
from .token_file import (
    Window as Window,
)
from .token_file import (
    clear as clear,
)
from .token_file import (
    overview as overview,
)
from .token_file import (
    prune as prune,
)
from .token_file import (
    retain as retain,
)

if TYPE_CHECKING:
    from pathlib import Path

    from ..corpus.records import Record
    from ..document.frontmatter import Cache
    from .layout import Layout

SWITCH = "DLM_DISABLE_TOKENIZED_CACHE"
DAY = 86_400
IMPATIENT = 1.0
"""Seconds that a run waits for another process before it does without."""
Windows = Sequence[Window]


@dataclass
class CacheStats:
    """One run, in numbers."""

    hits: int = 0
    """Records whose tokens were there."""
    misses: int = 0
    seconds: float = 0.0
    """Spent on tokenising the others."""
    bytes: int = 0
    """Held after the run."""


class TokenCache:
    """The cache as one run sees it. Nothing is written before :meth:`finish`.

    Example, inside a backend's ``encode``::

        scope = digest(tokenizer=..., template=..., system_prompt=..., sequence_len=..., overlap=..., encoder="acme 1")
        for record, windows in zip(records, cache.windows(records, scope, tokenise), strict=True):
            ...

    where ``tokenise`` gives the windows of each of the records it is called with.
    """

    def __init__(self, path: Path, max_bytes: int, not_used_for_days: int) -> None:
        self.stats = CacheStats()
        self.notes: list[str] = []
        """What went wrong, one line each; the run goes on without the cache."""
        self._path, self._max_bytes, self._days = path, max_bytes, not_used_for_days
        self._fresh: dict[bytes, Windows] = {}
        self._uses: set[Use] = set()

    def windows(
        self, records: Sequence[Record], scope: str, tokenise: Callable[[Sequence[Record]], Sequence[Windows]]
    ) -> list[Windows]:
        """The windows of each record; only those that are not known are given to ``tokenise``, in one call."""
        keys = [record_key(record, scope) for record in records]
        known: dict[bytes, Windows] = {key: self._fresh[key] for key in keys if key in self._fresh}
        known |= self._lookup([key for key in dict.fromkeys(keys) if key not in known])
        missing = [at for at, key in enumerate(keys) if key not in known]
        self.stats.hits += len(records) - len(missing)
        self.stats.misses += len(missing)
        started = time.perf_counter()
        made = tokenise([records[at] for at in missing]) if missing else ()
        self.stats.seconds += time.perf_counter() - started
        fresh = {keys[at]: windows for at, windows in zip(missing, made, strict=True)}
        self._fresh |= fresh
        self._uses |= {Use(key, record.section_id) for key, record in zip(keys, records, strict=True)}
        return [known[key] if key in known else fresh[key] for key in keys]

    def finish(self, run_id: int) -> CacheStats:
        """Write down what run ``run_id`` used, and make room. Hold the store's lock."""
        facts = RunFacts(run_id, self.stats.hits, self.stats.misses)
        self._forgiving(lambda: self._store(facts))
        self._fresh, self._uses = {}, set()
        return self.stats

    def _lookup(self, keys: Sequence[bytes]) -> Mapping[bytes, Windows]:
        found: dict[bytes, Windows] = {}
        self._forgiving(lambda: found.update(lookup(self._path, keys, IMPATIENT)))
        return found

    def _store(self, facts: RunFacts) -> None:
        self.stats.bytes = store_run(
            self._path,
            facts,
            self._fresh.items(),
            self._uses,
            max_bytes=self._max_bytes,
            not_used_since=time.time() - self._days * DAY,
            wait=IMPATIENT,
        )

    def _forgiving(self, work: Callable[[], None]) -> None:
        """Do ``work``, or note why the run goes on without it. A damaged file is set aside and begun anew."""
        try:
            work()
        except sqlite3.Error as problem:
            if code(problem) in DAMAGED:
                self._begin_anew(problem)
            elif code(problem) in BUSY:
                self.notes.append("the tokenised cache is in use by another process: this run goes on without it")
            else:
                self.notes.append(self._unusable(problem))
        except OSError as problem:
            self.notes.append(self._unusable(problem))

    def _begin_anew(self, problem: sqlite3.Error) -> None:
        try:
            aside = set_aside(self._path)
        except OSError as refused:
            self.notes.append(self._unusable(refused))
        else:
            self.notes.append(f"the tokenised cache was damaged ({problem}): moved to {aside}, and begun anew")

    def _unusable(self, problem: Exception) -> str:
        free = free_megabytes(self._path)
        return f"the tokenised cache cannot be used ({problem}; {free} MB are free): this run goes on without it"


@contextmanager
def opened(layout: Layout, settings: Cache, *, wanted: bool = True) -> Iterator[TokenCache | None]:
    """The cache of a store for one run; ``None`` when the document, the environment or the caller wants none."""
    if not wanted or unused_because(settings) is not None:
        yield None
    else:
        yield TokenCache(layout.tokens, settings.max_bytes, settings.prune_older_than_days)


def unused_because(settings: Cache) -> str | None:
    """Why training does without the cache; ``None`` when it does not."""
    if os.environ.get(SWITCH) == "1":
        return f"{SWITCH}=1 is set"
    return None if settings.enabled else "training.cache.enabled is false"


def encode_all(
    records: Sequence[Record],
    scope: str,
    tokenise: Callable[[Sequence[Record]], Sequence[Windows]],
    cache: TokenCache | None,
) -> Sequence[Windows]:
    """The windows of each record, through ``cache`` where there is one."""
    return tokenise(records) if cache is None else cache.windows(records, scope, tokenise)


def digest(**decides: str | int | None) -> str:
    """One name for everything but a record's words that decides its tokens."""
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()


def files_digest(files: Iterable[Path]) -> str:
    """SHA-256 over the names and contents of those ``files`` that exist."""
    found = hashlib.sha256()
    for file in sorted(files):
        if file.is_file():
            with file.open("rb") as content:
                found.update(file.name.encode() + b"\0" + hashlib.file_digest(content, "sha256").digest())
    return found.hexdigest()


def record_key(record: Record, scope: str) -> bytes:
    """The key of a record's tokens: what it says, not what kind of record it is or where it stands."""
    words = [scope, [[message.role, message.content] for message in record.messages], record.text, record.title]
    return hashlib.sha256(json.dumps(words, ensure_ascii=False).encode("utf-8", "surrogatepass")).digest()
