"""``$DLM_HOME/serving/ID``: what a server needs to be the same one when it is started again. Its owner's alone.

``secret`` writes tickets, ``identity.pem`` is the key and the certificate, ``tickets.log`` says which tickets were
given out and used, ``spool`` holds what is served while it is.
"""

from __future__ import annotations

import secrets
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dlm.errors import StoreError, UsageProblem
from dlm.store.files import disk_errors, replacing
from dlm.store.layout import store_layout

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECRET = "secret"
IDENTITY = "identity.pem"
TICKETS = "tickets.log"
SPOOL = "spool"


@contextmanager
def opened(home: Path, dlm_id: str) -> Iterator[Path]:
    """The folder, which no other server of this document has; its spool is empty, and gone at the end.

    Raises:
        UsageProblem: another process serves this document.
        StoreError: the disk is full or closed to us.
    """
    from filelock import FileLock, Timeout

    store_layout(home, dlm_id)
    place = home / "serving" / dlm_id
    with disk_errors(place):
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        place.chmod(0o700)
    lock = FileLock(place / ".lock", timeout=0)
    with disk_errors(place):
        try:
            lock.acquire()
        except Timeout as problem:
            raise UsageProblem(
                f"{dlm_id} is being served already, by another `dlm serve` under this DLM_HOME: stop that one first"
            ) from problem
    try:
        _empty(place / SPOOL)
        yield place
    finally:
        shutil.rmtree(place / SPOOL, ignore_errors=True)
        lock.release()


def write_private(path: Path, data: bytes) -> None:
    """Replace ``path`` in one step with ``data``, for its owner alone.

    Raises:
        StoreError: the disk is full or closed to us.
    """
    with replacing(path, mode=0o600) as file:
        file.write(data)


def secret_of(place: Path) -> bytes:
    """32 bytes that the server's tickets are written with, made when there are none.

    Raises:
        StoreError: the file is damaged.
    """
    path = place / SECRET
    with disk_errors(path):
        if not path.exists():
            write_private(path, secrets.token_hex(32).encode() + b"\n")
        path.chmod(0o600)
        try:
            found = bytes.fromhex(path.read_text(encoding="ascii"))
        except ValueError:
            found = b""
    if len(found) != 32:
        raise StoreError(f"{path} is damaged: remove it. Tickets that were given out are worth nothing then")
    return found


def _empty(folder: Path) -> None:
    with disk_errors(folder):
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(mode=0o700)
