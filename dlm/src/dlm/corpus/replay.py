"""What became of every section since the last training, and which of those that are gone are trained on.

Deleting is done on purpose: a section that left its document, or a file that left its source, is trained no more, and a
tombstone says so. Kept are sections of a document that asks for it (``training.replay.removed: keep``), and files that
stand on the disk but could not be taken. The ledger is the store's: :mod:`dlm.store.ledger`.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from ..document.model import Section
from ..errors import DocumentError, Finding, UsageProblem
from ..store.ledger import Entry, Ledger, Text, Tombstone, without
from .likeness import sketch
from .succession import replaced

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ..document.model import Document
    from ..store.ledger import Reason
    from .sources import Gathered

FAINTEST = 0.01
"""Smallest weight of a kept section, reached after 99 days: nothing that is kept fades for good."""
NOTED = 5
"""So many files are named one by one in the notes."""


class Edit(NamedTuple):
    """A section that was edited in place: the new text is trained instead of the old, never beside it."""

    old: str
    new: str


@dataclass(frozen=True)
class Change:
    """The ledger after a training of what is there now, and what happened since the last one. Ids of sections."""

    new: tuple[str, ...]
    edited: tuple[Edit, ...]
    unchanged: tuple[str, ...]
    """Moved ones among them."""
    removed: tuple[str, ...]
    """Not trained any more, from now on."""
    kept: tuple[str, ...]
    """Found nowhere, and trained on all the same."""
    ledger: Ledger
    """To be committed with the version that is trained."""
    sources: tuple[Section, ...] = ()
    """The files to train: those gathered but the forgotten ones."""
    notes: tuple[str, ...] = ()
    """One line each, for people."""


def reconcile(ledger: Ledger, document: Document, gathered: Gathered, now: str) -> Change:
    """Compare what was trained last (``ledger``) with what is there; ``now`` is UTC, as ``2026-11-05T12:00:00Z``.

    Raises:
        DocumentError: a section of the document was forgotten, and stands there again.
    """
    if findings := forgotten_findings(ledger, document):
        raise DocumentError(findings)
    sources, notes = _without_forgotten(ledger, document, gathered)
    return _Comparison(ledger, document, sources, gathered.lost, now, notes).change()


def forgotten_findings(ledger: Ledger, document: Document) -> list[Finding]:
    """The sections of ``document`` that were forgotten, each as a mistake at its place."""
    stones = {stone.id: stone for stone in ledger.forgotten()}
    return [
        Finding(
            document.location,
            section.fence or section.line,
            1,
            f"section {section.id} was forgotten on {stones[section.id].at[:10]}",
            f"delete it, or undo with `{_undo(document, section.id)}`",
        )
        for section in (document.sections if stones else ())
        if section.id in stones
    ]


def sample(ledger: Ledger, seed: int, count: int) -> tuple[Section, ...]:
    """At most ``count`` of the kept sections, drawn without replacement, younger ones more often.

    The weight of a section that left ``age`` days before the youngest one is ``1 / (1 + age)``, but not below 0.01. The
    draw depends on the ledger, ``seed`` and ``count`` alone, never on the clock.

    Raises:
        UsageProblem: one is of a type that no installed plugin offers.
    """
    kept = [entry for entry in ledger.kept() if entry.text is not None]
    if not kept or count <= 0:
        return ()
    youngest = max(_moment(entry) for entry in kept)

    def key(entry: Entry) -> float:
        # Efraimidis and Spirakis: the largest u ** (1 / weight) win; the logarithm orders the same and keeps digits.
        days = (youngest - _moment(entry)).total_seconds() / 86_400
        return math.log(_uniform(seed, entry.id)) / max(1 / (1 + days), FAINTEST)

    drawn = sorted(kept, key=key, reverse=True)[:count]
    return tuple(rebuilt(entry) for entry in sorted(drawn, key=lambda entry: (entry.origin, entry.id)))


def rebuilt(entry: Entry) -> Section:
    """The section that ``entry`` holds the text of, with a body as its type makes it.

    Raises:
        UsageProblem: no installed plugin offers its type.
        ValueError: it holds no text.
    """
    from .sources.sections import SOURCE, source_section

    text = entry.text
    if text is None:
        raise ValueError(f"the ledger holds no text of section {entry.id}")
    if entry.origin:
        return source_section(text.attributes[SOURCE], text.content, entry.origin, text.tags, text.weight)
    return Section(
        type=entry.type,
        content=text.content,
        line=1,
        id=entry.id,
        body=_body(entry, text),
        adapter=entry.adapter,
        attributes=text.attributes,
        weight=text.weight,
    )


class _Comparison:
    """One ledger against one state of the files."""

    def __init__(
        self,
        ledger: Ledger,
        document: Document,
        sources: tuple[Section, ...],
        lost: frozenset[str],
        now: str,
        notes: tuple[str, ...],
    ) -> None:
        self.ledger, self.sources, self.lost, self.now, self.notes = ledger, sources, lost, now, [*notes]
        self.keeps = document.frontmatter.training.replay.removed == "keep"
        self.old = {entry.id: entry for entry in ledger.entries}
        self.body = {section.id: section for section in document.sections}
        self.current = {section.id: section for section in (*sources, *document.sections)}
        self.prior = _recognised(ledger, self.current.values())
        self.gone = [entry for entry in ledger.entries if entry.id not in self.current]

    def change(self) -> Change:
        successors = self._successors()
        present = [self._present(self.current[name]) for name in self._order()]
        kept = [entry for old in self.gone if old.id not in successors and (entry := self._kept(old)) is not None]
        held = {entry.id for entry in kept}
        removed = [old.id for old in self.gone if old.id not in successors and old.id not in held]
        recognised = {name for names in self.prior.values() for name in names}
        removed += [name for name in self.ledger.before if name not in recognised]
        known = {*self.old, *self.prior}
        edited_into = set(successors.values())
        return Change(
            new=tuple(entry.id for entry in present if entry.id not in known and entry.id not in edited_into),
            edited=tuple(Edit(old, new) for old, new in successors.items()),
            unchanged=tuple(entry.id for entry in present if entry.id in known),
            removed=tuple(removed),
            kept=tuple(entry.id for entry in kept),
            ledger=self._next([*present, *kept], successors, removed),
            sources=self.sources,
            notes=tuple(self.notes),
        )

    def _order(self) -> Iterator[str]:
        """Ids of what is there: the document's, in its order, then the sources'."""
        yield from self.body
        seen = set(self.body)
        for section in self.sources:
            if section.id not in seen:
                seen.add(section.id)
                yield section.id

    def _successors(self) -> dict[str, str]:
        """Each section that was edited in place, with the one that stands there now."""
        by_origin: dict[str, str] = {}
        for section in self.sources:
            by_origin.setdefault(section.origin, section.id)
        found = {entry.id: by_origin[entry.origin] for entry in self.gone if entry.origin in by_origin}
        known = {*self.old, *self.prior}
        fresh = {name: section for name, section in self.body.items() if name not in known}
        return found | replaced(self.ledger, self.gone, tuple(self.body), fresh)

    def _present(self, section: Section) -> Entry:
        old = self.old.get(section.id)
        return Entry(
            id=section.id,
            type=section.type,
            origin=section.origin,
            adapter=section.adapter,
            first_seen=old.first_seen if old else self.now,
            last_seen=self.now,
            prior=old.prior if old else self.prior.get(section.id, ()),
            sketch=() if section.origin else sketch(section.content),
            text=_text(section) if section.origin or self.keeps else None,
        )

    def _kept(self, old: Entry) -> Entry | None:
        """``old`` as it is kept, if it is."""
        if old.origin:
            return old.model_copy(update={"kept": "lost"}) if old.text and self._is_lost(old.origin) else None
        if not self.keeps:
            return None
        if old.text is None:
            self.notes.append(
                f"section {old.id} was removed and cannot be kept: its text was not recorded, since "
                "training.replay.removed was not `keep` when it was trained"
            )
            return None
        return old.model_copy(update={"kept": "removed"})

    def _is_lost(self, origin: str) -> bool:
        """Whether the file, or a folder that it lies in, is there and could not be taken."""
        return not self.lost.isdisjoint({origin, *map(str, PurePosixPath(origin).parents)})

    def _next(self, entries: Sequence[Entry], successors: Mapping[str, str], removed: Iterable[str]) -> Ledger:
        buried = [self._tombstone(old, "superseded", new) for old, new in successors.items()]
        buried += [self._tombstone(name, "removed") for name in removed]
        # What was written again was written on purpose; what is buried again has the newer reason.
        standing = without(self.ledger.tombstones, [*self.current, *(stone.id for stone in buried)])
        return Ledger(revision=self.ledger.revision + 1, entries=tuple(entries), tombstones=(*standing, *buried))

    def _tombstone(self, name: str, reason: Reason, successor: str = "") -> Tombstone:
        origin = self.old[name].origin if name in self.old else ""
        return Tombstone(id=name, reason=reason, at=self.now, origin=origin, superseded_by=successor)


def _without_forgotten(
    ledger: Ledger, document: Document, gathered: Gathered
) -> tuple[tuple[Section, ...], tuple[str, ...]]:
    """The sections of sources that may be trained, and a note about the others.

    A file is forgotten under its name as well: an edit does not bring it back.
    """
    stones = {name: stone for stone in ledger.forgotten() for name in (stone.id, stone.origin) if name}
    taken, notes = [], []
    for section in gathered.sections:
        stone = stones.get(section.id) or stones.get(section.origin)
        if stone is None:
            taken.append(section)
        else:
            undo = _undo(document, section.origin)
            notes.append(f"{section.origin} is left out: it was forgotten on {stone.at[:10]}; to undo: {undo}")
    if len(notes) > NOTED:
        notes[NOTED:] = [f"{len(notes) - NOTED} more files are left out, since they were forgotten"]
    return tuple(taken), tuple(notes)


def _recognised(ledger: Ledger, sections: Iterable[Section]) -> dict[str, tuple[str, ...]]:
    """The sections that were trained before there was a ledger, with the ids they had then."""
    if not ledger.before:
        return {}
    from ..document.identity import prior_ids
    from .sources.sections import prior_source_ids

    known = frozenset(ledger.before)
    found = {}
    for section in sections:
        prior = prior_source_ids(section) if section.origin else prior_ids(section)
        if matched := known & {section.id, *prior}:
            found[section.id] = tuple(sorted(matched))
    return found


def _text(section: Section) -> Text:
    return Text(
        content=section.content, attributes=dict(section.attributes), tags=dict(section.tags), weight=section.weight
    )


def _body(entry: Entry, text: Text) -> object:
    from ..document.words import InstalledTypes

    types, mistakes = InstalledTypes(), list[str]()
    drop = f"drop the section with `dlm forget DOC {entry.id}`"
    if entry.type not in types:
        raise UsageProblem(
            f"section {entry.id}, which the store keeps, is of the type ::{entry.type}::, which no installed plugin "
            f"offers: install the plugin again, or {drop}"
        )
    body = types[entry.type].parse(text.content, 1, lambda line, col, what, fix: mistakes.append(what))
    if mistakes:
        raise UsageProblem(
            f"section {entry.id}, which the store keeps, can no longer be read ({mistakes[0]}): the plugin that offers "
            f"::{entry.type}:: has changed; {drop}"
        )
    return body


def _undo(document: Document, name: str) -> str:
    import shlex

    return f"dlm forget {shlex.quote(document.location)} {shlex.quote(name)} --undo"


def _moment(entry: Entry) -> datetime:
    return datetime.fromisoformat(entry.last_seen)


def _uniform(seed: int, name: str) -> float:
    """A number above 0 and below 1 that belongs to ``name`` under ``seed``."""
    bits = int.from_bytes(hashlib.sha256(f"{seed}\n{name}".encode()).digest()[:7], "big") >> 3
    return (bits + 0.5) / 2**53
