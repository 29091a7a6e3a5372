"""Adapters that a run has trained while others are still to come: kept beside its checkpoint until it commits.

A checkpoint's facts name those that it needs, with their digests; what no checkpoint names is a leftover.
"""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Any

from ..errors import StoreError
from .files import disk_errors, remove_tree, sha256, sync_folder, sync_tree, told

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from .layout import Layout

KEY = "finished"
"""In ``checkpoint.json``: names of adapters, each with its ``folder`` and the digests of its ``files``."""
_NAME = re.compile(r"run-\d{6,}\.adapter-[a-z][a-z0-9_]{0,31}")
_PARTIAL = re.compile(r"\.run-\d{6,}\.adapter-[a-z0-9_]+\.partial-[0-9a-f]+")


def keep(layout: Layout, run_id: int, name: str, fill: Callable[[Path], None]) -> dict[str, Any]:
    """Let ``fill`` write the adapter ``name`` into a folder, durable; what a checkpoint says of it. Hold the lock.

    Raises:
        StoreError: the disk is full or closed to us.
    """
    final = layout.checkpoints / f"run-{run_id:06d}.adapter-{name}"
    partial = layout.checkpoints / f".{final.name}.partial-{secrets.token_hex(4)}"
    try:
        with disk_errors(partial):
            partial.mkdir(parents=True)
        with told(partial):
            fill(partial)
        with disk_errors(final):
            sync_tree(partial)
            partial.rename(final)
            sync_folder(final.parent)
            return {"folder": final.name, "files": _digests(final)}
    except BaseException:
        if partial.exists():
            remove_tree(partial)
        raise


def place(layout: Layout, entry: Mapping[str, Any]) -> Path:
    """Where an adapter lies.

    Raises:
        StoreError: what the checkpoint says of it is damaged.
    """
    name = entry.get("folder")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise StoreError(f"the checkpoint in {layout.checkpoints} is damaged: start anew with `dlm train DOC`")
    return layout.checkpoints / name


def verify(layout: Layout, facts: Mapping[str, Any]) -> None:
    """Check every adapter that a checkpoint's ``facts`` name against its digests.

    Raises:
        StoreError: a file changed since, or is gone.
    """
    for entry in _entries(facts).values():
        folder = place(layout, entry)
        if not folder.is_dir() or _digests(folder) != entry.get("files"):
            raise StoreError(f"{folder} is damaged: the run cannot go on from there; start anew with `dlm train DOC`")


def folders(layout: Layout, facts: Mapping[str, Any]) -> list[Path]:
    """Where the adapters lie that a checkpoint with these ``facts`` names."""
    named = {entry.get("folder") for entry in _entries(facts).values()}
    return [layout.checkpoints / name for name in sorted(n for n in named if isinstance(n, str) and _NAME.fullmatch(n))]


def unneeded(layout: Layout, facts: Mapping[str, Any] | None) -> list[Path]:
    """Folders that a checkpoint with these ``facts`` does not name, whole or half-written."""
    if not layout.checkpoints.is_dir():
        return []
    named = {entry.get("folder") for entry in _entries(facts or {}).values()}
    found = [folder for folder in sorted(layout.checkpoints.iterdir()) if folder.name not in named]
    return [folder for folder in found if _NAME.fullmatch(folder.name) or _PARTIAL.fullmatch(folder.name)]


def _entries(facts: Mapping[str, Any]) -> dict[str, Any]:
    found = facts.get(KEY)
    return found if isinstance(found, dict) else {}


def _digests(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): sha256(path) for path in files}
