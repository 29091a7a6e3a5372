"""Put a report into a file: whole, or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from ..errors import SwayError


def write(path: Path, text: str) -> None:
    """Write ``text`` to ``path`` under a temporary name beside it, then move it there.

    Raises:
        SwayError: the file cannot be written; ``path`` is as it was.
    """
    temporary = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o666 & ~_umask())
        Path(temporary).replace(path)
    except BaseException as error:  # Ctrl-C leaves no half a file behind either
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        if not isinstance(error, OSError):
            raise
        raise SwayError(f"{path}: cannot write the report: {error.strerror}: choose another path") from error


def _umask() -> int:
    """The process's file mask, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
