"""What a training does with the lock of the current version: go on, say what differs, stop, or find itself needless."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..document.routing import declared
from ..errors import LockViolated, StoreError
from ..store.lock_file import lock_of
from .comparing import Difference, differences
from .models import Lock, read
from .table import LockMode, Severity, at_least

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from ..document import Document
    from ..store import Store, Version
    from ..training.job import Job
    from ..training.material import Material


@dataclass(frozen=True)
class Unchanged:
    """A training that would be made of the very same as the current version: not run."""

    document: Document
    version: Version
    lock: Lock

    @property
    def words(self) -> str:
        """For people."""
        again = f"dlm train {shlex.quote(self.document.location)} --force"
        return f"nothing has changed since {self.version.name}: not trained again; `{again}` trains anyway"

    def as_json(self) -> dict[str, Any]:
        """Plain data for ``--json``."""
        return {
            "document": self.document.location,
            "dlm_id": self.document.frontmatter.dlm_id,
            "version": self.version.number,
            "path": str(self.version.path),
            "trained": False,
            "message": self.words,
        }


def locked(store: Store) -> tuple[Version, Lock] | None:
    """The current version with its lock; ``None`` where there is no version, or one from before locks.

    A version that is damaged or was deleted by hand counts as none: what begins now puts the store right.

    Raises:
        StoreError: the lock is damaged.
    """
    try:
        version = store.current()
    except StoreError:
        return None
    found = None if version is None else read(lock_of(version))
    return None if version is None or found is None else (version, found)


def look(store: Store, now: Lock, mode: LockMode, document: Document, say: Callable[[str], None]) -> None:
    """Compare ``now`` with the lock of the current version before anything is trained.

    Raises:
        LockViolated: what differs is not allowed in this mode; names every difference and the ways out.
        StoreError: the lock is damaged, and nobody asked to replace it.
    """
    if mode == "ignore":
        return
    try:
        found = locked(store)
    except StoreError as problem:
        if mode != "update":
            raise
        say(f"lock: {problem}: a new one is written with the next version")
        return
    if found is None:
        return
    version, lock = found
    differing = [one for one in differences(lock, now) if one.severity != "allow"]
    bad = violations(differing, strict=mode == "strict")
    if bad and mode != "update":
        raise LockViolated(refusal(version, bad, document))
    for one in differing:
        say(f"lock: {one}" + ("; accepted" if mode == "update" else ""))


def violations(found: Iterable[Difference], *, strict: bool) -> tuple[Difference, ...]:
    """Those of ``found`` that a training may not go over."""
    least: Severity = "warn" if strict else "error"
    return tuple(one for one in found if at_least(one.severity, least))


def unchanged(store: Store, now: Lock, document: Document, material: Material) -> Unchanged | None:
    """The current version, when a training now would be made of exactly what it was made of, and it is whole.

    ``None`` whenever there is a doubt: text is waiting to be let go of, an augmenter may have read something that no
    lock knows, or version or lock are damaged; then a training finds out.
    """
    change = material.change
    if change.new or change.edited or change.removed or document.frontmatter.training.recipe.augmenters:
        return None
    try:
        found = locked(store)
        if found is None or found[1].prior or differences(found[1], now):
            return None
        found[0].verify()
    except StoreError:
        return None
    return Unchanged(document, *found)


def with_carried(job: Job) -> Lock:
    """The lock of ``job``, which also says of what the adapters are made that it takes over."""
    if job.carried is None:
        return job.lock
    before = read(lock_of(job.carried))
    theirs = {name: made for name, made in before.adapters.items() if name in declared(job.document)} if before else {}
    return job.lock.model_copy(update={"adapters": {**theirs, **job.lock.adapters}})


def write(folder: Path, lock: Lock) -> None:
    """Put ``lock`` beside the weights of a version that is about to be committed.

    Raises:
        StoreError: the disk is full or closed to us.
    """
    from ..store.files import write_atomic
    from ..store.lock_file import LOCK_FILE

    write_atomic(folder / LOCK_FILE, lock.text())


def refusal(version: Version, bad: Iterable[Difference], document: Document) -> str:
    """Why a training is stopped, and the ways out."""
    listed = "\n".join(f"  - {one}" for one in bad)
    command = f"dlm train {shlex.quote(document.location)} --update-lock"
    return (
        f"this training would not be made of what {version.name} is made of:\n{listed}\n"
        f"Put that back, or accept it, with your other flags: `{command}`. Nothing was trained, "
        f"{version.name} is current"
    )
