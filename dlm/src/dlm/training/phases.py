"""Training phases: which kinds of record one eats. ``sft`` eats them all."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from ..corpus.records import StudySet
from ..entries import PhaseEntry
from ..errors import TrainingRefused

if TYPE_CHECKING:
    from .._plugkit.plugins import PluginManager


@dataclass(frozen=True)
class Phase:
    """One pass of the optimiser over part of the study set.

    Example::

        PREFERENCE = Phase(name="preference", kinds=frozenset({"preference"}))
    """

    name: str
    kinds: frozenset[str] | None
    """Kinds of record it trains on; ``None`` is every kind that no other phase names."""


SFT = Phase(name="sft", kinds=None)


def select(study: StudySet, plugins: PluginManager) -> tuple[Phase, StudySet]:
    """The one phase that has something to train, and its part of ``study``.

    Raises:
        TrainingRefused: records are left that no phase trains, or more than one phase would have to run.
    """
    phases = _phases(plugins)
    named = frozenset[str]().union(*(phase.kinds or frozenset() for phase in phases))
    parts = [(phase, _part(study, phase, named)) for phase in phases]
    busy = [(phase, part) for phase, part in parts if any(record.objective != "anchor" for record in part.train)]
    if len(busy) > 1:
        names = " and ".join(phase.name for phase, _ in busy)
        raise TrainingRefused(f"the phases {names} both have records; this version runs one phase: block a plugin")
    if not busy:
        kinds = sorted({record.kind for record in study.train if record.objective != "anchor"})
        what = f"no installed phase trains {', '.join(kinds)}" if kinds else "the document leaves nothing to train"
        raise TrainingRefused(
            f"{what}: write prose, or questions that are not all `!probe`; `dlm check` counts its sources"
        )
    return busy[0]


def _phases(plugins: PluginManager) -> list[Phase]:
    offers = [offer for found in plugins.offers("dlm_phases").values() for offer in found]
    entries = sorted((cast("PhaseEntry", offer.entry) for offer in offers), key=lambda e: (e.order, e.name))
    return [cast("Phase", plugins.resolve("dlm_phases", entry.name)) for entry in entries]


def _part(study: StudySet, phase: Phase, named: frozenset[str]) -> StudySet:
    def eats(kind: str) -> bool:
        return kind == "anchor" or (kind not in named if phase.kinds is None else kind in phase.kinds)

    shares = {kind: share for kind, share in study.mixture.items() if eats(kind)}
    whole = sum(shares.values())
    return replace(
        study,
        train=tuple(record for record in study.train if eats(record.kind)),
        mixture={kind: share / whole for kind, share in shares.items()},
    )
