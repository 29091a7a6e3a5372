"""``answer_gain``: did the right answers become likelier, and not merely different?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from dlm_sway import Item, Measurement, Probe, ProbeContext, ProbeResult, View
from dlm_sway.probes.base import ProbeSpec, Scoring
from dlm_sway.stats.intervals import Interval, mean_interval
from dlm_sway.stats.power import minimum_detectable
from dlm_sway.stats.rank import noise_floor
from dlm_sway.suite.calibrate import Ranking, rank

from .cases import FEWEST_ITEMS, Case, distinct, finite, groups, repeated

_WORST = 5


class AnswerGainSpec(ProbeSpec):
    """Keys of an ``answer_gain`` entry."""

    cases: tuple[Case, ...] = Field(min_length=1)
    """Questions with their right answers; at best worded as they never were in training."""
    assert_mean_gte: float = Field(default=0.1, ge=0)
    """Smallest mean gain, in nats per token, that counts as learning."""

    @property
    def items(self) -> tuple[Item, ...]:
        """Everything that is asked, each once."""
        return distinct([case.item for case in self.cases])


class AnswerGain(Probe[AnswerGainSpec]):
    """Mean gain in log-probability of the reference answers, per token of the reference."""

    kind = "answer_gain"
    spec_type = AnswerGainSpec
    calibrated = True

    def measure(self, scoring: Scoring, view: View) -> Measurement:
        """``(log p(view) - log p(base)) / tokens`` of each reference, in nats; tokens as the model counts them."""
        items = self.spec.items
        found = scoring.compare(items, view)
        base = [one.base_logprob / one.positions for one in found]
        after = [one.view_logprob / one.positions for one in found]
        gains = finite([b - a for a, b in zip(base, after, strict=True)], items, view.label)
        return Measurement(gains, groups(items), {"base": base, "view": after})

    def judge(self, measured: Measurement, nulls: Sequence[Measurement], ctx: ProbeContext) -> ProbeResult:
        """A conjunction: an interval above zero, above the threshold, and above random adapters."""
        interval, ranking = mean_interval(measured.values, measured.groups), rank(measured, nulls, ctx)
        floor = self._floor(ctx)
        verdict, why = self._verdict(measured, interval, floor, ranking)
        message = f"{_measured(interval)}, {ranking.text}"
        return self.result(
            verdict,
            f"{why}: {message}" if why else message,
            raw=measured.mean,
            ci_95=interval.bounds,
            p_value=ranking.p_value,
            z_score=ranking.z_score,
            base_value=_mean(measured.evidence["base"]),
            ft_value=_mean(measured.evidence["view"]),
            n_items=interval.n,
            noise_floor=floor,
            nulls=ranking.summary,
            seeks="change",
            evidence=self._evidence(measured, interval),
        )

    def _verdict(
        self, measured: Measurement, interval: Interval, floor: float, ranking: Ranking
    ) -> tuple[Literal["pass", "fail", "inconclusive"], str]:
        if max(abs(value) for value in measured.values) <= floor:
            return "fail", "no change: the answers are as likely as before"
        if interval.mean <= 0:
            return "fail", "not learned: the right answers did not become likelier"
        if interval.n < FEWEST_ITEMS:
            return "inconclusive", f"{interval.n} items are too few, at least {FEWEST_ITEMS} are needed"
        if interval.mean < self.spec.assert_mean_gte:
            return "fail", f"not learned: below the threshold of {self.spec.assert_mean_gte:g} nats per token"
        if interval.low <= 0:
            return "inconclusive", "the interval includes zero: more items are needed"
        if ranking.outcome == "untold":
            return "inconclusive", "not calibrated" if ranking.p_value is None else "too few random adapters"
        if ranking.outcome == "within":
            return "fail", "not learned: no more than random adapters of the same size gain"
        return "pass", ""

    def _floor(self, ctx: ProbeContext) -> float:
        again = ctx.scoring.noise(self.spec.items)
        return noise_floor([abs(one.view_logprob - one.base_logprob) / one.positions for one in again])

    def _evidence(self, measured: Measurement, interval: Interval) -> dict[str, object]:
        rows = [
            {"prompt": item.prompt, "group": item.group, "gain": gain, "base": base, "ft": after}
            for item, gain, base, after in zip(
                self.spec.items, measured.values, measured.evidence["base"], measured.evidence["view"], strict=True
            )
        ]
        return {
            "per_item": rows,
            "share_improved": sum(gain > 0 for gain in measured.values) / len(measured.values),
            "worst": sorted(rows, key=lambda row: row["gain"])[:_WORST],
            "clusters": interval.clusters,
            "notes": repeated(len(self.spec.cases), len(rows)),
            "times_likelier_per_token": math.exp(min(measured.mean, 700.0)),
            "minimum_detectable": minimum_detectable(interval.spread, interval.n) if interval.bounds else None,
        }


def _measured(interval: Interval) -> str:
    clusters = f" in {interval.clusters} groups" if interval.clusters < interval.n else ""
    ci = f" (95% CI {interval.low:+.2g}..{interval.high:+.2g})" if interval.bounds else ""
    return f"right answers gain {interval.mean:+.3g} nats per token over {interval.n} items{clusters}{ci}"


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
