"""Putting a document on the disk, whole or not at all."""

from __future__ import annotations

import os
import secrets
import shlex
from pathlib import Path

from ..errors import DlmError, UsageProblem


def write_new(path: Path, text: str, *, replace: bool = False) -> None:
    """Write ``text`` to ``path``, so that nobody ever sees half of it.

    Raises:
        UsageProblem: there is something at ``path`` and ``replace`` is not set, or its folder does not exist.
        DlmError: the disk is full or may not be written to; nothing has changed.
    """
    if not path.parent.is_dir():
        folder = shlex.quote(str(path.parent))
        raise UsageProblem(f"{path}: the folder {path.parent} does not exist; make it with: mkdir -p {folder}")
    if path.is_dir():
        raise UsageProblem(f"{path}: this is a folder; name a file in it, for example {path / 'new.dlm'}")
    if path.exists() and not replace:
        raise UsageProblem(f"{path}: this file exists; choose another name, or add --force to replace it")
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        _write(temporary, text)
        temporary.replace(path)
    except OSError as error:
        raise DlmError(f"{path}: cannot be written ({error.strerror}); nothing has changed there") from error
    finally:
        temporary.unlink(missing_ok=True)


def _write(path: Path, text: str) -> None:
    with path.open("xb") as file:
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())
