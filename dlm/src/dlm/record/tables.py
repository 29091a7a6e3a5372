"""``metrics.db``: its tables, and how it is opened. Names of the trainer before this one are kept where it had them.

A reader never creates a file. While a run writes, the journal is a write-ahead log, so readers neither wait nor are
waited for; between runs it is not, because SQLite cannot look at such a file without making two more beside it.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ..store.layout import Layout

FORMAT = 3
PRIOR_NAME = "metrics.sqlite"
DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT})
WRITER_WAITS = 0.5
"""Seconds that a training is held up by somebody else's write."""
READER_WAITS = 5.0
_WRITE_AHEAD = 2
_TABLES = """
CREATE TABLE IF NOT EXISTS runs (
    run_id INTEGER PRIMARY KEY, started_at TEXT NOT NULL, ended_at TEXT, adapter_version INTEGER, phase TEXT,
    seed INTEGER, status TEXT NOT NULL, message TEXT, base_model TEXT, device TEXT, precision TEXT,
    steps INTEGER, tokens INTEGER, seconds REAL, early_stopped INTEGER, warm_from INTEGER, resumed_from INTEGER,
    adapters TEXT
);
CREATE TABLE IF NOT EXISTS phases (
    run_id INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, number INTEGER NOT NULL, phase TEXT NOT NULL,
    steps INTEGER NOT NULL, tokens INTEGER NOT NULL, started_at TEXT NOT NULL, adapter TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (run_id, number)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS steps (
    run_id INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, phase TEXT NOT NULL, step INTEGER NOT NULL,
    loss REAL, anchor_kl REAL, lr REAL, grad_norm REAL, tokens INTEGER, tokens_per_sec REAL, seconds REAL,
    at TEXT NOT NULL, adapter TEXT NOT NULL DEFAULT '', PRIMARY KEY (run_id, adapter, phase, step)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS evals (
    run_id INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, phase TEXT NOT NULL, step INTEGER NOT NULL,
    val_loss REAL, perplexity REAL, recall REAL, accuracy REAL, margin REAL, best INTEGER, at TEXT NOT NULL,
    held_out_prose_loss REAL, held_out_answer_loss REAL, adapter TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (run_id, adapter, phase, step)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tokenization (
    run_id INTEGER PRIMARY KEY REFERENCES runs ON DELETE CASCADE, total_sections INTEGER, cache_hits INTEGER,
    cache_misses INTEGER, total_tokenize_seconds REAL, cache_bytes_after INTEGER, at TEXT NOT NULL
);
"""
_ADDED = {2: {"evals": ("held_out_prose_loss", "held_out_answer_loss")}}
"""Columns that a format brought to tables of earlier ones; they hold numbers."""
_NAMED = 3
"""The format that can tell adapters apart."""
_BEFORE_NAMES = {
    "steps": "run_id, phase, step, loss, anchor_kl, lr, grad_norm, tokens, tokens_per_sec, seconds, at",
    "evals": "run_id, phase, step, val_loss, perplexity, recall, accuracy, margin, best, at, held_out_prose_loss, "
    "held_out_answer_loss",
}
"""Tables whose keys the names are part of, with the columns that they had."""


def open_for_writing(path: Path) -> sqlite3.Connection:
    """The database at ``path``, made where there is none. End with :func:`close_after_writing`.

    Raises:
        sqlite3.Error: it is damaged, of a newer dlm, busy, or the disk is full or closed to us.
    """
    database = sqlite3.connect(path, timeout=WRITER_WAITS, isolation_level=None)
    try:
        found = database.execute("PRAGMA user_version").fetchone()[0]
        if found > FORMAT:
            raise sqlite3.NotSupportedError(f"format {found} is of a newer dlm, this one writes {FORMAT}")
        database.execute("PRAGMA journal_mode = WAL")
        # A crash of the machine may cost the last steps of the record, never the file.
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute("PRAGMA foreign_keys = ON")
        if found < FORMAT:
            before, after = ("".join(_added(found)), "".join(_moved(found))) if found else ("", "")
            database.executescript(f"BEGIN IMMEDIATE; {before}{_TABLES}{after} PRAGMA user_version = {FORMAT}; COMMIT;")
    except BaseException:
        database.close()
        raise
    return database


def _added(found: int) -> Iterator[str]:
    """What a database of the format ``found`` lacks."""
    for tables in (tables for later, tables in _ADDED.items() if later > found):
        for table, columns in tables.items():
            yield from (f"ALTER TABLE {table} ADD COLUMN {column} REAL; " for column in columns)
    if found < _NAMED:
        yield "ALTER TABLE runs ADD COLUMN adapters TEXT; "
        yield "ALTER TABLE phases ADD COLUMN adapter TEXT NOT NULL DEFAULT ''; "
        # A key cannot be changed: the rows move into tables that have the new one.
        yield from (f"ALTER TABLE {table} RENAME TO {table}_before; " for table in _BEFORE_NAMES)


def _moved(found: int) -> Iterator[str]:
    """The rows of tables that were made anew."""
    if found < _NAMED:
        for table, columns in _BEFORE_NAMES.items():
            yield f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {table}_before; DROP TABLE {table}_before; "


def close_after_writing(database: sqlite3.Connection) -> None:
    """Put everything into the one file, where nobody is reading just now, and close it.

    Raises:
        sqlite3.Error: the disk is full or closed to us; what was committed is safe.
    """
    try:
        database.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.OperationalError as problem:
        if problem.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise
    finally:
        database.close()


@contextmanager
def open_for_reading(path: Path) -> Iterator[sqlite3.Connection]:
    """The database at ``path``; no file is created or changed.

    Raises:
        StoreError: it is damaged, or cannot be read; says what can be done.
    """
    try:
        database = sqlite3.connect(_uri(path), uri=True, timeout=READER_WAITS)
        try:
            database.row_factory = _by_name
            yield database
        finally:
            database.close()
    except (sqlite3.Error, OSError) as problem:
        raise StoreError(
            f"{path} cannot be read ({problem}). The versions and logs beside it are untouched: move it away with "
            f"`mv '{path}' '{path}.damaged'`; `dlm metrics` then reads the logs, the next `dlm train` begins a new one"
        ) from problem


def readable(layout: Layout) -> tuple[Path, ...]:
    """The databases of a store that exist: ours, then that of the trainer before this one."""
    return tuple(path for path in (layout.metrics, layout.root / PRIOR_NAME) if path.is_file())


def _by_name(cursor: sqlite3.Cursor, row: tuple[Any, ...]) -> dict[str, Any]:
    return {column[0]: value for column, value in zip(cursor.description, row, strict=True)}


def _uri(path: Path) -> str:
    """Read only. A file in write-ahead mode without its log has no writer: opened as it lies, it needs no others."""
    with path.open("rb") as file:
        header = file.read(20)
    at_rest = header[18:19] == bytes([_WRITE_AHEAD]) and not path.with_name(f"{path.name}-wal").exists()
    return f"{path.absolute().as_uri()}?mode=ro{'&immutable=1' if at_rest else ''}"
