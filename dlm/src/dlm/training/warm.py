"""Warm runs: which version a run goes on from, when it may, and what of the document it studies more.

A refit learns the document from nothing; a warm run teaches a trained version what changed since. So it may begin only
where nothing has to be unlearned but what the new text takes the place of. Loading the weights is the backend's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..errors import NotTrained, NoWarmStart
from .recipe import Recipe

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from ..bases import LocalBase
    from ..corpus.records import StudySet
    from ..document import Document
    from ..store import Store
    from ..store.ledger import Ledger
    from ..store.version import Version
    from .heard import Heard
    from .material import Material
    from .resolve import TrainOptions

SHARE = 0.4
"""Of the budget that the effort gives to a refit: most of the document is known already."""
MORE_OF_NEW = 4.0
"""How much oftener the records come that are about new or edited text."""
SHAPE = {
    "adapter": "training.adapter",
    "rank": "training.lora_r",
    "alpha": "training.lora_alpha",
    "target_modules": "training.target_modules",
}
"""What must be as it was for the weights to mean the same, by the keys that set it."""
Groups = dict[str, tuple[str, ...]]
"""The pairs and texts of each section, by its id; their names follow from what they say."""


@dataclass(frozen=True)
class Start:
    """Where a warm run begins."""

    version: Version
    new: frozenset[str]
    """Groups of the pairs and texts that the version was not trained on in these words."""
    heard: Heard
    """The questions that it was trained on, and those before it that it went on from."""
    adapter: str | None = None

    @property
    def folder(self) -> Path:
        """Where the weights lie."""
        return self.version.folder_of(self.adapter)


def start_of(
    document: Document,
    store: Store,
    base: LocalBase,
    recipe: Recipe,
    material: Material,
    adapter: str | None = None,
) -> Start:
    """The current version, to go on from; of a document that names adapters, ``adapter`` of it.

    Raises:
        NotTrained: there is none.
        NoWarmStart: it is of another base, shape or seed, or knows text that is there no more.
        StoreError: it is damaged.
    """
    from .heard import read

    version = store.current()
    if version is None:
        raise NotTrained(f"{document.location} has no version to go on from: run `dlm train {document.location}` first")
    if adapter not in (version.adapters or (None,)):
        raise _no_start(document, version, [_lacks(version, adapter)])
    heard, there = read(version.folder_of(adapter)), groups(document, material)
    known = replace(version, facts=version.facts_of(adapter))
    reasons = [*_other(known, base, recipe), *_unlearnable(known, there, material)]
    if heard is None:
        reasons.append("it is of an earlier dlm, which did not write down what its versions were asked")
    if heard is None or reasons:
        raise _no_start(document, version, reasons)
    version.verify()
    return Start(version, _new(known, there), heard, adapter)


def _no_start(document: Document, version: Version, reasons: list[str]) -> NoWarmStart:
    listed = "\n".join(f"  - {reason}" for reason in reasons)
    return NoWarmStart(
        f"{version.name} is no start for a warm run:\n{listed}\n"
        f"Train without --warm: `dlm train {document.location}` learns everything anew from the base",
        reasons,
    )


def _lacks(version: Version, adapter: str | None) -> str:
    if adapter is None:
        return f"it has the adapters {', '.join(version.adapters)}, and the document names none"
    has = f"only {', '.join(version.adapters)}" if version.adapters else "one without a name"
    return f"it has no adapter {adapter}, {has}"


def groups(document: Document, material: Material) -> Groups:
    """What would be trained, pair by pair and text by text."""
    from ..corpus.study import primary_records

    found: dict[str, dict[str, None]] = {}
    for record in primary_records(document, material.more):
        found.setdefault(record.section_id, {})[record.group] = None
    return {section: tuple(inside) for section, inside in found.items()}


def emphasised(study: StudySet, start: Start) -> StudySet:
    """``study`` with the records about new text drawn :data:`MORE_OF_NEW` times as often beside the others."""
    return replace(
        study,
        train=tuple(
            replace(record, weight=record.weight * MORE_OF_NEW) if record.group in start.new else record
            for record in study.train
        ),
    )


def shortened(recipe: Recipe, document: Document, options: TrainOptions) -> Recipe:
    """``recipe`` with the smaller budget of a warm run, unless somebody gave a number; all else as for a refit."""
    training = document.frontmatter.training
    numbered = options.effort is None and (training.token_budget is not None or training.num_epochs is not None)
    if options.token_budget is not None or numbered:
        return recipe
    return replace(recipe, token_budget=round(SHARE * recipe.token_budget))


def _other(version: Version, base: LocalBase, recipe: Recipe) -> list[str]:
    """What of base and recipe differs."""
    theirs, was = _part(version, "base"), {"adapter": Recipe.adapter, **_part(version, "recipe")}
    reasons = []
    if theirs.get("digest") != base.digest:
        reasons.append(f"it was trained on another base, {theirs.get('key')} ({theirs.get('source')})")
    for name, key in SHAPE.items():
        if (found := _plain(was.get(name))) != (wanted := _plain(getattr(recipe, name))):
            reasons.append(f"{key} was {found} and is {wanted}: set it back, or refit")
    if was.get("seed") != recipe.seed:
        # Another seed holds out other questions: those that this version was trained on would count as never seen.
        reasons.append(f"its seed was {was.get('seed')}, and this one is {recipe.seed}: give --seed {was.get('seed')}")
    return reasons


def _unlearnable(version: Version, there: Groups, material: Material) -> list[str]:
    """Text that the version knows and nothing takes the place of."""
    ledger = material.change.ledger
    later = {name: _standing(name, ledger) for name in version.facts.get("section_ids") or ()}
    reasons = []
    if gone := [name for name, now in later.items() if now is None]:
        were = "1 section was" if len(gone) == 1 else f"{len(gone)} sections were"
        reasons.append(f"{were} removed since {version.name}, and a warm run unlearns nothing")
    if fewer := _fewer(_known(version), there, later):
        were = "1 pair or text was" if fewer == 1 else f"{fewer} pairs or texts were"
        reasons.append(f"{were} deleted inside of edited sections since {version.name}, with nothing in their place")
    return reasons


def _fewer(known: Groups, there: Groups, later: Mapping[str, str | None]) -> int:
    """How many more pairs and texts went out of edited sections than came in."""
    standing, before = _all(there.values()), _all(known.values())
    gone: dict[str, set[str]] = {}
    for name, now in later.items():
        if now is not None and now != name:
            gone.setdefault(now, set()).update(set(known.get(name, ())) - standing)
    return sum(max(0, len(lost) - len(set(there.get(now, ())) - before)) for now, lost in gone.items())


def _standing(name: str, ledger: Ledger) -> str | None:
    """The section that ``name`` is now; ``None`` when it was let go."""
    later = {stone.id: stone.superseded_by for stone in ledger.tombstones}
    standing, passed = {entry.id for entry in ledger.entries}, set[str]()
    while name not in standing:
        if name in passed or name not in later:
            return None
        passed.add(name)
        name = later[name]
    return name


def _new(version: Version, there: Groups) -> frozenset[str]:
    trained, known = set(version.facts.get("section_ids") or ()), _all(_known(version).values())
    return _all(inside for section, inside in there.items() if section not in trained) - known


def _known(version: Version) -> Groups:
    return {section: tuple(inside) for section, inside in _part(version, "groups").items()}


def _all(parts: Iterable[Iterable[str]]) -> frozenset[str]:
    return frozenset(name for inside in parts for name in inside)


def _part(version: Version, key: str) -> dict[str, Any]:
    part = version.facts.get(key)
    return part if isinstance(part, dict) else {}


def _plain(value: object) -> object:
    """As JSON gives it back."""
    return list(value) if isinstance(value, tuple) else value
