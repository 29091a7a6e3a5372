"""What a run needs to go on after it was stopped: one folder a store, written while the run goes.

A backend fills the folder with its own files; ``checkpoint.json`` beside them says whose they are, at which step, and
what their digests are, and is written last. A folder becomes a checkpoint by one rename, and the one before goes after
that: whoever looks sees the old one or the new one. What it means for a run is told in :mod:`dlm.training.resuming`.
"""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import StoreError
from . import finished
from .encoding import canonical, now
from .files import disk_errors, remove_tree, sha256, sync_folder, sync_tree, told, write_atomic
from .layout import Layout

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .manifest import Manifest
    from .version import Contents

SCHEMA_VERSION = 1
FACTS_FILE = "checkpoint.json"
_NAME = re.compile(r"run-(\d{6,})\.phase-(\d+)\.step-(\d{6,})")
_PARTIAL = re.compile(r"\.run-\d{6,}\.phase-\d+\.step-\d{6,}\.partial-[0-9a-f]+")


@dataclass(frozen=True, order=True)
class Moment:
    """When a checkpoint was taken; later ones are larger."""

    run_id: int
    phase: int
    """Counted from 1."""
    step: int
    """Steps made in that phase; 0 before the first, where only adapters that are :mod:`.finished` are kept."""

    @property
    def name(self) -> str:
        """Of the folder."""
        return f"run-{self.run_id:06d}.phase-{self.phase}.step-{self.step:06d}"


@dataclass(frozen=True)
class Checkpoint:
    """The state of a run between two steps."""

    path: Path
    moment: Moment
    facts: dict[str, Any]
    """``checkpoint.json``."""

    def verify(self) -> None:
        """Check every file against the digest taken when it was written.

        Raises:
            StoreError: a file changed since, or is gone.
        """
        for name, written in sorted(self.facts["files"].items()):
            file = self.path / name
            if not file.is_file() or sha256(file) != written:
                raise StoreError(f"{file} is damaged: the run cannot go on from there; start anew with `dlm train DOC`")
        finished.verify(Layout(self.path.parents[1]), self.facts)


def write(layout: Layout, moment: Moment, fill: Callable[[Path], None], facts: dict[str, Any]) -> Checkpoint:
    """Let ``fill`` write a state into a folder and make it the store's only checkpoint, durable. Hold the lock.

    Raises:
        StoreError: the disk is full or closed to us; the checkpoint before is untouched.
    """
    final = layout.checkpoints / moment.name
    if not final.exists():
        partial = layout.checkpoints / f".{moment.name}.partial-{secrets.token_hex(4)}"
        try:
            _fill(partial, fill, {**facts, "schema_version": SCHEMA_VERSION, "created_at": now()})
        except BaseException:
            if partial.exists():
                remove_tree(partial)
            raise
        with disk_errors(final):
            partial.rename(final)
            sync_folder(final.parent)
    for other in (*(folder for folder in _folders(layout) if folder != final), *finished.unneeded(layout, facts)):
        remove_tree(other)
    return _read(final, moment)


def newest(layout: Layout) -> Checkpoint | None:
    """The latest whole checkpoint; ``None`` without any. Needs no lock."""
    for moment, folder in sorted(((_moment(folder), folder) for folder in _folders(layout)), reverse=True):
        try:
            return _read(folder, moment)
        except StoreError:
            continue
    return None


def may_go_on(found: Checkpoint, manifest: Manifest | None, contents: Contents) -> bool:
    """Whether the run of ``found`` ended without a version, and no later one was committed or rejected since.

    A commit that was cut short may have made a version that the manifest does not know of yet.
    """
    runs = manifest.training_runs if manifest else ()
    ended = [run.run_id for run in runs if run.status in ("ok", "rejected")]
    made = [version.facts.get("run_id") or 0 for version in contents.versions]
    return max([0, *ended, *made]) < found.moment.run_id


def clear(layout: Layout) -> None:
    """Remove whatever lies there, half-written or whole. Hold the lock.

    Raises:
        StoreError: a file cannot be removed.
    """
    if layout.checkpoints.is_dir():
        remove_tree(layout.checkpoints)


def leftovers(layout: Layout) -> list[Path]:
    """Folders that a dead process left half-written, or that a newer checkpoint has taken the place of."""
    if not layout.checkpoints.is_dir():
        return []
    standing = newest(layout)
    half = [folder for folder in sorted(layout.checkpoints.iterdir()) if _PARTIAL.fullmatch(folder.name)]
    others = [folder for folder in _folders(layout) if standing is None or folder != standing.path]
    return half + others + finished.unneeded(layout, standing.facts if standing else None)


def _fill(folder: Path, fill: Callable[[Path], None], facts: dict[str, Any]) -> None:
    with disk_errors(folder):
        folder.mkdir(parents=True)
    with told(folder):
        fill(folder)
    with disk_errors(folder):
        files = {file.name: sha256(file) for file in sorted(folder.iterdir())}
        sync_tree(folder)
        write_atomic(folder / FACTS_FILE, canonical({**facts, "files": files}))


def _folders(layout: Layout) -> list[Path]:
    """Whatever is named like a checkpoint, oldest first."""
    if not layout.checkpoints.is_dir():
        return []
    return sorted((folder for folder in layout.checkpoints.iterdir() if _NAME.fullmatch(folder.name)), key=_moment)


def _moment(folder: Path) -> Moment:
    found = _NAME.fullmatch(folder.name)
    assert found is not None
    return Moment(*map(int, found.groups()))


def _read(folder: Path, moment: Moment) -> Checkpoint:
    try:
        facts = json.loads((folder / FACTS_FILE).read_bytes())
    except (OSError, ValueError, RecursionError) as problem:
        raise StoreError(f"{folder / FACTS_FILE} cannot be read ({problem})") from problem
    known = isinstance(facts, dict) and facts.get("schema_version") == SCHEMA_VERSION
    if not known or not isinstance(facts.get("files"), dict):
        raise StoreError(f"{folder / FACTS_FILE} is of another version of dlm")
    return Checkpoint(folder, moment, facts)
