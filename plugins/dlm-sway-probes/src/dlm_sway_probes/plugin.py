"""What this distribution offers sway. Importing it loads nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlm_sway import hookimpl
from dlm_sway.entries import ProbeEntry

if TYPE_CHECKING:
    from collections.abc import Iterable


@hookimpl
def dlm_sway_probes() -> Iterable[ProbeEntry]:
    """The standard battery."""
    yield ProbeEntry(
        name="delta_kl",
        target="dlm_sway_probes.delta_kl:DeltaKl",
        summary="How far training moved the model's predictions, against random adapters of the same size.",
        category="adherence",
        needs=frozenset({"compare"}),
        seeks="change",
    )
    yield ProbeEntry(
        name="answer_gain",
        target="dlm_sway_probes.answer_gain:AnswerGain",
        summary="How much likelier the right answers became, per token.",
        category="attribution",
        needs=frozenset({"compare"}),
        seeks="change",
    )
