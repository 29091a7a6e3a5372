"""The file of the tokenised cache: one SQLite database, whose loss costs time and nothing else.

Who asks for which tokens, and when a run may be kept waiting, lies in :mod:`.tokens`.
"""

from __future__ import annotations

import hashlib
import sqlite3
import struct
import sys
import time
from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from ..errors import StoreError

FORMAT = 1
DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT})
BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
CHECK_BYTES = 8
ENTRY_BYTES = 160
"""What an entry takes beside its tokens: key, digest, section, indexes."""
PATIENT = 10.0
"""Seconds that a command of a person waits for another process."""
_BATCH = 500
_TABLES = """
CREATE TABLE entries (
    id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, used_run INTEGER NOT NULL, used_at REAL NOT NULL,
    value BLOB NOT NULL
);
CREATE INDEX entries_by_use ON entries (used_run, used_at);
CREATE TABLE uses (
    section TEXT NOT NULL, entry INTEGER NOT NULL REFERENCES entries ON DELETE CASCADE, PRIMARY KEY (section, entry)
) WITHOUT ROWID;
CREATE INDEX uses_by_entry ON uses (entry);
CREATE TABLE last_run (
    one INTEGER PRIMARY KEY CHECK (one = 1), number INTEGER NOT NULL, run_id INTEGER, hits INTEGER, misses INTEGER
);
INSERT INTO last_run VALUES (1, 0, NULL, NULL, NULL);
"""


class Window(NamedTuple):
    """Token ids of one row; ``ids[start:]`` carry loss."""

    start: int
    ids: tuple[int, ...]


class Use(NamedTuple):
    """That a record of ``section`` needed the tokens under ``key``."""

    key: bytes
    section: str


class RunFacts(NamedTuple):
    """What the file remembers of a run."""

    run_id: int
    hits: int
    misses: int


class Overview(NamedTuple):
    """The file in numbers."""

    entry_count: int = 0
    bytes: int = 0
    last_run_hit_rate: float | None = None
    last_run_id: int | None = None
    problem: str | None = None


class Removed(NamedTuple):
    """What was taken out."""

    entries: int = 0
    bytes: int = 0


class _Unborn(Exception):
    """The file has no tables yet: somebody is just making them, or died before."""


def lookup(path: Path, keys: Sequence[bytes], wait: float) -> dict[bytes, tuple[Window, ...]]:
    """The windows under those of ``keys`` that are there and whole. A file that does not exist is empty.

    Raises:
        sqlite3.Error: the file is damaged, or busy for longer than ``wait`` seconds.
    """
    if not path.is_file():
        return {}
    found: dict[bytes, tuple[Window, ...]] = {}
    with suppress(_Unborn), _open(path, wait) as database:
        for at in range(0, len(keys), _BATCH):
            batch = keys[at : at + _BATCH]
            marks = ",".join("?" * len(batch))
            rows = database.execute(f"SELECT key, value FROM entries WHERE key IN ({marks})", batch)
            found |= {key: windows for key, value in rows if (windows := unpack(key, value)) is not None}
    return found


def store_run(
    path: Path,
    facts: RunFacts,
    fresh: Iterable[tuple[bytes, Sequence[Window]]],
    uses: Iterable[Use],
    *,
    max_bytes: int,
    not_used_since: float,
    wait: float,
) -> int:
    """Write down what a run used, then let go of what is too old or too much; the bytes that are left.

    What this run used stays, however much it is; of the rest, what was used by the latest runs.

    Raises:
        sqlite3.Error: the file is damaged, busy for longer than ``wait`` seconds, or the disk is full.
        OSError: its folder cannot be made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _open(path, wait, create=True) as database, _transaction(database):
        database.execute("UPDATE last_run SET number = number + 1")
        number = database.execute("SELECT number FROM last_run").fetchone()[0]
        # A checksum that failed is a miss, so a row under that key may be there already.
        database.executemany(
            "INSERT INTO entries (key, used_run, used_at, value) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            ((key, number, time.time(), pack(key, windows)) for key, windows in fresh),
        )
        uses = tuple(uses)
        database.executemany(
            "UPDATE entries SET used_run = ?, used_at = ? WHERE key = ?",
            ((number, time.time(), key) for key in {use.key for use in uses}),
        )
        database.executemany(
            "INSERT OR IGNORE INTO uses (section, entry) SELECT ?, id FROM entries WHERE key = ?",
            ((use.section, use.key) for use in uses),
        )
        database.execute("DELETE FROM entries WHERE used_at < ? AND used_run <> ?", (not_used_since, number))
        left = _evict(database, max_bytes, number)
        database.execute("UPDATE last_run SET run_id = ?, hits = ?, misses = ?", facts)
    return left


def overview(path: Path) -> Overview:
    """The file in numbers. Creates nothing, and says what is wrong instead of raising."""
    if not path.is_file():
        return Overview()
    try:
        with _open(path, 1.0, read_only=True) as database:
            count, size = _size(database)
            run_id, hits, misses = database.execute("SELECT run_id, hits, misses FROM last_run").fetchone()
    except _Unborn:
        return Overview()
    except sqlite3.Error as problem:
        return Overview(problem=f"it cannot be read ({problem}); `dlm cache clear DOC` begins it anew")
    asked = (hits or 0) + (misses or 0)
    return Overview(count, size, hits / asked if asked else None, run_id)


def retain(path: Path, sections: Collection[str], run_id: int, *, let_go: bool) -> Removed:
    """Remove the tokens that none of ``sections`` needs, and overwrite them.

    Records of one section may hold words of another, as a title. So when something is gone, because ``let_go`` says so
    or the file still knows a section that is none of ``sections``, only what the run ``run_id`` used stays.

    Raises:
        StoreError: another process keeps the file busy, or it cannot be written.
    """
    living = frozenset(sections)

    def work(database: sqlite3.Connection) -> None:
        gone = [row for row in database.execute("SELECT DISTINCT section FROM uses") if row[0] not in living]
        database.executemany("DELETE FROM uses WHERE section = ?", gone)
        database.execute("DELETE FROM entries WHERE id NOT IN (SELECT entry FROM uses)")
        if gone or let_go:
            number, last = database.execute("SELECT number, run_id FROM last_run").fetchone()
            # A run that went without the cache does not say what it would have used.
            database.execute("DELETE FROM entries WHERE used_run <> ?", (number if last == run_id else -1,))

    return _remove(path, work, shrink=False)


def prune(path: Path, not_used_since: float) -> Removed:
    """Remove what no run has used since that time, in seconds of the epoch.

    Raises:
        StoreError: as :func:`retain`.
    """
    return _remove(path, lambda database: database.execute("DELETE FROM entries WHERE used_at < ?", (not_used_since,)))


def clear(path: Path) -> Removed:
    """Remove everything.

    Raises:
        StoreError: as :func:`retain`.
    """
    return _remove(path, lambda database: database.execute("DELETE FROM entries"))


def set_aside(path: Path) -> Path:
    """Move a damaged file out of the way; its new name."""
    aside = path.with_name(path.name + ".damaged")
    path.replace(aside)
    path.with_name(path.name + "-journal").unlink(missing_ok=True)
    return aside


def pack(key: bytes, windows: Sequence[Window]) -> bytes:
    """A checksum, then for each window its start, its length and its ids, all as little-endian uint32."""
    numbers = array("I")
    for window in windows:
        numbers.append(window.start)
        numbers.append(len(window.ids))
        numbers.extend(window.ids)
    if sys.byteorder == "big":
        numbers.byteswap()
    body = numbers.tobytes()
    return _check(key, body) + body


def unpack(key: bytes, value: bytes) -> tuple[Window, ...] | None:
    """The windows in ``value``; ``None`` when it is not what was written under ``key``."""
    check, body = value[:CHECK_BYTES], value[CHECK_BYTES:]
    if check != _check(key, body) or len(body) % 4:
        return None
    numbers = struct.unpack(f"<{len(body) // 4}I", body)
    windows, at = [], 0
    while at < len(numbers):
        start, length = numbers[at : at + 2]
        windows.append(Window(start, numbers[at + 2 : at + 2 + length]))
        at += 2 + length
    return tuple(windows)


def _check(key: bytes, body: bytes) -> bytes:
    return hashlib.sha256(key + body).digest()[:CHECK_BYTES]


def _remove(path: Path, work: Callable[[sqlite3.Connection], object], *, shrink: bool = True) -> Removed:
    path.with_name(path.name + ".damaged").unlink(missing_ok=True)
    if not path.is_file():
        return Removed()
    try:
        with _open(path, PATIENT) as database:
            with _transaction(database):
                before = _size(database)
                work(database)
                after = _size(database)
            if shrink:
                database.execute("VACUUM")
    except _Unborn:
        return Removed()
    except sqlite3.Error as problem:
        if code(problem) not in DAMAGED:
            raise StoreError(
                f"{path} cannot be written ({problem}): when no other dlm works on this document any more, run "
                "`dlm cache clear DOC`"
            ) from problem
        set_aside(path).unlink()
        return Removed()
    return Removed(before[0] - after[0], before[1] - after[1])


def _evict(database: sqlite3.Connection, max_bytes: int, protected: int) -> int:
    """Delete the longest unused entries until ``max_bytes`` are left, but none of the run ``protected``."""
    left = _size(database)[1]
    gone = []
    oldest = database.execute(
        "SELECT id, length(value) FROM entries WHERE used_run <> ? ORDER BY used_run, used_at, id", (protected,)
    )
    for entry, size in oldest:
        if left <= max_bytes:
            break
        gone.append((entry,))
        left -= size + ENTRY_BYTES
    database.executemany("DELETE FROM entries WHERE id = ?", gone)
    return left


def _size(database: sqlite3.Connection) -> tuple[int, int]:
    count, payload = database.execute("SELECT count(*), coalesce(sum(length(value)), 0) FROM entries").fetchone()
    return count, payload + count * ENTRY_BYTES


def code(problem: sqlite3.Error) -> int:
    """SQLite's primary result code."""
    return getattr(problem, "sqlite_errorcode", 0) & 0xFF


@contextmanager
def _open(path: Path, wait: float, *, create: bool = False, read_only: bool = False) -> Iterator[sqlite3.Connection]:
    mode = "ro" if read_only else "rwc" if create else "rw"
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    with closing(sqlite3.connect(uri, uri=True, timeout=wait, isolation_level=None)) as database:
        database.execute("PRAGMA foreign_keys = ON")
        # What is forgotten is overwritten, not only unlinked.
        database.execute("PRAGMA secure_delete = ON")
        database.execute("PRAGMA synchronous = NORMAL")
        _require_format(path, database, create=create)
        yield database


def _require_format(path: Path, database: sqlite3.Connection, *, create: bool) -> None:
    found = database.execute("PRAGMA user_version").fetchone()[0]
    if found == 0:
        if not create:
            raise _Unborn
        with _transaction(database):
            # Another process may have been faster.
            if database.execute("PRAGMA user_version").fetchone()[0] == 0:
                for statement in _TABLES.split(";"):
                    database.execute(statement)
                database.execute(f"PRAGMA user_version = {FORMAT}")
    elif found != FORMAT:
        problem = sqlite3.DatabaseError(f"{path.name} is of format {found}, this dlm writes {FORMAT}")
        problem.sqlite_errorcode = sqlite3.SQLITE_FORMAT
        raise problem


@contextmanager
def _transaction(database: sqlite3.Connection) -> Iterator[None]:
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")
