"""``dlm.json``: which files of a repository a push has written, so that the next one takes away what has gone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dlm.share.transport import Parcel

INDEX = "dlm.json"
SCHEMA_VERSION = 1
_OTHERS = frozenset({"README.md", ".gitattributes"})
"""Never taken away."""


def index_of(parcel: Parcel, names: Sequence[str]) -> dict[str, Any]:
    """What ``dlm.json`` says after ``parcel`` was pushed as the files ``names``."""
    return {
        "schema_version": SCHEMA_VERSION,
        "pack": parcel.digest,
        "dlm_id": parcel.manifest.dlm_id,
        "version": parcel.manifest.version,
        "files": sorted(names),
    }


class Index(NamedTuple):
    """What a repository says of the last push."""

    dlm_id: str | None = None
    """``None`` where none was made, or nobody can tell."""
    files: frozenset[str] = frozenset()
    """That it wrote, but for the card."""


def read_index(text: str | None) -> Index:
    """What ``text``, that of ``dlm.json``, says; nothing where it is no such file."""
    try:
        found = json.loads(text or "null")
    except (ValueError, RecursionError):
        return Index()
    if not isinstance(found, dict) or found.get("schema_version") != SCHEMA_VERSION:
        return Index()
    whose, files = found.get("dlm_id"), found.get("files")
    names = frozenset(one for one in files if isinstance(one, str)) if isinstance(files, list) else frozenset()
    return Index(whose if isinstance(whose, str) else None, names - _OTHERS)
