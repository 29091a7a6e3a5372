"""What exports need not make twice, kept by what it was made of: ``$DLM_HOME/cache/export``.

A file is found by the digest of everything that decides its bytes, so it is right or not there: nothing has to be
thrown away when a base, an adapter or a tool changes. It is written beside its place and renamed when it is whole; its
own digest lies beside it, and one that no longer matches is made anew. ``dlm gc --all`` removes what was not used for
a month.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from filelock import FileLock, Timeout

from ..errors import ExportFailed
from ..store.encoding import canonical, now
from ..store.files import disk_errors, sha256, sync_folder, write_atomic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

MONTH = 30 * 86_400
"""Seconds without use after which a file goes."""
CARD = ".json"
"""Ends the name of the file that says what another was made of."""
_KEY = re.compile(r"[0-9a-f]{32}")
_PARTIAL = re.compile(r"\.[0-9a-f]{32}\.partial-[0-9a-f]{8}.*")


class Kept(NamedTuple):
    """One file of the cache."""

    path: Path
    kind: str
    bytes: int
    used: float
    """When it was last used, in seconds since 1970."""


def kept(
    cache: Path,
    kind: str,
    made_of: Mapping[str, Any],
    make: Callable[[Path], None],
    say: Callable[[str], None] = lambda _: None,
    *,
    suffix: str = "",
) -> Path:
    """The file that ``make`` writes, made once for each content of ``made_of``.

    ``kind`` is a word for people and a folder: files of two kinds are never taken for one another. ``made_of`` holds
    whatever decides the bytes: digests of the base and of the adapters with their weights, the quant, the version of
    the tool. ``make`` is given the path to write, which does not exist yet and ends in ``suffix``. Another process that
    makes the same file is waited for.

    Example::

        path = kept(
            request.cache,
            "base-gguf",
            {"base": request.base.digest, "quant": "F16", "dlm-gguf": VERSION},
            lambda file: convert(request.base.path, file),
            request.say,
            suffix=".gguf",
        )

    Raises:
        ExportFailed: the disk is full or closed to us. Whatever ``make`` raises passes through.
    """
    key = hashlib.sha256(canonical(made_of).encode()).hexdigest()[:32]
    folder = cache / kind
    final = folder / f"{key}{suffix}"
    with disk_errors(folder, ExportFailed):
        folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder / f".{key}.lock", say):
        _remove_leftovers(folder, key)
        if not _whole(final):
            _make(final, key, made_of, make)
        with suppress(OSError):
            os.utime(_card(final))
    return final


def entries(cache: Path) -> list[Kept]:
    """Every whole file, the one used last first. Writes nothing."""
    found = []
    for card in sorted(cache.glob(f"*/*{CARD}")):
        with suppress(OSError, ValueError, KeyError, TypeError):
            path = card.parent / json.loads(card.read_text(encoding="utf-8"))["file"]
            found.append(Kept(path, card.parent.name, path.stat().st_size, card.stat().st_mtime))
    return sorted(found, key=lambda one: (-one.used, str(one.path)))


def removable(cache: Path, older_than: float = MONTH) -> list[tuple[Path, str]]:
    """What may go, each with the reason: files that nobody used for ``older_than`` seconds, and what a dead process
    left. Nothing that is being written."""
    oldest = time.time() - older_than
    stale = [(one.path, f"not used for {_days(time.time() - one.used)}") for one in entries(cache) if one.used < oldest]
    named = {one.path for one in entries(cache)} | {_card(one.path) for one in entries(cache)}
    left = [
        (path, "left by a process that died")
        for path in sorted(cache.glob("*/*"))
        if path not in named and _is_ours(path) and not _busy(path.parent / f".{_key_of(path)}.lock")
    ]
    return [*stale, *left]


def remove(path: Path) -> None:
    """Remove a file of the cache, and what is said of it.

    Raises:
        StoreError: it cannot be removed.
    """
    with disk_errors(path):
        for one in (_card(path), path):
            if one.is_dir():
                shutil.rmtree(one)
            else:
                one.unlink(missing_ok=True)


def _make(final: Path, key: str, made_of: Mapping[str, Any], make: Callable[[Path], None]) -> None:
    partial = final.with_name(f".{key}.partial-{secrets.token_hex(4)}{''.join(final.suffixes)}")
    try:
        make(partial)
        with disk_errors(final, ExportFailed):
            _card(final).unlink(missing_ok=True)
            with partial.open("rb") as file:
                os.fsync(file.fileno())
            facts = {"file": final.name, "sha256": sha256(partial), "bytes": partial.stat().st_size}
            partial.rename(final)
            sync_folder(final.parent)
        write_atomic(_card(final), canonical({**facts, "made_of": made_of, "created_at": now()}), ExportFailed)
    finally:
        partial.unlink(missing_ok=True)


def _whole(path: Path) -> bool:
    """Whether ``path`` is what was written there."""
    try:
        card = json.loads(_card(path).read_text(encoding="utf-8"))
        return bool(path.stat().st_size == card["bytes"] and sha256(path) == card["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        return False


@contextmanager
def _alone(file: Path, say: Callable[[str], None]) -> Iterator[None]:
    lock = FileLock(file)
    with disk_errors(file, ExportFailed):
        try:
            lock.acquire(timeout=0)
        except Timeout:
            say("another process is making the same file: waiting for it")
            lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _busy(lock: Path) -> bool:
    if not lock.exists():
        return False
    try:
        with FileLock(lock, timeout=0):
            return False
    except Timeout:
        return True


def _remove_leftovers(folder: Path, key: str) -> None:
    """Of processes that died while they made this file; its lock is ours."""
    with disk_errors(folder, ExportFailed):
        for path in folder.glob(f".{key}.partial-*"):
            path.unlink(missing_ok=True)


def _card(path: Path) -> Path:
    return path.with_name(path.name + CARD)


def _is_ours(path: Path) -> bool:
    return bool(_PARTIAL.fullmatch(path.name) or _KEY.match(path.name))


def _key_of(path: Path) -> str:
    return path.name.lstrip(".")[:32]


def _days(seconds: float) -> str:
    return f"{seconds / 86_400:.0f} days"
