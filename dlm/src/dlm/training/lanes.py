"""A run of named adapters, split: each is trained from the document as it sees it, by numbers of its own.

A document that names none is one part without a name. Driving the parts, one after the other: :mod:`.several`.
"""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from ..document.routing import chosen, declared, sections_of, unfed, view
from ..errors import DocumentError, NotTrained
from .resolve import recipe_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..bases import LocalBase
    from ..document import Document
    from ..store import Store
    from ..store.version import Version
    from .job import Job
    from .material import Material
    from .recipe import Recipe
    from .resolve import TrainOptions
    from .warm import Start


class Part(NamedTuple):
    """What one adapter is trained from."""

    adapter: str | None
    document: Document
    base: LocalBase
    recipe: Recipe
    material: Material
    start: Start | None = None


def parts_of(document: Document, base: LocalBase, options: TrainOptions, material: Material) -> tuple[Part, ...]:
    """Every adapter that a run with ``options`` trains, in the document's order.

    Raises:
        DocumentError: nothing trains one of them.
        UsageProblem: ``options.adapter`` is none of them.
    """
    from ..bases.quantised import for_recipe

    only = chosen(document, options.adapter) if options.adapter is not None else None
    names = declared(document)
    if hungry := unfed(document, material.more):
        raise DocumentError(hungry)

    def part(name: str | None) -> Part:
        sees, beside = (document, material) if name is None else (view(document, name), _seen(material, names, name))
        recipe = recipe_for(sees.frontmatter, options)
        return Part(name, sees, for_recipe(base, recipe), recipe, beside)

    return tuple(part(name) for name in names if only in (None, name)) or (part(None),)


def started(parts: Sequence[Part], store: Store) -> tuple[Part, ...]:
    """``parts`` that go on from the current version, each from its own adapter.

    Raises:
        NotTrained: there is no version.
        NoWarmStart: one of them has no start there; says why.
    """
    from .warm import start_of

    return tuple(
        part._replace(start=start_of(part.document, store, part.base, part.recipe, part.material, part.adapter))
        for part in parts
    )


def with_lanes(job: Job, parts: Sequence[Part]) -> Job:
    """``job`` with its parts; as it is when it has one adapter without a name."""
    if parts[0].adapter is None:
        return job
    return replace(
        job,
        lanes=tuple(
            replace(
                job,
                adapter=part.adapter,
                document=part.document,
                base=part.base,
                recipe=part.recipe,
                material=part.material,
                start=part.start,
            )
            for part in parts
        ),
    )


def carried_from(document: Document, store: Store, base: LocalBase, only: str | None) -> Version | None:
    """The version whose other adapters a run of ``only`` takes over; ``None`` when all are trained.

    Raises:
        NotTrained: there is no version that has them all, whole and on this base.
        StoreError: it is damaged.
    """
    others = [name for name in declared(document) if name != only]
    if only is None or not others:
        return None
    version = store.current()
    way_out = f"train all of them once with `dlm train {shlex.quote(document.location)}`"
    if version is None:
        raise NotTrained(f"{document.location} has no version to take {', '.join(others)} over from: {way_out}")
    if missing := [name for name in others if name not in version.adapters]:
        raise NotTrained(f"{version.name} has no adapter {', '.join(missing)} to take over: {way_out}")
    theirs = version.facts.get("base") or {}
    if theirs.get("digest") != base.digest:
        trained_on = f"{theirs.get('key')} ({theirs.get('source')})"
        raise NotTrained(f"the adapters of {version.name} belong to another base, {trained_on}: {way_out}")
    version.verify()
    return version


def outdated(document: Document, material: Material, version: Version, only: str) -> list[str]:
    """A note about each adapter but ``only`` that is taken over from ``version`` although other text trains it now."""
    names, notes = declared(document), []
    for name in (name for name in names if name != only):
        knew = set(version.facts_of(name).get("section_ids") or ())
        there = {section.id for section in sections_of((*document.sections, *material.more), names, name)}
        if knew != there:
            changed = f"{len(there - knew)} of its sections are new or edited, {len(knew - there)} gone"
            notes.append(
                f"note: {name} is taken over as it is in {version.name}, and {changed}: `dlm train` trains all"
            )
    return notes


def _seen(material: Material, names: tuple[str, ...], name: str) -> Material:
    """What the adapter ``name`` learns from beside the document."""
    change = material.change
    sources = sections_of(change.sources, names, name)
    replayed = sections_of(material.replayed, names, name)
    # What another adapter learns now is gone for this one.
    ledger = change.ledger.model_copy(update={"entries": sections_of(change.ledger.entries, names, name)})
    return replace(material, change=replace(change, sources=sources, ledger=ledger), replayed=replayed)
