"""What a run writes down about itself: facts beside the weights, the plan in numbers, the summary beside the log."""

from __future__ import annotations

import math
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from ..bases.quantised import KEY as BASE_QUANTISATION
from .material import changes_record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..bases import LocalBase
    from ..document import Document
    from .events import Outcome
    from .material import Material
    from .plan import Plan

RECORDED = ("dlm", "dlm-hf", "torch", "transformers", "peft", "safetensors", "tokenizers", "numpy")
"""Distributions whose versions are written beside the weights, when they are installed."""


def facts(document: Document, base: LocalBase, plans: Sequence[Plan], material: Material) -> dict[str, Any]:
    """What goes into ``version.json`` and the log's banner. Recipe and plan are those of the first phase."""
    return {
        "document_digest": document.digest,
        "section_ids": [section.id for section in (*document.sections, *material.more)],
        "source_path": str(document.path.absolute()) if document.path else None,
        "sources": [asdict(summary) for summary in material.gathered.summaries],
        "base": {key: value for key, value in asdict(base).items() if key not in ("path", "quantisation")},
        **({BASE_QUANTISATION: base.quantisation} if base.quantisation else {}),
        "recipe": asdict(plans[0].recipe),
        "vocabulary": plans[0].vocabulary.as_json() if plans[0].vocabulary else None,
        "plan": plan_record(plans[0]),
        "phases": phase_records(plans),
        "versions": installed_versions(),
    }


def phase_records(plans: Sequence[Plan], outcomes: Sequence[Outcome] = ()) -> list[dict[str, Any]]:
    """Every phase: what was planned, and how it ended when it has."""
    records: list[dict[str, Any]] = [
        {"phase": plan.phase, **named(plan), "recipe": asdict(plan.recipe), "plan": plan_record(plan)} for plan in plans
    ]
    for record, outcome in zip(records, outcomes, strict=False):
        record["outcome"] = asdict(outcome)
    return records


def named(plan: Plan) -> dict[str, str]:
    """Which adapter a phase trains, where it has a name."""
    return {} if plan.adapter is None else {"adapter": plan.adapter}


def plan_record(plan: Plan) -> dict[str, Any]:
    """A plan in numbers."""
    kinds: dict[str, int] = {}
    for row in plan.rows:
        kind = plan.records[row.record].kind
        kinds[kind] = kinds.get(kind, 0) + 1
    return {
        "steps": len(plan.steps),
        "tokens": plan.tokens,
        "rows": kinds,
        "passes": {kind: round(passes, 2) for kind, passes in plan.passes.items()},
        "held_out_rows": len(plan.held_out_rows),
        "warmup_steps": plan.warmup_steps,
        "decay_steps": plan.decay_steps,
        "evaluate_every": plan.evaluate_every,
    }


def summary_record(
    plans: Sequence[Plan], material: Material, outcomes: Sequence[Outcome], seconds: float, early_stopped: bool
) -> dict[str, Any]:
    """``logs/train-*.summary.json`` but the run's and the version's numbers. Losses in nats a token, of the first phase
    where ``phases`` does not say otherwise."""
    plan, outcome = plans[0], outcomes[0]
    return {
        "seed": plan.recipe.seed,
        "steps": outcome.steps,
        "best_step": outcome.best_step,
        "final_train_loss": outcome.final_loss,
        "first_val_loss": outcome.held_out_before,
        "final_val_loss": outcome.held_out_best,
        "final_val_perplexity": perplexity(outcome.held_out_best),
        "held_out_prose_loss": outcomes[-1].held_out_prose_loss,
        "held_out_answer_loss": outcomes[-1].held_out_answer_loss,
        "vocabulary": plan.vocabulary.as_json() if plan.vocabulary else None,
        "early_stopped": early_stopped,
        "tokens": sum(one.tokens for one in outcomes),
        "phases": [
            {"phase": plan.phase, **named(plan), **asdict(ended)} for plan, ended in zip(plans, outcomes, strict=False)
        ],
        "duration_seconds": round(seconds, 3),
        "changes": changes_record(material),
        "source_directives": [_directive(asdict(summary)) for summary in material.gathered.summaries],
    }


def perplexity(loss: float | None) -> float | None:
    """``exp(loss)``; ``None`` where that is no number."""
    return math.exp(loss) if loss is not None and loss < 700 else None


def installed_versions() -> dict[str, str]:
    """Versions of the distributions that decide what training does."""
    found = {}
    for name in RECORDED:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _directive(summary: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in summary.items() if value or key in ("path", "file_count", "total_bytes")}
