"""A base that lies in a folder of the user's (``path:DIR``), and the memory of its digest."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ..errors import BaseModelError
from ..store.encoding import canonical
from ..store.files import disk_errors, write_atomic
from .contents import deciding_files, measure, require_base
from .model import LocalBase

if TYPE_CHECKING:
    from pathlib import Path


def local_folder(key: str, folder: Path, home: Path, *, remember: bool) -> LocalBase:
    """The base in ``folder``. Its digest is taken from memory while names, sizes and times have not changed.

    Raises:
        BaseModelError: ``folder`` cannot be loaded as a base.
    """
    require_base(folder)
    stamp = [[path.name, path.stat().st_size, path.stat().st_mtime_ns] for path in deciding_files(folder)]
    memory = home / "bases" / "digests.json"
    known = _recall(memory)
    entry = known.get(str(folder))
    if isinstance(entry, dict) and entry.get("stamp") == stamp and isinstance(entry.get("digest"), str):
        digest = entry["digest"]
    else:
        digest = measure(folder).digest
        if remember:
            with disk_errors(memory, BaseModelError):
                memory.parent.mkdir(parents=True, exist_ok=True)
            known[str(folder)] = {"stamp": stamp, "digest": digest}
            write_atomic(memory, canonical(known), BaseModelError)
    return LocalBase(key, folder, digest, f"folder {folder}")


def _recall(memory: Path) -> dict[str, Any]:
    """What was remembered; a lost memory costs a second, so a damaged one counts as none."""
    try:
        known = json.loads(memory.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}
