"""Waiting until something was saved and nothing more is written. Knows files, not documents."""

from __future__ import annotations

import queue
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Self

from ..errors import DlmError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .state import Places

LONGEST = 10
"""So many times the settling time is waited at most: a file that is written without end is taken as it is."""
AWAKE_MS = 100
"""How often a waiting thread sees whether it is still wanted."""


class CannotWatch(DlmError):
    """The system gives no news of these files."""


class Saves:
    """Collects changes from the moment it is entered, also while nobody waits for them. A context manager.

    Raises:
        CannotWatch: on entering or waiting; the system has no more watches to give, or a folder is closed to us.
    """

    def __init__(self, places: Places, settle_ms: int, never: Path | None = None) -> None:
        """Changes below ``never`` are not told."""
        self._files, self._folders, self._trees = places.files, places.folders, tuple(sorted(places.trees))
        self._settle, self._never = settle_ms, never
        self._stop = threading.Event()
        self._found: queue.SimpleQueue[frozenset[Path] | Exception] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._start(self._folders, self._is_file, recursive=False)
        if self._trees:
            self._start(self._trees, self._is_text, recursive=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def wait(self, seconds: float | None = None) -> frozenset[Path]:
        """The files that have changed, once they have settled; none when that takes longer than ``seconds``."""
        try:
            changed = set(self._next(seconds))
        except queue.Empty:
            return frozenset()
        while not self._found.empty():
            changed |= self._next(0)
        return frozenset(changed)

    def _next(self, seconds: float | None) -> frozenset[Path]:
        found = self._found.get(timeout=seconds)
        if isinstance(found, Exception):
            raise CannotWatch(
                f"the system gives no news of {', '.join(map(str, (*self._folders, *self._trees)))} ({found}): "
                "WATCHFILES_FORCE_POLLING=1 in the environment looks at the files instead"
            ) from found
        return found

    def _start(self, places: Sequence[Path], wanted: Callable[[Path], bool], *, recursive: bool) -> None:
        live = threading.Event()
        arguments = (places, wanted, recursive, live)
        thread = threading.Thread(target=self._watch, args=arguments, name="dlm-saves", daemon=True)
        self._threads.append(thread)
        thread.start()
        live.wait()

    def _watch(
        self, places: Sequence[Path], wanted: Callable[[Path], bool], recursive: bool, live: threading.Event
    ) -> None:
        from watchfiles import watch

        changes = watch(
            *places,
            watch_filter=lambda _, name: wanted(Path(name)),
            debounce=LONGEST * self._settle,
            step=self._settle,
            rust_timeout=AWAKE_MS,
            yield_on_timeout=True,
            stop_event=self._stop,
            recursive=recursive,
        )
        try:
            for found in changes:
                live.set()
                if found:
                    self._found.put(frozenset(Path(name) for _, name in found))
        except Exception as problem:  # in another thread nobody would hear of it
            self._found.put(problem)
        finally:
            live.set()

    def _is_file(self, path: Path) -> bool:
        return path in self._files

    def _is_text(self, path: Path) -> bool:
        return self._never is None or not path.is_relative_to(self._never)
