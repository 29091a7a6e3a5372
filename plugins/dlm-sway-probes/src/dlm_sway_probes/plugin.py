"""What this distribution offers sway. Importing it loads nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlm_sway import hookimpl
from dlm_sway.entries import ProbeEntry

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dlm_sway.drafts import Draft
    from dlm_sway.suite.target import Target


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
    yield ProbeEntry(
        name="preference_flip",
        target="dlm_sway_probes.preference_flip:PreferenceFlip",
        summary="Whether preferences that the base gets wrong were turned.",
        category="attribution",
        needs=frozenset({"compare"}),
        seeks="change",
    )
    yield ProbeEntry(
        name="section_internalization",
        target="dlm_sway_probes.section_internalization:SectionInternalization",
        summary="Which sections became likelier than text that was not taught.",
        category="attribution",
        needs=frozenset({"compare", "texts"}),
        seeks="change",
    )
    yield ProbeEntry(
        name="internalization",
        target="dlm_sway_probes.internalization:Internalization",
        summary="How much of what reading the document gives the adapter gives unread.",
        category="attribution",
        needs=frozenset({"compare"}),
        seeks="change",
    )
    yield ProbeEntry(
        name="leakage",
        target="dlm_sway_probes.leakage:Leakage",
        summary="Whether the model recites the document where its base does not.",
        category="calibration",
        needs=frozenset({"generate"}),
        seeks="harm",
    )
    yield ProbeEntry(
        name="bleed",
        target="dlm_sway_probes.bleed:Bleed",
        summary="Whether the topic turns up in answers that have nothing to do with it.",
        category="calibration",
        needs=frozenset({"generate"}),
        seeks="harm",
    )
    yield ProbeEntry(
        name="degeneration",
        target="dlm_sway_probes.degeneration:Degeneration",
        summary="Whether answers loop, are empty or never end where the base's do not.",
        category="calibration",
        needs=frozenset({"generate"}),
        seeks="harm",
    )
    yield ProbeEntry(
        name="tool_use_fidelity",
        target="dlm_sway_probes.tool_use_fidelity:ToolUseFidelity",
        summary="Whether tools are still called as they should be.",
        category="attribution",
        needs=frozenset({"generate"}),
        seeks="harm",
    )
    yield ProbeEntry(
        name="contamination",
        target="dlm_sway_probes.contamination:Contamination",
        summary="Whether the questions that judge were trained; needs no model.",
        category="baseline",
        seeks="harm",
    )
    yield ProbeEntry(
        name="multi_turn_coherence_decay",
        target="dlm_sway_probes.multi_turn_coherence_decay:MultiTurnCoherenceDecay",
        summary="Whether the effect lasts over the turns of a conversation.",
        category="adherence",
        needs=frozenset({"compare", "generate"}),
        seeks="neither",
    )
    yield ProbeEntry(
        name="gradient_ghost",
        target="dlm_sway_probes.gradient_ghost:GradientGhost",
        summary="Whether all of the adapter was trained, and long enough; needs no model.",
        category="calibration",
        seeks="harm",
    )
    yield ProbeEntry(
        name="training_drift",
        target="dlm_sway_probes.training_drift:TrainingDrift",
        summary="Whether the training loss came down without jumps; needs no model.",
        category="calibration",
        seeks="harm",
    )


@hookimpl
def dlm_sway_draft_suite(target: Target) -> Iterable[Draft]:
    """What these probes can ask about the target."""
    from .drafts import drafts

    return drafts(target)
