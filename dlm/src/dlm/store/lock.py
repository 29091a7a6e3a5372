"""One writer a document. The operating system holds the lock, so it goes when the process goes, however it ends."""

from __future__ import annotations

import json
import os
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from ..errors import StoreLocked
from .encoding import canonical, now
from .files import disk_errors, write_atomic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .layout import Layout


MOMENT = 0.3
"""Seconds that a writer waits for the lock before it says who holds it."""


@contextmanager
def hold(layout: Layout, purpose: str) -> Iterator[None]:
    """Be the only writer of this store until the block ends.

    Raises:
        StoreLocked: another process is; says which, where, since when, and why.
        StoreError: the store's folder cannot be written.
    """
    # Not 0: somebody who only looks whether the lock is free holds it for a moment.
    lock = FileLock(layout.lock, timeout=MOMENT, poll_interval=0.02)
    with disk_errors(layout.lock):
        layout.root.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire()
        except Timeout:
            raise StoreLocked(_holder(layout)) from None
    try:
        note = {"pid": os.getpid(), "host": socket.gethostname(), "since": now(), "purpose": purpose}
        write_atomic(layout.lock_note, canonical(note))
        yield
    finally:
        layout.lock_note.unlink(missing_ok=True)
        lock.release()


def is_held(layout: Layout) -> bool:
    """Whether somebody is writing just now. Makes no file; a holder on another host is believed.

    The note alone decides nothing: a process that was killed left one.
    """
    try:
        host = json.loads(layout.lock_note.read_text(encoding="utf-8"))["host"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    if host != socket.gethostname():
        return True
    if not layout.lock.exists():
        return False
    lock = FileLock(layout.lock, timeout=0)
    try:
        with lock:
            return False
    except Timeout:
        return True
    except OSError:
        # A folder that is not ours: whoever may write there is believed, too.
        return True


def clear_note(layout: Layout) -> dict[str, Any] | None:
    """Remove what a dead process left about itself; what it said, ``None`` when there was nothing.

    Raises:
        StoreLocked: the lock is held; says by whom. Nobody is stopped.
        StoreError: the note cannot be removed.
    """
    if not layout.lock.exists() and not layout.lock_note.exists():
        return None
    lock = FileLock(layout.lock, timeout=MOMENT, poll_interval=0.02)
    with disk_errors(layout.lock):
        try:
            lock.acquire()
        except Timeout:
            raise StoreLocked(_holder(layout)) from None
    try:
        note = _note(layout)
        with disk_errors(layout.lock_note):
            layout.lock_note.unlink(missing_ok=True)
        return note
    finally:
        lock.release()


def _note(layout: Layout) -> dict[str, Any] | None:
    try:
        note = json.loads(layout.lock_note.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return note if isinstance(note, dict) else None


def _holder(layout: Layout) -> str:
    """The message about whoever holds the lock. The note may be gone: its writer removes it just before unlocking."""
    note = _note(layout) or {}
    try:
        pid, host, since, purpose = (note[key] for key in ("pid", "host", "since", "purpose"))
    except KeyError:
        return f"another process is working on {layout.root}: try again when it has ended"
    stop = f"`kill {pid}`" + ("" if host == socket.gethostname() else f" on {host}")
    return (
        f"`dlm {purpose}` (process {pid} on {host}, since {since}) is working on {layout.root}: wait until it has "
        f"ended, or stop it with {stop}; the lock goes with the process"
    )
