"""Key files: a private one is never anybody else's to read, not even while it is written."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

from dlm.errors import SigningFailed
from dlm.store.files import disk_errors, sync_folder, write_atomic

if TYPE_CHECKING:
    from pathlib import Path

LARGEST_KEY = 2**16


def write_pair(private: Path, secret: bytes, public: Path, text: str) -> None:
    """Write both files of a new pair; the private one with mode 600.

    Raises:
        SigningFailed: there is a private key already, or the disk is full or closed to us.
    """
    temporary = private.with_name(f".{private.name}.{secrets.token_hex(4)}.tmp")
    with disk_errors(private, SigningFailed):
        try:
            with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(secret)
                file.flush()
                os.fsync(file.fileno())
            os.link(temporary, private)
        except FileExistsError as problem:
            raise SigningFailed(f"{private} is there already, and no key is ever replaced") from problem
        finally:
            temporary.unlink(missing_ok=True)
        sync_folder(private.parent)
    write_atomic(public, text, SigningFailed)


def read_private(path: Path) -> bytes:
    """The content of a private key's file.

    Raises:
        SigningFailed: it cannot be read, or is too large for a key.
    """
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_KEY + 1)
    except OSError as problem:
        raise SigningFailed(f"cannot read the key {path}: {problem.strerror or problem}") from problem
    if len(data) > LARGEST_KEY:
        raise SigningFailed(f"{path} is larger than any key: name a private key with --key")
    return data


def password_needed(path: Path) -> SigningFailed:
    """The error about a locked key."""
    return SigningFailed(f"{path} asks for a password: give it with --password-stdin or in DLM_SIGN_PASSWORD")


def wrong_password(path: Path) -> SigningFailed:
    """The error about a key that stays locked."""
    return SigningFailed(f"the password of {path} is another one: nothing was signed")
