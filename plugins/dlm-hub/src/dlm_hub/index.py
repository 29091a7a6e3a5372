"""``dlm.json``: which files of a repository a push has written, so that the next one takes away what has gone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dlm.share.transport import Parcel

INDEX = "dlm.json"
SCHEMA_VERSION = 1


def index_of(parcel: Parcel, names: Sequence[str]) -> dict[str, Any]:
    """What ``dlm.json`` says after ``parcel`` was pushed as the files ``names``."""
    return {
        "schema_version": SCHEMA_VERSION,
        "pack": parcel.digest,
        "dlm_id": parcel.manifest.dlm_id,
        "version": parcel.manifest.version,
        "files": sorted(names),
    }


def read_index(text: str | None) -> frozenset[str]:
    """The files that it names; none where it is no such file, for then nobody knows whose they are."""
    try:
        found = json.loads(text or "null")
    except (ValueError, RecursionError):
        return frozenset()
    files = found.get("files") if isinstance(found, dict) and found.get("schema_version") == SCHEMA_VERSION else None
    return frozenset(one for one in files if isinstance(one, str)) if isinstance(files, list) else frozenset()
