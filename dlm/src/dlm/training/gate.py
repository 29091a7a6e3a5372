"""What keeps a run's weights from becoming a version: numbers that are none, and a run that went wild."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, NamedTuple

from ..errors import NonFiniteWeights, TrainingDiverged

if TYPE_CHECKING:
    from pathlib import Path

    from ..bases import LocalBase
    from ..errors import TrainingFailed
    from .events import Outcome
    from .recipe import Recipe

WILD = 1.0
"""Nats a token. A run whose best evaluation is worse than what it began with by this much has unlearned more than any
document asks for; the first steps of a sound run stay far below."""


class Fault(NamedTuple):
    """Why weights are not kept."""

    reason: str
    """For the manifest."""
    message: str
    """For people: what happened, and what to do."""
    error: type[TrainingFailed]


def fault(outcome: Outcome, base: LocalBase, recipe: Recipe, adapter: str | None = None) -> Fault | None:
    """What is wrong with the weights of a phase of ``adapter``; ``None`` when they may become a version."""
    key = "training.learning_rate" if adapter is None else f"training.adapters.{adapter}.learning_rate"
    rate = f"{key} (it was {recipe.learning_rate:.3g})"
    before, best = outcome.held_out_before, outcome.held_out_best
    bad = outcome.non_finite or (("every held-out loss",) if before is not None and best is None else ())
    if bad:
        where = ", ".join(bad[:3]) + (", ..." if len(bad) > 3 else "")
        way_out = f"Try a lower {rate}, or training.precision: fp32"
        if before is not None and not isfinite(before):
            way_out = (
                f"The base {base.key} gave none before the first step either: set training.precision: fp32; if that "
                f"does not help, its files are damaged ({base.path}): remove them and fetch them again"
            )
        return Fault(f"not finite: {where}", f"NaN or infinity in {where}. {way_out}", NonFiniteWeights)
    if before is None or best is None or best <= before + WILD:
        return None
    if (outcome.held_out_recall or 0.0) > (outcome.held_out_recall_before or 0.0):
        return None
    rose = f"the held-out loss rose from {before:.2f} to {best:.2f} nats a token at its best"
    return Fault(f"diverged: {rose}", f"training diverged: {rose}. Try a lower {rate}", TrainingDiverged)


def told(found: Fault, kept: Path) -> str:
    """The whole message, once the weights lie aside in ``kept``."""
    return f"{found.message}. The weights are kept for a look in {kept}; the version before stays current"
