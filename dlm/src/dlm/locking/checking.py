"""``dlm lock check``: the lock of a training without the training. Writes and fetches nothing."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import NotTrained
from .comparing import Difference, differences
from .guard import locked, refusal, violations

if TYPE_CHECKING:
    from ..bases import LocalBase
    from ..document import Document
    from ..store import Store, Version
    from ..training.resolve import TrainOptions
    from .models import Lock


@dataclass(frozen=True)
class Checked:
    """What :func:`check` found."""

    version: Version
    differences: tuple[Difference, ...]
    violations: tuple[Difference, ...]
    refusal: str
    """What `dlm train` would say; empty without a violation."""
    notes: tuple[str, ...] = ()
    """What could not be compared, one line each."""

    def as_json(self) -> dict[str, Any]:
        """Plain data for ``--json``."""
        return {
            "version": self.version.number,
            "ok": not self.violations,
            "differences": [one.as_json() for one in self.differences],
            "violations": [one.key for one in self.violations],
            "notes": list(self.notes),
        }


def current_lock(path: Path | str, home: Path) -> tuple[Version, Lock]:
    """The current version of the document ``path`` and its lock.

    Raises:
        DocumentError: the document cannot be read.
        NotTrained: there is no version, or it has no lock.
        StoreError: version or lock is damaged.
    """
    from ..document import read
    from ..store import Store

    document = read(Path(path))
    return _locked(Store(home, document.frontmatter.dlm_id), document)


def check(path: Path | str, home: Path, *, strict: bool) -> Checked:
    """Compare the lock of the current version of ``path`` with a training now, asked for as that one was.

    Raises:
        DlmError: as :func:`current_lock`; or a source or the base's name is a mistake.
    """
    from ..document import read
    from ..plugins import manager
    from ..store import Store
    from ..training.material import collect
    from ..training.resolve import recipe_for
    from .taking import take

    document = read(Path(path))
    store = Store(home, document.frontmatter.dlm_id)
    version, lock = _locked(store, document)
    options = _asked(lock, document)
    recipe = recipe_for(document.frontmatter, options)
    base, notes = _base(document, home)
    material = collect(document, home, recipe.seed)
    now = take(document, base, recipe, options, material, manager(), warm_from=lock.warm_from)
    # Whether a licence was accepted anew is found out by whoever fetches the base; the processes were asked for.
    now = now.model_copy(update={"license_acceptance": lock.license_acceptance, "world_size": lock.world_size})
    found = differences(lock, now)
    bad = violations(found, strict=strict)
    return Checked(version, found, bad, refusal(version, bad, document) if bad else "", notes)


def _locked(store: Store, document: Document) -> tuple[Version, Lock]:
    found = locked(store)
    if found is None:
        version = store.current()
        why = "has no version yet" if version is None else f"{version.name} is of an earlier dlm, which wrote no lock"
        where = f"{document.location}: " if version else f"{document.location} "
        raise NotTrained(f"{where}{why}: run `dlm train {document.location}`")
    return found


def _asked(lock: Lock, document: Document) -> TrainOptions:
    """The options of the training that wrote ``lock``, as far as it tells. Its seed counts as asked for when the
    document names none."""
    from ..training.resolve import TrainOptions

    known = {field.name for field in fields(TrainOptions)}
    options = TrainOptions(**{name: value for name, value in lock.asked.items() if name in known})
    return options if document.frontmatter.training.seed is not None else replace(options, seed=lock.seed)


def _base(document: Document, home: Path) -> tuple[LocalBase | None, tuple[str, ...]]:
    from ..bases.cache import on_disk
    from ..bases.resolve import resolve

    wanted = resolve(document.frontmatter.base_model, document.folder)
    found = on_disk(wanted, home)
    if found is None:
        fetch = f"`dlm base pull {wanted.key}` fetches it"
        return None, (f"base {wanted.key} is not on this disk, so its weights were not compared: {fetch}",)
    return found, ()
