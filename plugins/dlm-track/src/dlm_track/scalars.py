"""The numbers that are drawn, by name. A name begins with its phase, since each phase counts its steps from 1; and
before that with the adapter that it trains, where that has a name."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dlm.training.events import Evaluated, StepLogged


def of_step(phase: str, event: StepLogged) -> dict[str, float]:
    """Of one optimiser step; what was not measured, or is not finite, is left out."""
    measured = {
        "loss": event.loss,
        "anchor_kl": event.anchor_kl,
        "learning_rate": event.lr,
        "grad_norm": event.grad_norm,
        "tokens_per_sec": event.tokens_per_sec,
        "tokens": event.tokens,
    }
    return _finite(phase, measured)


def of_evaluation(phase: str, event: Evaluated) -> dict[str, float]:
    """Of the held-out rows."""
    measured = {
        "held_out_loss": event.held_out_loss,
        "held_out_recall": event.held_out_recall,
        "held_out_accuracy": event.accuracy,
        "held_out_margin": event.margin,
        "held_out_prose_loss": event.held_out_prose_loss,
        "held_out_answer_loss": event.held_out_answer_loss if event.held_out_prose_loss is not None else None,
    }
    return _finite(phase, measured)


def _finite(phase: str, measured: dict[str, float | None]) -> dict[str, float]:
    known = {name: float(value) for name, value in measured.items() if value is not None}
    return {f"{phase}/{name}": value for name, value in known.items() if math.isfinite(value)}
