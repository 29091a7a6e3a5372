"""One document at a glance: what was trained from it, what has changed since, and what of it lies on this disk.

Only looks: no lock, no network, no file is made or changed. What is damaged is said, and the rest is told all the same.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from .._plugkit.errors import PluginError
from ..errors import DlmError, DocumentError
from .encoding import now
from .store import Store

if TYPE_CHECKING:
    from ..bases.state import BaseState
    from ..corpus.replay import Change
    from ..corpus.sources import Gathered, Survey
    from ..document.model import Document
    from ..export.listing import Listed
    from ..learning.report import LearningReport
    from .ledger import Ledger
    from .manifest import Manifest
    from .version import Contents, Version

T = TypeVar("T")


@dataclass(frozen=True)
class Sizes:
    """Bytes on the disk."""

    total: int
    versions: int
    replay: int
    cache: int
    logs: int
    exports: int = 0


@dataclass(frozen=True)
class Overview:
    """Everything that ``dlm show`` tells. A part that is damaged is ``None`` or empty, and ``problems`` says why."""

    document: Document
    store: Path
    initialised: bool
    manifest: Manifest | None
    current: Version | None
    learning: LearningReport | None
    """Of the current version, when it has one."""
    contents: Contents
    base: BaseState | None
    survey: Survey | None
    """Of the sources; ``None`` without any."""
    ledger: Ledger | None
    change: Change | None
    """Since the last training; ``None`` before the first."""
    exported: tuple[Listed, ...]
    cache: dict[str, Any]
    sizes: Sizes
    problems: tuple[str, ...]

    @property
    def source_path(self) -> str:
        """Where the document lay when it was trained last; where it lies, before the first time."""
        trained_from = self.manifest.source_path if self.manifest else None
        return trained_from or str((self.document.path or Path()).absolute())

    @property
    def changed(self) -> bool:
        """Whether another training would see other text than the last one."""
        change = self.change
        return change is not None and bool(change.new or change.edited or change.removed or self.forgotten_since)

    @property
    def forgotten_since(self) -> int:
        """Sections that were forgotten after the last training: the versions made so far still know them."""
        return sum(1 for stone in self.ledger.forgotten() if stone.run == 0) if self.ledger else 0

    def as_json(self) -> dict[str, Any]:
        """Plain data for ``--json``."""
        document, training = self.document, self.document.frontmatter.training
        return {
            "dlm_id": document.frontmatter.dlm_id,
            "title": document.title,
            "source_path": self.source_path,
            "path": str(self.store),
            "store_initialized": self.initialised,
            "base_model": document.frontmatter.base_model,
            "base": self.base.as_json() if self.base else None,
            **self._trained(),
            "changes": self._changes(),
            "kept": len(self.change.kept) if self.change else 0,
            "forgotten": len(self.ledger.forgotten()) if self.ledger else 0,
            "training_sources": [asdict(summary) for summary in self.survey.summaries] if self.survey else [],
            "training_cache": self.cache,
            "training_cache_config": training.cache.model_dump(),
            "replay_size_bytes": self.sizes.replay,
            "total_size_bytes": self.sizes.total,
            "sizes": asdict(self.sizes),
            "problems": list(self.problems),
        }

    def _changes(self) -> dict[str, int] | None:
        if self.change is None:
            return None
        names = ("new", "edited", "unchanged", "removed")
        return {name: len(getattr(self.change, name)) for name in names} | {"forgotten": self.forgotten_since}

    def _trained(self) -> dict[str, Any]:
        """What was made so far; keys that a store without a manifest cannot know are left out."""
        manifest, current = self.manifest, self.current
        outcome = current.facts.get("outcome") if current else None
        outcome = outcome if isinstance(outcome, dict) else {}
        known: dict[str, Any] = {
            "adapter_version": current.number if current else 0,
            "has_adapter_current": current is not None,
            "last_trained_at": current.facts.get("created_at") if current else None,
            "versions": [version.number for version in self.contents.versions],
            "held_out_before": outcome.get("held_out_before"),
            "held_out_best": outcome.get("held_out_best"),
            "learning": self.learning.as_json(items=False) if self.learning else None,
        }
        if manifest is None:
            return known
        return known | {
            "base_model_revision": manifest.base_model_revision,
            "training_runs": len(manifest.training_runs),
            "orphaned": manifest.source_path is not None and not Path(manifest.source_path).is_file(),
            "exports": [one.as_json(current) for one in self.exported],
            "content_hashes": manifest.content_hashes,
            "pinned_versions": manifest.pinned_versions,
            "named_adapters": [self._adapter(name, n) for name, n in manifest.adapter_versions.items()],
        }

    def _adapter(self, name: str, latest: int) -> dict[str, Any]:
        current = self.current
        held = current is not None and name in current.adapters
        facts = current.facts_of(name) if current is not None and held else {}
        return {
            "name": name,
            "has_current": held,
            "latest_version": latest,
            "trained_in": facts.get("trained_in", latest),
        }


def overview(document: Document, home: Path) -> Overview:
    """Look at everything that belongs to ``document``."""
    look = _Look()
    store = Store(home, document.frontmatter.dlm_id)
    manifest = look.at(store.manifest)
    ledger = look.at(lambda: _ledger(store))
    survey = look.at(lambda: _survey(document))
    initialised = store.layout.root.is_dir()
    current = look.at(store.current)
    contents = store.contents()
    for folder in contents.damaged:
        look.problems.append(f"{folder} is no whole version: files of it are missing or unreadable")
    return Overview(
        document=document,
        store=store.layout.root,
        initialised=initialised,
        manifest=manifest,
        current=current,
        learning=look.at(lambda: _learning(current)),
        contents=contents,
        base=look.at(lambda: _base(document, home, manifest)),
        survey=survey,
        ledger=ledger,
        change=look.at(lambda: _change(document, ledger, survey)) if initialised and contents.versions else None,
        exported=_exported(store, manifest),
        cache=look.at(lambda: _cache(document, store)) or {},
        sizes=_sizes(store),
        problems=tuple(look.problems),
    )


@dataclass
class _Look:
    """Looking at one thing after the other; what is damaged is noted, and the next one is looked at."""

    problems: list[str] = field(default_factory=list)

    def at(self, what: Callable[[], T]) -> T | None:
        try:
            return what()
        except (DlmError, PluginError) as problem:
            self.problems += str(problem).splitlines() if isinstance(problem, DocumentError) else [str(problem)]
        except OSError as problem:
            self.problems.append(f"{problem.filename} cannot be read ({problem.strerror}): check its permissions")
        return None


def _learning(current: Version | None) -> LearningReport | None:
    from ..learning.report import load

    return load(current.path) if current else None


def _ledger(store: Store) -> Ledger:
    from .ledger import load

    return load(store.layout)


def _exported(store: Store, manifest: Manifest | None) -> tuple[Listed, ...]:
    from ..export.listing import exports_of

    return tuple(exports_of(store.layout, manifest))


def _base(document: Document, home: Path, manifest: Manifest | None) -> BaseState:
    from ..bases.state import state_of

    return state_of(document, home, manifest.license_acceptance if manifest else None)


def _survey(document: Document) -> Survey | None:
    from ..corpus.sources import survey

    return survey(document, remember=False) if document.frontmatter.training.sources else None


def _change(document: Document, ledger: Ledger | None, survey: Survey | None) -> Change | None:
    from ..corpus.replay import reconcile

    unknown = bool(document.frontmatter.training.sources) and survey is None
    if ledger is None or unknown:
        return None
    return reconcile(ledger, document, _gathered(document, ledger, survey), now())


def _gathered(document: Document, ledger: Ledger, survey: Survey | None) -> Gathered:
    """The files of the sources by their ids; with their texts only where older ids must be recognised by them."""
    from ..corpus.sources import Gathered, gather
    from ..document.model import Section

    if survey is None:
        return Gathered()
    if ledger.before:
        return gather(document)
    sections = (Section("prose", "", 1, file.id, (), origin=file.origin, weight=file.weight) for file in survey.files)
    return Gathered(lost=survey.lost, sections=tuple(sections))


def _cache(document: Document, store: Store) -> dict[str, Any]:
    from . import tokens

    path = store.layout.tokens
    found = tokens.overview(path)
    unused = tokens.unused_because(document.frontmatter.training.cache)
    facts = {key: value for key, value in found._asdict().items() if key != "problem"}
    return {"path": str(path), **facts, "cache_status": found.problem or unused}


def _sizes(store: Store) -> Sizes:
    layout = store.layout
    return Sizes(
        total=_bytes(layout.root),
        versions=_bytes(layout.versions),
        replay=_bytes(layout.replay),
        cache=_bytes(layout.tokens.parent),
        logs=_bytes(layout.logs),
        exports=_bytes(layout.exports),
    )


def _bytes(folder: Path) -> int:
    """Bytes of every file below ``folder``; links are not followed, what cannot be seen counts nothing."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += (Path(place) / name).lstat().st_size
    return total
