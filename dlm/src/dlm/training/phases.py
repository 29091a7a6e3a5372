"""Training phases: which kinds of record one eats, under which recipe, and which of them a run goes through.

``sft`` eats every kind that no other phase names. Each phase goes on with the weights that the one before it left.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple, cast

from ..corpus import running_text
from ..corpus.preferred import is_pair
from ..corpus.records import StudySet
from ..corpus.study import ANCHOR_SHARE
from ..entries import PhaseEntry
from ..errors import TrainingRefused, UsageProblem

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from .._plugkit.plugins import PluginManager
    from ..corpus.records import Record
    from ..document.frontmatter import Frontmatter
    from .plan import Row
    from .recipe import Recipe

ALL = "all"
"""Every phase that has something to train."""
ANCHOR = "anchor"
"""The kind of record that every phase eats."""


@dataclass(frozen=True)
class Phase:
    """One pass of the optimiser over part of the study set. Subclass it to give it a recipe of its own.

    Example::

        PREFERENCE = Phase(name="preference", kinds=frozenset({"preference"}))
    """

    name: str
    kinds: frozenset[str] | None
    """Kinds of record it trains on; ``None`` is every kind that no other phase names."""
    sized: bool = False
    """Learning rate and rows of a step follow from the base's size and the budget, though :meth:`with_length` gives
    one; without a length of its own a phase always has them from there."""

    def left_out(self, frontmatter: Frontmatter) -> str:
        """Why a document that has records for it does not want it; empty when it does."""
        return ""

    def recipe_for(self, frontmatter: Frontmatter, recipe: Recipe) -> Recipe:
        """The run's ``recipe`` as this phase wants it. What shapes the adapter and the rows stays: seed, rank, alpha,
        dropout, target modules, sequence length, precision, device."""
        return recipe

    def with_length(
        self, frontmatter: Frontmatter, recipe: Recipe, study: StudySet, rows: Sequence[Row]
    ) -> Recipe | None:
        """``recipe`` with the budget of this phase; ``None`` leaves it to the document's budget or effort."""
        return None

    def for_base(self, frontmatter: Frontmatter, recipe: Recipe, share: float) -> Recipe:
        """``recipe`` for the run's base, whose best learning rate is ``share`` of what it would be on the base that
        rates were measured on. Asked where :attr:`sized` does not settle the rate."""
        return recipe


SFT = Phase(name="sft", kinds=None)


class Part(NamedTuple):
    """A phase and what it trains."""

    phase: Phase
    study: StudySet


class Selected(NamedTuple):
    """What a run goes through, in order, and what is to be said about what it leaves out."""

    parts: tuple[Part, ...]
    notes: tuple[str, ...]


def select(study: StudySet, plugins: PluginManager, frontmatter: Frontmatter, wanted: str = ALL) -> Selected:
    """The phases that have something to train, each with its part of ``study``; with ``wanted``, that one alone.

    Raises:
        TrainingRefused: records are left that no phase trains, or none are left.
        UsageProblem: there is no phase ``wanted``, or it has nothing to train.
    """
    parts = _busy(study, plugins)
    if wanted != ALL:
        return _alone(parts, plugins, wanted)
    reasons = {part.phase.name: part.phase.left_out(frontmatter) for part in parts}
    notes = [f"{_many(part)} not trained: {why}" for part in parts if (why := reasons[part.phase.name])]
    kept = tuple(part for part in parts if not reasons[part.phase.name])
    if not kept:
        raise _nothing(study, notes)
    return Selected(kept, tuple(notes))


def names(plugins: PluginManager) -> tuple[str, ...]:
    """The installed phases, in their order."""
    return tuple(phase.name for phase in _phases(plugins))


def goes_on(wanted: str, plugins: PluginManager) -> bool:
    """Whether a run of the phase ``wanted`` alone begins with a trained version: those after ``sft`` do.

    Raises:
        UsageProblem: there is no such phase.
    """
    if wanted == ALL:
        return False
    known = names(plugins)
    if wanted not in known:
        raise UsageProblem(
            f"there is no phase {wanted!r}: give --phase one of {', '.join((*known, ALL))}{_more(known)}"
        )
    return known.index(wanted) > known.index(SFT.name)


def without_pairs(study: StudySet) -> StudySet:
    """What ``sft`` learns: ``study`` less the pairs of a better and a worse answer, and less what is learned before."""
    return _part(study, SFT, frozenset({running_text.KIND}))


def by_phase(study: StudySet, plugins: PluginManager) -> StudySet:
    """``study`` with the share that each kind has in the steps of its own phase."""
    parts = _busy(study, plugins)
    return replace(study, mixture={kind: share for part in parts for kind, share in part.study.mixture.items()})


def _busy(study: StudySet, plugins: PluginManager) -> list[Part]:
    phases = _phases(plugins)
    named = frozenset[str]().union(*(phase.kinds or frozenset() for phase in phases))
    parts = [Part(phase, _part(study, phase, named)) for phase in phases]
    busy = [part for part in parts if _learned(part.study)]
    if left := sorted(_learned(study) - frozenset[str]().union(*(_learned(part.study) for part in busy))):
        raise TrainingRefused(f"no installed phase trains {', '.join(left)}: `dlm plugins` lists what is installed")
    return busy


def _alone(parts: Sequence[Part], plugins: PluginManager, wanted: str) -> Selected:
    goes_on(wanted, plugins)
    for part in parts:
        if part.phase.name == wanted:
            others = [other for other in parts if other.phase.name != wanted]
            return Selected((part,), tuple(f"{_many(other)} not trained: --phase {wanted}" for other in others))
    has = " and ".join(part.phase.name for part in parts) or "no phase"
    raise UsageProblem(f"the document has nothing for the phase {wanted}, only for {has}: leave --phase out")


def _nothing(study: StudySet, notes: Collection[str]) -> TrainingRefused:
    what = "; ".join(notes) or "the document leaves nothing to train"
    return TrainingRefused(
        f"{what}: write prose, or questions that are not all `!probe`; `dlm check` counts its sources"
    )


def _many(part: Part) -> str:
    count = sum(record.objective != "anchor" for record in part.study.train)
    return f"{count:,} {part.phase.name} record{'s' if count != 1 else ''}"


def _more(known: Collection[str]) -> str:
    from .._known import INSTALLS

    missing = {
        name: command for (hook, name), command in INSTALLS.items() if hook == "dlm_phases" and name not in known
    }
    return "".join(f"; {command} installs {name}" for name, command in missing.items())


def _phases(plugins: PluginManager) -> list[Phase]:
    offers = [offer for found in plugins.offers("dlm_phases").values() for offer in found]
    entries = sorted((cast("PhaseEntry", offer.entry) for offer in offers), key=lambda e: (e.order, e.name))
    return [cast("Phase", plugins.resolve("dlm_phases", entry.name)) for entry in entries]


def _learned(study: StudySet) -> frozenset[str]:
    return frozenset(record.kind for record in study.train if record.objective != "anchor")


def _part(study: StudySet, phase: Phase, named: frozenset[str]) -> StudySet:
    def eats(record: Record) -> bool:
        if phase.kinds is not None:
            return record.kind == ANCHOR or record.kind in phase.kinds
        return record.kind not in named and not is_pair(record)

    train = tuple(record for record in study.train if eats(record))
    if phase.kinds is None and len(train) == len(study.train):
        return study
    kinds = {record.kind for record in train}
    return replace(
        study,
        train=train,
        mixture=_mixture({kind: share for kind, share in study.mixture.items() if kind in kinds}),
        held_out_pairs=study.held_out_pairs if any(map(is_pair, train)) else (),
    )


def _mixture(shares: Mapping[str, float]) -> dict[str, float]:
    """``shares`` as parts of 1, the anchor's as in every phase."""
    anchor = min(shares.get(ANCHOR, 0.0), ANCHOR_SHARE)
    learned = sum(share for kind, share in shares.items() if kind != ANCHOR)
    return {
        kind: anchor if kind == ANCHOR else share * ((1 - anchor) / learned)
        for kind, share in shares.items()
        if learned
    }
