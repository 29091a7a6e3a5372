"""What ``dlm train`` says of each phase: what it will train, and how it ended. Lines of 80 columns."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..training.events import Evaluated, Outcome
    from ..training.plan import Plan
    from ..training.recipe import Preferring, Recipe

KIND = 10
"""Columns of a kind's name, where it is not longer."""


def planned(plans: Sequence[Plan]) -> list[str]:
    """Rows, questions held out and steps of each phase; adapters and phases have names when there are several."""
    lines: list[str] = []
    for number, plan in enumerate(plans, start=1):
        own = [one for one in plans if one.adapter == plan.adapter]
        if plan.adapter is not None and plan is own[0]:
            lines.append(f"adapter    {plan.adapter}, {plan.recipe.adapter} of rank {plan.recipe.rank}")
        if len(own) > 1:
            lines.append(f"phase {number}    {plan.phase}")
        lines += _plan(plan)
    return lines


def started(plan: Plan, number: int, of: int) -> str:
    """What begins now; empty for the only phase of an adapter without a name."""
    if plan.adapter is not None:
        return f"adapter {plan.adapter}, phase {number} of {of}: {plan.phase}"
    return f"phase {number} of {of}: {plan.phase}" if of > 1 else ""


def all_ended(plans: Sequence[Plan], outcomes: Sequence[Outcome], *, refit: bool) -> list[str]:
    """How every phase ended, those of a named adapter below its name."""
    lines, before = list[str](), None
    for plan, outcome in zip(plans, outcomes, strict=True):
        if plan.adapter is not None and plan.adapter != before:
            lines.append(f"adapter        {plan.adapter}")
        before = plan.adapter
        lines += ended(plan, outcome, refit=refit)
    return lines


def ended(plan: Plan, outcome: Outcome, *, refit: bool) -> list[str]:
    """How the held-out questions or pairs of a phase were met, before and after."""
    before, after = outcome.held_out_before, outcome.held_out_best
    if before is None or after is None:
        return _last_weights(plan)
    best = f"best at step {outcome.best_step} of {outcome.steps}"
    if plan.recipe.judged_by == "text":
        return [f"held-out text  {before:.3f} -> {after:.3f} nats a token ({best})"]
    if outcome.accuracy is None or outcome.accuracy_before is None:
        lines = [f"held-out loss  {before:.3f} -> {after:.3f} nats a token ({best})"]
        if after >= before and refit:
            lines.append("               It did not fall: the document was not learned. See `dlm study`.")
        return [*lines, *_text_after(outcome)]
    lines = [
        f"preferred      {outcome.accuracy_before:.0%} -> {outcome.accuracy:.0%} of the held-out pairs ({best})",
        f"               by {outcome.margin_before or 0:+.3f} -> {outcome.margin or 0:+.3f} nats a token",
    ]
    if outcome.held_out_recall is not None and outcome.held_out_recall_before is not None:
        facts = f"{outcome.held_out_recall_before:.0%} -> {outcome.held_out_recall:.0%}"
        lines.append(f"               facts still said: {facts} of the held-out wordings")
    return lines


def _text_after(outcome: Outcome) -> list[str]:
    """How the text that an earlier phase read is known after this one."""
    before, after = outcome.held_out_prose_loss_before, outcome.held_out_prose_loss
    return [] if before is None or after is None else [f"held-out text  {before:.3f} -> {after:.3f} nats a token"]


def standing(event: Evaluated) -> str:
    """How the held-out rows were met, in 26 columns."""
    said = f"held-out {event.held_out_loss:.2f}"
    return said if event.accuracy is None else f"{said}  preferred {event.accuracy:.0%}"


def _plan(plan: Plan) -> list[str]:
    return [
        *_kinds(plan),
        *_held_out(plan),
        *_preferring(plan.recipe.preferring),
        *_warmed(plan.recipe),
        f"steps      {len(plan.steps):,} of {plan.recipe.batch_rows} rows, {plan.tokens:,} tokens",
    ]


def _kinds(plan: Plan) -> list[str]:
    counts: dict[str, int] = {}
    for row in plan.rows:
        kind = plan.records[row.record].kind
        counts[kind] = counts.get(kind, 0) + 1
    rows = [f"{k:<{KIND}} {count:>6,} rows, each {plan.passes.get(k, 0):.1f} times" for k, count in counts.items()]
    return [f"{'trained' if index == 0 else '':<10} {row}" for index, row in enumerate(rows)]


def _held_out(plan: Plan) -> list[str]:
    texts = plan.held_out_texts
    rows = len({row.record for row in plan.held_out_rows}) - texts
    if plan.recipe.judged_by == "text" and not texts:
        return ["held out   no text, there is too little: the last weights win"]
    if plan.recipe.judged_by == "text":
        return [f"held out   {texts} text{'s' if texts != 1 else ''}, never trained in any phase; the best on them win"]
    if plan.recipe.preferring is None:
        return [f"held out   {rows} wording{'s' if rows != 1 else ''}, never trained; the best answers to them win"]
    pairs = plan.held_out_pairs
    if not pairs:
        return ["held out   no pairs, they are too few: the last weights win"]
    return [f"held out   {pairs} pair{'s' if pairs != 1 else ''}, never trained; the best preferred win"]


def _preferring(how: Preferring | None) -> list[str]:
    if how is None:
        return []
    if how.method == "orpo":
        return [f"method     orpo, alpha {how.strength:g}"]
    against = "the untouched base" if how.reference == "base" else "the adapter as it was before"
    return [f"method     dpo ({how.loss}), beta {how.strength:g}, against {against}"]


def _warmed(recipe: Recipe) -> list[str]:
    """Which embeddings move first."""
    if not recipe.embed_warmup_steps:
        return []
    return [f"warm-up    {len(recipe.embedded)} embeddings alone in the first {recipe.embed_warmup_steps} steps"]


def _last_weights(plan: Plan) -> list[str]:
    return ["preferred      not measured: too few pairs to hold any out"] if plan.recipe.preferring else []


def uncovered(plan: Plan) -> list[str]:
    """A warning when the budget ends before every text was seen once."""
    seen = plan.passes.get("prose", 1.0)
    if seen >= 1 or plan.recipe.max_steps is not None:
        return []
    wanted = math.ceil(plan.tokens / max(seen, 1e-3) / 1000) * 1000
    return [
        f"           This sees {seen:.0%} of the text. To see all of it once:",
        f"           --budget {wanted}, or training.token_budget: {wanted}",
    ]
