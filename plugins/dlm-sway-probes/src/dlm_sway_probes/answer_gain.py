"""``answer_gain``: did the right answers become likelier, and not merely different?"""

from __future__ import annotations

import math
from collections.abc import Sequence

from pydantic import Field

from dlm_sway import Item, Measurement, Probe, ProbeContext, ProbeResult, View
from dlm_sway.probes.base import ProbeSpec, Scoring
from dlm_sway.probes.judging import Estimate, Words, intended
from dlm_sway.stats.rank import noise_floor
from dlm_sway.suite.calibrate import rank

from .cases import Case, distinct, finite, groups, repeated

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
        floor = self._floor(ctx)
        return intended(
            self,
            Estimate.of_mean(measured.values, measured.groups),
            rank(measured, nulls, ctx),
            threshold=self.spec.assert_mean_gte,
            what="right answers gain",
            unit="nats per token",
            sign="+",
            moved=max(abs(value) for value in measured.values) > floor,
            words=_WORDS,
            evidence=self._evidence(measured),
            base_value=_mean(measured.evidence["base"]),
            ft_value=_mean(measured.evidence["view"]),
            noise_floor=floor,
        )

    def _floor(self, ctx: ProbeContext) -> float:
        again = ctx.scoring.noise(self.spec.items)
        return noise_floor([abs(one.view_logprob - one.base_logprob) / one.positions for one in again])

    def _evidence(self, measured: Measurement) -> dict[str, object]:
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
            "notes": repeated(len(self.spec.cases), len(rows)),
            "times_likelier_per_token": math.exp(min(measured.mean, 700.0)),
        }


_WORDS = Words(
    still="no change: the answers are as likely as before",
    wrong_way="not learned: the right answers did not become likelier",
    small="not learned: ",
    chance="not learned: no more than random adapters of the same size gain",
)


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
