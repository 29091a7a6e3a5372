"""Making room: which parts of a store are needed no more, why the others stay, and how many bytes each takes.

What no command can use goes at any time: rejected weights, what dead processes left, a checkpoint whose run has ended.
A version can always be gone back to, so versions go only when somebody says how many are to stay.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ..errors import StoreError
from . import checkpoint, finished
from .files import disk_errors, remove_tree
from .layout import version_name
from .manifest import load, save
from .recover import recover, temporary
from .using import in_use

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .layout import Layout
    from .manifest import Manifest
    from .store import Store
    from .version import Version

DAMAGED_SUFFIX = ".damaged"
"""What a damaged file is moved away under."""


@dataclass(frozen=True)
class Item:
    """One file or folder of a store, and what becomes of it."""

    path: Path
    fate: Literal["removed", "kept"]
    why: str
    bytes: int

    def as_json(self) -> dict[str, Any]:
        """Plain data for ``--json``."""
        return {"path": str(self.path), "fate": self.fate, "why": self.why, "bytes": self.bytes}


@dataclass(frozen=True)
class Sweep:
    """One store, swept or only looked at."""

    dlm_id: str
    store: Path
    source_path: str | None
    """Where the document lay when it was trained last."""
    items: tuple[Item, ...] = ()
    problem: str = ""
    """Why nothing was removed."""

    @property
    def freed(self) -> int:
        """Bytes of what was removed."""
        return sum(item.bytes for item in self.items if item.fate == "removed")

    def as_json(self) -> dict[str, Any]:
        """Plain data for ``--json``."""
        return {
            "dlm_id": self.dlm_id,
            "store": str(self.store),
            "source_path": self.source_path,
            "items": [item.as_json() for item in self.items],
            "bytes": self.freed,
            "problem": self.problem or None,
        }


def look(store: Store, keep: int | None) -> Sweep:
    """What :func:`sweep` would do. Nothing is written and no lock is taken.

    Raises:
        StoreError: the manifest is damaged.
    """
    manifest = store.manifest()
    items = (*_versions(store, manifest, keep), *_useless(store.layout, manifest))
    return Sweep(store.dlm_id, store.layout.root, manifest.source_path if manifest else None, items)


def sweep(store: Store, keep: int | None) -> Sweep:
    """Remove what is needed no more, and all but the newest ``keep`` versions when a number is given.

    The current version stays, and so do one that somebody reads, one that a named adapter stands for, and the one that
    a stopped run began with.

    Raises:
        StoreLocked: a training runs.
        StoreError: the manifest is damaged, or a file cannot be removed: what went before is gone, the rest is whole.
    """
    with store.lock("gc"):
        done = look(store, keep)
        for item in done.items:
            if item.fate == "removed":
                _remove(item.path)
        state = recover(store.layout, store.dlm_id)
        save(store.layout.manifest, state.manifest)
    return done


def set_manifest_aside(store: Store) -> Path | None:
    """Move a manifest that is damaged out of the way, and write a new one from the versions; where the old one is.

    ``None`` when there is nothing wrong with it. What only the manifest knew is then gone: runs that made no version,
    exports, and the agreement to the base's licence.

    Raises:
        StoreLocked: a training runs.
        StoreError: the manifest is of a newer dlm, or the disk cannot be written.
    """
    path = store.layout.manifest
    with store.lock("gc"):
        try:
            load(path)
        except StoreError as problem:
            if "newer dlm" in str(problem):
                raise
        else:
            return None
        aside = _free(path)
        with disk_errors(path):
            path.rename(aside)
        state = recover(store.layout, store.dlm_id)
        save(path, state.manifest)
    return aside


def size(path: Path) -> int:
    """Bytes of a file, or of all files below a folder; links are not followed, what cannot be seen counts nothing."""
    if not path.is_dir():
        with suppress(OSError):
            return path.lstat().st_size
        return 0
    total = 0
    for place, _, names in os.walk(path):
        for name in names:
            with suppress(OSError):
                total += os.lstat(os.path.join(place, name)).st_size  # noqa: PTH118
    return total


def _versions(store: Store, manifest: Manifest | None, keep: int | None) -> Iterator[Item]:
    versions = store.versions()
    newest = versions if keep is None else versions[-keep:]
    needed = _needed(store, manifest)
    for version in versions:
        if version.number in needed:
            yield Item(version.path, "kept", needed[version.number], size(version.path))
        elif version in newest:
            yield Item(
                version.path, "kept", "no --keep was given" if keep is None else "new enough", size(version.path)
            )
        elif in_use(version.path):
            yield Item(version.path, "kept", "a running process reads it", size(version.path))
        else:
            yield Item(version.path, "removed", f"older than the newest {keep}", size(version.path))
    for folder in store.contents().damaged:
        yield Item(folder, "kept", "damaged: remove it by hand", size(folder))


def _needed(store: Store, manifest: Manifest | None) -> dict[int, str]:
    """Versions that stay whatever is asked, and why."""
    found: dict[int, str] = {}
    for name, number in sorted((manifest.adapter_versions if manifest else {}).items()):
        found[number] = f"the adapter {name} stands for it"
    stopped = store.checkpoint()
    began_with = stopped.facts.get("began_with") if stopped else None
    if isinstance(began_with, dict) and (start := began_with.get("warm_from")):
        found[start] = "a stopped run began with it"
    current = _current(store)
    if current is not None:
        found[current.number] = "current"
    return found


def _current(store: Store) -> Version | None:
    """The version that readers are given; when the pointer is damaged, the one that recovery would point to."""
    try:
        return store.current()
    except StoreError:
        return store.versions()[-1] if store.versions() else None


def _useless(layout: Layout, manifest: Manifest | None) -> Iterator[Item]:
    from .version import contents

    found = contents(layout)
    for folder in found.rejected:
        yield Item(folder, "removed", "rejected weights", size(folder))
    for path in (*found.partial, *checkpoint.leftovers(layout), *temporary(layout)):
        yield Item(path, "removed", "left by a process that died", size(path))
    if (state := checkpoint.newest(layout)) is not None:
        ended = not checkpoint.may_go_on(state, manifest, found)
        why = "its run has ended" if ended else "a stopped run can go on from it"
        for path in (state.path, *finished.folders(layout, state.facts)):
            yield Item(path, "removed" if ended else "kept", why, size(path))
    if layout.trackers.is_dir():
        yield Item(layout.trackers, "kept", "curves of runs, for you to look at", size(layout.trackers))
    yield from _exports(layout)
    for path in sorted(layout.root.glob(f"*/*{DAMAGED_SUFFIX}")):
        yield Item(path, "removed", "damaged, and set aside", size(path))


def _exports(layout: Layout) -> Iterator[Item]:
    """What exports have left. Whole ones stay: somebody may serve them."""
    from ..export.leftovers import Leftover, leftovers

    told = {
        Leftover.DEAD: ("removed", "left by an export that died"),
        Leftover.BUSY: ("kept", "being written just now"),
        Leftover.ASIDE: ("kept", "an export that was cut short: the next one puts it back"),
    }
    for path, kind in leftovers(layout.exports):
        fate, why = told[kind]
        yield Item(path, fate, why, size(path))  # type: ignore[arg-type]


def _remove(path: Path) -> None:
    """A version vanishes in one step: cut short, it is a leftover and not a version with files missing."""
    with disk_errors(path):
        if not path.is_dir():
            path.unlink(missing_ok=True)
            return
        if path.parent.name == "versions" and not path.name.startswith("."):
            hidden = path.with_name(f".{version_name(_number(path))}.partial-{secrets.token_hex(4)}")
            path = path.rename(hidden)
    remove_tree(path)


def _number(folder: Path) -> int:
    from .layout import parse_rejected, parse_version

    return parse_version(folder.name) or parse_rejected(folder.name) or 0


def _free(path: Path) -> Path:
    names = (path.with_name(f"{path.name}{DAMAGED_SUFFIX}{'' if n == 1 else f'-{n}'}") for n in range(1, 10_000))
    return next(name for name in names if not name.exists())
