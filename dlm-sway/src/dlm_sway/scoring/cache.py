"""Files that keep answers between runs: a key, a value, a checksum of both. What a key means: :mod:`.remembering`."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

SCORES, NULLS = "scores.sqlite3", "nulls.sqlite3"
_OURS: Final = 0x53574159
"""SQLite's application id of these files: ``SWAY`` in ASCII."""
_FORMAT: Final = 1
_MOST_ENTRIES: Final = 1_000_000
_FRESH_NS: Final = 2_000_000_000
"""A file changed this recently may change again without its time showing it."""
_TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS answer (key BLOB PRIMARY KEY, value TEXT NOT NULL, seal BLOB NOT NULL, day INTEGER)"
    " WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS digest (path TEXT PRIMARY KEY, stamp TEXT NOT NULL, sha256 TEXT NOT NULL)",
)


class Unusable(Exception):
    """A cache file that cannot be used; the message says which and why."""


class Facts(NamedTuple):
    """What ``sway cache info`` shows of a file."""

    path: Path
    entries: int
    size: int
    problem: str = ""


def score_file() -> Path:
    """``$SWAY_CACHE_DIR``, else ``$XDG_CACHE_HOME/dlm-sway``, else ``~/.cache/dlm-sway``."""
    if folder := os.environ.get("SWAY_CACHE_DIR"):
        return Path(folder).expanduser() / SCORES
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "dlm-sway" / SCORES


def null_file() -> Path:
    """``$SWAY_NULL_CACHE_DIR``, else beside the others. It holds no path and no name of a machine: copy it anywhere."""
    if folder := os.environ.get("SWAY_NULL_CACHE_DIR"):
        return Path(folder).expanduser() / NULLS
    return score_file().with_name(NULLS)


class CacheFile:
    """Answers by key in one SQLite file, shared by any number of processes.

    An entry whose seal does not fit its key and value is not given out.

    Raises:
        Unusable: the file belongs to something else, is damaged, or cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._explained():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._open = sqlite3.connect(path, timeout=10.0, isolation_level=None)
            try:
                self._prepare()
            except BaseException:
                self._open.close()
                raise

    def get(self, keys: Sequence[bytes]) -> dict[bytes, str]:
        """The values that are there and whole."""
        found: dict[bytes, str] = {}
        with self._explained():
            for at in range(0, len(keys), 500):
                some = keys[at : at + 500]
                marks = ",".join("?" * len(some))
                rows = self._open.execute(f"SELECT key, value, seal FROM answer WHERE key IN ({marks})", some)
                found |= {key: value for key, value, seal in rows if seal == _seal(key, value)}
        return found

    def put(self, values: Mapping[bytes, str]) -> None:
        """Keep ``values``, all or none of them."""
        day = int(time.time() // 86400)
        rows = [(key, value, _seal(key, value), day) for key, value in values.items()]
        with self._explained():
            self._open.execute("BEGIN IMMEDIATE")
            try:
                self._open.executemany("INSERT OR REPLACE INTO answer VALUES (?, ?, ?, ?)", rows)
            except BaseException:
                self._open.execute("ROLLBACK")
                raise
            self._open.execute("COMMIT")

    def digest(self, path: Path) -> str:
        """SHA-256 of a file, read again only when its size, time or inode changed."""
        told = path.stat()
        stamp = f"{told.st_size}:{told.st_mtime_ns}:{told.st_ino}"
        with self._explained():
            row = self._open.execute("SELECT stamp, sha256 FROM digest WHERE path = ?", [str(path)]).fetchone()
        if row and row[0] == stamp:
            return str(row[1])
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if time.time_ns() - told.st_mtime_ns > _FRESH_NS:
            with self._explained():
                self._open.execute("INSERT OR REPLACE INTO digest VALUES (?, ?, ?)", [str(path), stamp, found])
        return found

    def count(self) -> int:
        """How many answers there are."""
        with self._explained():
            return int(self._open.execute("SELECT COUNT(*) FROM answer").fetchone()[0])

    def close(self) -> None:
        """Let go of the file, and of its oldest answers when there are too many."""
        with self._explained():
            if (more := self.count() - _MOST_ENTRIES) > 0:
                oldest = "SELECT key FROM answer ORDER BY day LIMIT ?"
                self._open.execute(f"DELETE FROM answer WHERE key IN ({oldest})", [more + _MOST_ENTRIES // 4])
            self._open.close()

    def _prepare(self) -> None:
        if not self._is_ours():
            # Looking and creating in one transaction: another process may be about to create the same file.
            self._open.execute("BEGIN IMMEDIATE")
            try:
                if not self._is_ours():
                    self._create()
            except BaseException:
                self._open.execute("ROLLBACK")
                raise
            self._open.execute("COMMIT")
        self._open.execute("PRAGMA journal_mode = WAL")
        self._open.execute("PRAGMA synchronous = NORMAL")

    def _is_ours(self) -> bool:
        names = ("application_id", "user_version")
        return tuple(self._open.execute(f"PRAGMA {name}").fetchone()[0] for name in names) == (_OURS, _FORMAT)

    def _create(self) -> None:
        marks = [self._open.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")]
        (tables,) = self._open.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
        if tables or any(marks):
            raise Unusable(f"{self.path}: not a cache of this version of sway, so it is neither read nor written")
        for statement in (*_TABLES, f"PRAGMA application_id = {_OURS}", f"PRAGMA user_version = {_FORMAT}"):
            self._open.execute(statement)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise Unusable(f"{self.path}: cannot be used now: {error}") from error
        except (sqlite3.DatabaseError, OSError) as error:
            raise Unusable(f"{self.path}: damaged or not a cache ({error}); `sway cache clear` removes it") from error


def facts(path: Path) -> Facts | None:
    """What lies at ``path``; ``None`` when nothing does."""
    if not path.exists():
        return None
    size = sum(one.stat().st_size for one in _files(path))
    try:
        file = CacheFile(path)
        entries = file.count()
        file.close()
    except Unusable as error:
        return Facts(path, 0, size, str(error))
    return Facts(path, entries, size)


def remove(path: Path) -> int:
    """Delete the cache at ``path``; how many bytes that freed. Only a file of this name is touched."""
    freed = 0
    for one in _files(path):
        freed += one.stat().st_size
        one.unlink()
    return freed


def _files(path: Path) -> list[Path]:
    return [one for one in (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm"))) if one.exists()]


def _seal(key: bytes, value: str) -> bytes:
    return hashlib.sha256(key + value.encode()).digest()[:16]
