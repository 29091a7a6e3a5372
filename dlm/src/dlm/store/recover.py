"""Putting a store right after a process died in it. Runs under the lock, before anything else is written.

What the folders say counts; the pointer and the manifest are made to agree with them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import StoreError
from . import checkpoint, lock_file
from . import version as reading
from .files import disk_errors, remove_tree, write_atomic
from .layout import VERSIONS, parse_rejected, version_name
from .ledger import LEDGER_FILE, put_in_place
from .manifest import Manifest, fresh, load
from .summary import current_keys, new_run, run_numbers

if TYPE_CHECKING:
    from pathlib import Path

    from .layout import Layout
    from .version import Contents, Version

DIED = "the process ended without a word: it was killed, or the machine stopped"
REBUILT = "written again from the version: the manifest was missing"


class Recovered(NamedTuple):
    """A store in order. The manifest is not yet written."""

    manifest: Manifest
    contents: Contents
    notes: tuple[str, ...]
    """One line for people about everything that was put right."""


def recover(layout: Layout, dlm_id: str) -> Recovered:
    """Remove leftovers, adopt a version whose commit was cut short, and close runs nobody is running.

    Raises:
        StoreError: the manifest is damaged, or the disk cannot be written.
    """
    manifest = load(layout.manifest)
    notes = _remove_leftovers(layout)
    found = reading.contents(layout)
    if manifest is None:
        manifest = _rebuilt(dlm_id, found, notes)
    manifest, adopted = _close_runs(manifest, found, notes)
    current = _settle_pointer(layout, found, adopted, notes)
    lock_file.put_in_place(layout, current)
    _settle_ledger(layout, found, notes)
    _settle_checkpoint(layout, manifest, found, notes)
    manifest = manifest.model_copy(update=current_keys(current))
    return Recovered(manifest, found, tuple(notes))


def point(layout: Layout, number: int) -> None:
    """Make a version the current one: the single step that readers see."""
    write_atomic(layout.pointer, f"{VERSIONS}/{version_name(number)}\n")


def _remove_leftovers(layout: Layout) -> list[str]:
    notes = []
    for folder in reading.contents(layout).partial:
        remove_tree(folder)
        notes.append(f"removed {folder.name}, left half-written by a run that died")
    for leftover in temporary(layout):
        leftover.unlink(missing_ok=True)
    return notes


def temporary(layout: Layout) -> list[Path]:
    """Files that a process died over before it had put them in place."""
    places = (layout.root, layout.adapter, layout.replay, layout.logs)
    return [path for place in places for path in sorted(place.glob(".*.tmp"))]


def _close_runs(manifest: Manifest, found: Contents, notes: list[str]) -> tuple[Manifest, Version | None]:
    """Give every run still marked running its true end; the newest version that one of them had completed."""
    made = {version.facts.get("run_id"): version for version in found.versions}
    refused = {_run_of(folder, notes): folder for folder in found.rejected}
    adopted = None
    for run in manifest.training_runs:
        if run.status != "running":
            continue
        if (version := made.get(run.run_id)) is not None and _whole(version, notes):
            adopted = version
            end = {"status": "ok", "adapter_version": version.number, **run_numbers(version.facts)}
        elif (folder := refused.get(run.run_id)) is not None:
            end = {"status": "rejected", "adapter_version": parse_rejected(folder.name), "message": DIED}
        else:
            end = {"status": "failed", "message": DIED}
        notes.append(f"run {run.run_id} had not ended properly: now marked {end['status']}")
        manifest = manifest.with_run(run.model_copy(update={"ended_at": datetime.now(UTC), **end}))
    return manifest, adopted


def _settle_pointer(layout: Layout, found: Contents, adopted: Version | None, notes: list[str]) -> Version | None:
    """The current version, after moving the pointer where it names nothing or an older one than was just adopted."""
    try:
        current = reading.current(layout)
    except StoreError as problem:
        notes.append(str(problem))
        current = None
    if current is not None and (adopted is None or adopted.number <= current.number):
        return current
    wanted = adopted or next((version for version in reversed(found.versions) if _whole(version, notes)), None)
    if wanted is not None:
        point(layout, wanted.number)
        notes.append(f"{wanted.name} is whole and was not yet current: now it is")
    return wanted


def _settle_ledger(layout: Layout, found: Contents, notes: list[str]) -> None:
    """Move the ledger of a commit that was cut short into place. One beside weights that are not whole goes: nothing
    was trained by it, and it may hold text."""
    newest_first = [version.path for version in reversed(found.versions) if (version.path / LEDGER_FILE).is_file()]
    sound = {version.path for version in found.versions if version.path in newest_first and _whole(version, notes)}
    with disk_errors(layout.ledger):
        for folder in [path for path in newest_first if path in sound][:1]:
            put_in_place(layout, folder)
            notes.append(f"the ledger of {folder.name} was not yet in its place: now it is")
        for folder in (*newest_first, *found.damaged):
            (folder / LEDGER_FILE).unlink(missing_ok=True)


def _settle_checkpoint(layout: Layout, manifest: Manifest, contents: Contents, notes: list[str]) -> None:
    """Remove what is half-written, and a checkpoint whose run, or a later one, has ended with a version."""
    for folder in checkpoint.leftovers(layout):
        remove_tree(folder)
        notes.append(f"removed {folder.name}, a checkpoint that is not whole or not the latest")
    found = checkpoint.newest(layout)
    if found is not None and not checkpoint.may_go_on(found, manifest, contents):
        checkpoint.clear(layout)


def _rebuilt(dlm_id: str, found: Contents, notes: list[str]) -> Manifest:
    """A manifest for versions that have none."""
    manifest = fresh(dlm_id)
    for version in found.versions:
        try:
            run = new_run(version.facts["run_id"], version.facts, version.facts["created_at"])
        except (KeyError, TypeError, ValueError) as problem:
            notes.append(f"{version.name} does not say which run made it ({problem}): left out of the manifest")
        else:
            end: dict[str, Any] = {
                "status": "ok",
                "ended_at": run.started_at,
                "adapter_version": version.number,
                "message": REBUILT,
            }
            manifest = manifest.with_run(run.model_copy(update=end | run_numbers(version.facts)))
    return manifest


def _whole(version: Version, notes: list[str]) -> bool:
    try:
        version.verify()
    except StoreError as problem:
        notes.append(str(problem))
        return False
    return True


def _run_of(folder: Path, notes: list[str]) -> int | None:
    try:
        return reading.read_facts(folder).get("run_id")
    except StoreError as problem:
        notes.append(str(problem))
        return None
