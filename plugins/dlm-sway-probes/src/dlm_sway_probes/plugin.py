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
    yield ProbeEntry(
        name="calibration_drift",
        target="dlm_sway_probes.calibration_drift:CalibrationDrift",
        summary="Whether what everybody knows is still known.",
        category="calibration",
        needs=frozenset({"compare"}),
        seeks="harm",
    )
    yield ProbeEntry(
        name="external_perplexity",
        target="dlm_sway_probes.external_perplexity:ExternalPerplexity",
        summary="Whether plain prose is still read as well.",
        category="calibration",
        needs=frozenset({"texts"}),
        seeks="harm",
    )
    yield ProbeEntry(
        name="paraphrase_invariance",
        target="dlm_sway_probes.paraphrase_invariance:ParaphraseInvariance",
        summary="Whether the answer was learned, or only the wording of its question.",
        category="attribution",
        needs=frozenset({"compare"}),
        seeks="change",
    )
    yield ProbeEntry(
        name="prompt_collapse",
        target="dlm_sway_probes.prompt_collapse:PromptCollapse",
        summary="Whether the effect lasts when other text stands before the question.",
        category="adherence",
        needs=frozenset({"compare"}),
        seeks="neither",
    )
    yield ProbeEntry(
        name="adapter_ablation",
        target="dlm_sway_probes.adapter_ablation:AdapterAblation",
        summary="What the model does between no adapter and all of it.",
        category="ablation",
        needs=frozenset({"compare", "scale"}),
        seeks="neither",
    )
