"""What the untouched base answered when learning reports asked it, so that it is not asked the same again.

One JSON file a document, by a digest of everything that decides an answer. Answers may repeat words of the document:
:func:`take` empties the file when text was removed, and whoever asks next writes back what is still asked.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from .encoding import canonical
from .files import disk_errors, write_atomic

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SCHEMA_VERSION = 1


def read(path: Path) -> dict[str, str]:
    """The answers at ``path``; none when there is no such file or it cannot be understood: they only save time."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    answers = found.get("answers") if isinstance(found, dict) and found.get("schema_version") == SCHEMA_VERSION else {}
    if not isinstance(answers, dict):
        return {}
    return {key: answer for key, answer in answers.items() if isinstance(answer, str)}


def write(path: Path, answers: Mapping[str, str]) -> None:
    """Keep ``answers`` and no others.

    Raises:
        StoreError: the disk is full or closed to us; the file is as it was.
    """
    write_atomic(path, canonical({"schema_version": SCHEMA_VERSION, "answers": dict(answers)}))


def take(path: Path) -> dict[str, str]:
    """The answers at ``path``, which is there no more.

    Raises:
        StoreError: the file cannot be removed.
    """
    found = read(path)
    with disk_errors(path):
        path.unlink(missing_ok=True)
    return found
