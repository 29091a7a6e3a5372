"""What a model may be called in Ollama."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dlm.errors import UsageProblem

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST = 128
_PART = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9_-])?"
_NAME = re.compile(rf"(?:{_PART}/)?{_PART}(?::{_PART})?")


def default_name(dlm_id: str, version: str, adapters: Sequence[str] = ()) -> str:
    """``dlm-`` and the document's id, tagged with the version; of named adapters with their names, too."""
    parts = [version, *(re.sub(r"[^A-Za-z0-9_.-]", "-", name) for name in adapters)]
    return f"dlm-{dlm_id.lower()}:{'-'.join(parts)}"


def require_name(name: str) -> str:
    """``name``, if Ollama takes it.

    Raises:
        UsageProblem: it does not; says what it takes.
    """
    if len(name) > LONGEST or ".." in name or not _NAME.fullmatch(name):
        raise UsageProblem(
            f"--name {name!r} is no name for Ollama: write NAME, NAME:TAG or OWNER/NAME:TAG with letters, digits, "
            f"dots, hyphens and underscores, at most {LONGEST} characters"
        )
    return name
