"""One number a category, for reading at a glance. Verdicts decide; the score only summarises them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from ..result import ProbeResult, Verdict

SCORES: Final[Mapping[str, float]] = {"pass": 1.0, "warn": 0.5, "fail": 0.0}
"""Score of a verdict; the other verdicts decided nothing and score nothing."""

BANDS: Final = ((0.3, "noise"), (0.6, "partial"))
"""Upper ends of the bands below ``healthy``."""

MAX_FINDINGS: Final = 5


def score_of(verdict: Verdict) -> float | None:
    """1 for a pass, 0.5 for a warning, 0 for a fail, ``None`` when nothing was decided."""
    return SCORES.get(verdict)


def band(overall: float | None) -> str:
    """The word for an overall score; empty when there is none."""
    if overall is None:
        return ""
    return next((word for end, word in BANDS if overall < end), "healthy")


def composite(results: Sequence[ProbeResult], weights: Mapping[str, float]) -> dict[str, Any]:
    """Category scores and their weighted mean, over the probes that decided something.

    A category's score is the mean of its probes' scores, weighted with the entries' ``weight``. A category in which
    nothing was decided is ``None`` and does not take part in ``overall``; nor does one that weighs 0.
    """
    components = {category: _mean(results, category) for category in weights}
    counted = {name: score for name, score in components.items() if score is not None and weights[name] > 0}
    total = sum(weights[name] for name in counted)
    overall = sum(weights[name] * score for name, score in counted.items()) / total if total else None
    return {
        "overall": overall,
        "band": band(overall),
        "components": components,
        "weights": dict(weights),
        "findings": findings(results),
    }


def findings(results: Sequence[ProbeResult]) -> list[str]:
    """What to look at first, worst first, at most five lines."""
    worst = [result for verdict in ("error", "fail", "inconclusive") for result in results if result.verdict == verdict]
    return [f"{result.name} ({result.verdict}): {result.message}" for result in worst[:MAX_FINDINGS]]


def _mean(results: Sequence[ProbeResult], category: str) -> float | None:
    decided = [(r.weight, r.score) for r in results if r.category == category and r.score is not None]
    total = sum(weight for weight, _ in decided)
    return sum(weight * score for weight, score in decided) / total if total else None
