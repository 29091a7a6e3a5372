"""Which warm backend may answer a suite: one that was made from the same words and loaded the same bytes."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

    from dlm_sway import Backend

_FRESH_NS: Final = 2_000_000_000
"""A file changed this recently may change again without its time showing it."""
_NOT_FOR_BACKENDS: Final = {"alpha", "concurrent_probes", "coverage_threshold", "multiplicity", "score_weights"}
"""Keys of the suite's defaults that only say what becomes of numbers."""


class Digests:
    """SHA-256 of files, read again only when size, times or inode changed. Shared by threads."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[tuple[int, ...], str]] = {}
        self._lock = threading.Lock()

    def __call__(self, path: Path) -> str:
        """The digest of the file ``path``.

        Raises:
            OSError: it cannot be read.
        """
        told = path.stat()
        stamp = (told.st_size, told.st_mtime_ns, told.st_ctime_ns, told.st_ino)
        with self._lock:  # two requests that need the same large file read it once
            if self._known.get(path, ((), ""))[0] == stamp:
                return self._known[path][1]
            with path.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
            if time.time_ns() - told.st_mtime_ns > _FRESH_NS:
                self._known[path] = (stamp, found)
            return found


def content_key(backend: Backend, digests: Digests) -> str | None:
    """Of the models' names and paths, their files' digests, and what of the defaults a backend may go by.

    Paths belong to it: a backend may read a file again later, and then it has to be the one that was asked about.
    ``None`` for a backend that cannot say what decides its numbers, and so cannot be shared.

    Raises:
        SwayError: the models are not there.
    """
    identity = backend.identity(digests)
    if identity is None:
        return None
    named = {side: getattr(backend.models, side).model_dump(mode="json") for side in ("base", "ft")}
    defaults = backend.defaults.model_dump(mode="json", exclude=_NOT_FOR_BACKENDS)
    whole = json.dumps([type(backend).__qualname__, named, defaults, asdict(identity)], sort_keys=True, default=str)
    return hashlib.sha256(whole.encode()).hexdigest()
