"""``preference_flip``: where the base prefers the worse answer, does training make it prefer the better one?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from dlm_sway import Item, Measurement, Probe, ProbeContext, ProbeResult, View
from dlm_sway.errors import NothingToAsk
from dlm_sway.probes.base import ProbeSpec, Scoring
from dlm_sway.probes.judging import Condition, Estimate, Words, intended, old_z
from dlm_sway.scoring.types import Comparison
from dlm_sway.stats.intervals import mean_interval
from dlm_sway.stats.rank import noise_floor
from dlm_sway.stats.rates import mcnemar_exact
from dlm_sway.suite.calibrate import rank

from .cases import all_finite

_LISTED = 10
_WORDS = Words(
    still="no change: every preference is as strong as before",
    wrong_way="not learned: no preference was turned",
    small="not learned: ",
    chance="not learned: preferences move no more than with random adapters of the same size",
)


class Triple(BaseModel):
    """A prompt with a better and a worse answer."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    prompt: str = Field(min_length=1)
    chosen: str = Field(min_length=1)
    rejected: str = Field(min_length=1)


class PreferenceFlipSpec(ProbeSpec):
    """Keys of a ``preference_flip`` entry."""

    triples: tuple[Triple, ...] = ()
    """Without any: those of the document's preference sections."""
    assert_flip_rate_gte: float = Field(default=0.7, ge=0, le=1)
    """Of the triples that the base gets wrong, the share that must be turned."""
    min_triples_for_decision: int = Field(default=3, ge=1)
    """Triples that the base must get wrong; fewer than 4 never decide."""
    per_token: bool = False
    """Divide each answer's log-probability by its tokens, so that long answers are not at a disadvantage."""
    assert_z_gte: float | None = None
    """Deprecated; adds a one-sided t test against the nulls at the level this z stands for."""


class PreferenceFlip(Probe[PreferenceFlipSpec]):
    """Share of wrong preferences that were turned, against those that were turned the other way and random adapters."""

    kind = "preference_flip"
    spec_type = PreferenceFlipSpec
    calibrated = True

    def prepare(self, ctx: ProbeContext) -> Self:
        """With the document's preferences, where the suite names none."""
        if self.spec.triples:
            return self
        taught = [one for section in ctx.sections or () for one in section.preferences]
        if not taught:
            raise NothingToAsk("no triples: give some in the suite, or dlm_source with a preference section")
        triples = tuple(Triple(prompt=one.prompt, chosen=one.chosen, rejected=one.rejected) for one in taught)
        return type(self)(self.spec.model_copy(update={"triples": triples}))

    @property
    def triples(self) -> tuple[Triple, ...]:
        """Each once."""
        return tuple(dict.fromkeys(self.spec.triples))

    def measure(self, scoring: Scoring, view: View) -> Measurement:
        """By how much each margin, log p(chosen) - log p(rejected), moved; beside it, the margins themselves."""
        better = scoring.compare([Item(one.prompt, one.chosen) for one in self.triples], view)
        worse = scoring.compare([Item(one.prompt, one.rejected) for one in self.triples], view)
        pairs = list(zip(better, worse, strict=True))
        before = [self._logprob(a, a.base_logprob) - self._logprob(b, b.base_logprob) for a, b in pairs]
        after = [self._logprob(a, a.view_logprob) - self._logprob(b, b.view_logprob) for a, b in pairs]
        moved = [b - a for a, b in zip(before, after, strict=True)]
        asked = [one.prompt for one in self.triples]
        return Measurement(all_finite(moved, asked, view.label), (), {"before": before, "after": after})

    def judge(self, measured: Measurement, nulls: Sequence[Measurement], ctx: ProbeContext) -> ProbeResult:
        """The share turned, more turned to the better than to the worse, and margins moved beyond chance."""
        before, after = measured.evidence["before"], measured.evidence["after"]
        wrong = [at for at, margin in enumerate(before) if margin <= 0]
        gained = sum(after[at] > 0 for at in wrong)
        lost = sum(after[at] <= 0 for at in range(len(before)) if before[at] > 0)
        evidence = self._evidence(measured, len(wrong), gained, lost)
        if len(wrong) < self.spec.min_triples_for_decision:
            return self._nothing_to_turn(measured, len(wrong), evidence)
        return intended(
            self,
            Estimate.of_rate(gained, len(wrong)),
            rank(measured, nulls, ctx),
            threshold=self.spec.assert_flip_rate_gte,
            what=f"mean margin {_mean(before):+.3g} to {_mean(after):+.3g} nats, share of wrong preferences turned",
            unit="",
            moved=max(map(abs, measured.values)) > self._floor(ctx),
            words=_WORDS,
            z=old_z(self.spec.assert_z_gte, measured, nulls),
            also=[_more_gained(gained, lost, ctx.alpha)],
            base_value=_mean(before),
            ft_value=_mean(after),
            evidence=evidence,
        )

    def _nothing_to_turn(self, measured: Measurement, wrong: int, evidence: dict[str, Any]) -> ProbeResult:
        interval = mean_interval(measured.values)
        ci = f" (95% CI {interval.low:+.2g}..{interval.high:+.2g})" if interval.bounds else ""
        message = (
            f"the base gets {wrong} of {interval.n} triples wrong, and min_triples_for_decision is "
            f"{self.spec.min_triples_for_decision}: margins moved by {interval.mean:+.3g} nats{ci}"
        )
        return self.result(
            "inconclusive",
            message,
            n_items=wrong,
            base_value=_mean(measured.evidence["before"]),
            ft_value=_mean(measured.evidence["after"]),
            seeks="change",
            evidence=evidence,
        )

    def _evidence(self, measured: Measurement, wrong: int, gained: int, lost: int) -> dict[str, Any]:
        rows = zip(self.triples, measured.evidence["before"], measured.evidence["after"], strict=True)
        return {
            "flip_rate": gained / wrong if wrong else None,
            "flipped": gained,
            "flipped_to_worse": lost,
            "mcnemar_p": mcnemar_exact(gained, lost),
            "base_wrong": wrong,
            "total": len(self.triples),
            "mean_margin_delta": measured.mean,
            "per_token": self.spec.per_token,
            "per_triple": [{"prompt": one.prompt[:80], "base": a, "ft": b} for one, a, b in rows][:_LISTED],
        }

    def _logprob(self, one: Comparison, logprob: float) -> float:
        return logprob / one.positions if self.spec.per_token else logprob

    def _floor(self, ctx: ProbeContext) -> float:
        asked = [Item(one.prompt, answer) for one in self.triples for answer in (one.chosen, one.rejected)]
        again = ctx.scoring.noise(asked)
        return 2 * noise_floor([abs(self._logprob(one, one.view_logprob - one.base_logprob)) for one in again])


def _more_gained(gained: int, lost: int, alpha: float) -> Condition:
    p = mcnemar_exact(gained, lost, "greater")
    if p <= alpha:
        return Condition("pass", "")
    if lost >= gained:
        return Condition("fail", f"not learned: {gained} preferences turned to the better and {lost} to the worse")
    return Condition(
        "inconclusive",
        f"{gained} turned to the better and {lost} to the worse may be chance (exact McNemar p {p:.2g}): more triples",
    )


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
