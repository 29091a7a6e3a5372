"""``delta_kl``: did predictions move, by more than noise and more than a random adapter of that size moves them?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field, model_validator
from scipy.special import ndtr

from dlm_sway import Item, Measurement, Probe, ProbeContext, ProbeResult, View
from dlm_sway.probes.base import ProbeSpec, Scoring
from dlm_sway.stats.intervals import Interval, mean_interval
from dlm_sway.stats.noninferiority import MarginTest, not_above
from dlm_sway.stats.power import minimum_detectable
from dlm_sway.stats.rank import noise_floor, prediction_p
from dlm_sway.suite.calibrate import Ranking, rank

from .cases import FEWEST_ITEMS, Case, distinct, finite, groups, repeated

_LISTED = 10


class DeltaKlSpec(ProbeSpec):
    """Keys of a ``delta_kl`` entry."""

    prompts: tuple[str, ...] = ()
    """Only the first token after each is compared."""
    cases: tuple[Case, ...] = ()
    """The divergence is averaged along each reference."""
    divergence: Literal["js", "kl"] = "js"
    """``js`` lies between 0 and ln 2 nats; ``kl`` is KL(adapted || base), without a bound."""
    assert_mean_gte: float = Field(default=0.02, ge=0)
    """Smallest mean, in nats, that counts as a change."""
    assert_mean_lte: float | None = Field(default=None, gt=0)
    """Turns the entry into a guard: the mean must be shown to lie below this margin."""
    assert_z_gte: float | None = None
    """Deprecated; adds a one-sided t test against the nulls at the level this z stands for."""
    top_k: int | None = Field(default=None, ge=1)
    """Accepted for old files; divergences are exact over the whole vocabulary."""

    @model_validator(mode="after")
    def _askable(self) -> DeltaKlSpec:
        if not self.items:
            raise ValueError("there is nothing to ask: give prompts, or cases with a prompt and a reference")
        if self.assert_mean_lte is not None and "assert_mean_gte" in self.model_fields_set:
            raise ValueError(
                "assert_mean_gte looks for a change and assert_mean_lte guards against one: make two entries"
            )
        return self

    @property
    def items(self) -> tuple[Item, ...]:
        """Everything that is asked, each once."""
        return distinct([*(Item(prompt) for prompt in self.prompts), *(case.item for case in self.cases)])


class DeltaKl(Probe[DeltaKlSpec]):
    """Mean divergence between the adapted model and its base, over items."""

    kind = "delta_kl"
    spec_type = DeltaKlSpec
    calibrated = True

    def measure(self, scoring: Scoring, view: View) -> Measurement:
        """Divergence of ``view`` from the base on each item, in nats."""
        items = self.spec.items
        found = [getattr(one, self.spec.divergence) for one in scoring.compare(items, view)]
        return Measurement(finite(found, items, view.label), groups(items))

    def run(self, ctx: ProbeContext) -> ProbeResult:
        """As every calibrated probe; a guard is not compared with random adapters, so none are measured."""
        if self.spec.assert_mean_lte is None:
            return super().run(ctx)
        return self.judge(self.measure(ctx.scoring, View("ft")), [], ctx)

    def judge(self, measured: Measurement, nulls: Sequence[Measurement], ctx: ProbeContext) -> ProbeResult:
        """A conjunction: above the noise, above the threshold, and above random adapters."""
        floor = self._floor(ctx)
        if self.spec.assert_mean_lte is not None:
            return self._guard(measured, self.spec.assert_mean_lte, floor, ctx)
        interval, ranking = mean_interval(measured.values, measured.groups), rank(measured, nulls, ctx)
        verdict, why = self._verdict(measured, interval, floor, ranking)
        verdict, why, deprecated = self._old_z(verdict, why, measured, nulls)
        message = f"{self._measured(interval)}, noise floor {floor:.2g}, {ranking.text}"
        return self.result(
            verdict,
            f"{why}: {message}" if why else message,
            raw=measured.mean,
            ci_95=interval.bounds,
            p_value=ranking.p_value,
            z_score=ranking.z_score,
            n_items=interval.n,
            noise_floor=floor,
            nulls=ranking.summary,
            seeks="change",
            evidence={**self._evidence(measured, interval), **deprecated},
        )

    def _verdict(
        self, measured: Measurement, interval: Interval, floor: float, ranking: Ranking
    ) -> tuple[Literal["pass", "fail", "inconclusive"], str]:
        if interval.mean <= floor or max(measured.values) <= floor:
            return "fail", "no change: nothing above numeric noise"
        if interval.n < FEWEST_ITEMS:
            return "inconclusive", f"{interval.n} items are too few, at least {FEWEST_ITEMS} are needed"
        if interval.mean < self.spec.assert_mean_gte:
            return "fail", f"below the threshold of {self.spec.assert_mean_gte:g} nats"
        if interval.low <= floor:
            return "inconclusive", "the interval reaches down to the noise: more items are needed"
        if ranking.outcome == "untold":
            return "inconclusive", "not calibrated" if ranking.p_value is None else "too few random adapters"
        if ranking.outcome == "within":
            return "fail", "moved, but not more than a random adapter of the same size"
        return "pass", ""

    def _guard(self, measured: Measurement, margin: float, floor: float, ctx: ProbeContext) -> ProbeResult:
        test = not_above(measured.values, margin, ctx.alpha, measured.groups)
        outcome, why = test.outcome, _GUARD_WORDS[test.outcome]
        if test.interval.n < FEWEST_ITEMS:
            outcome, why = (
                "inconclusive",
                f"{test.interval.n} items are too few, at least {FEWEST_ITEMS} are needed for",
            )
        return self.result(
            outcome,
            f"{why} the margin of {margin:g} nats: {self._measured(test.interval)}, {_bounds(test, ctx.alpha)}",
            raw=measured.mean,
            ci_95=test.interval.bounds,
            n_items=test.interval.n,
            noise_floor=floor,
            seeks="harm",
            category="calibration",
            evidence={**self._evidence(measured, test.interval), "margin": margin},
        )

    def _old_z(
        self,
        verdict: Literal["pass", "fail", "inconclusive"],
        why: str,
        measured: Measurement,
        nulls: Sequence[Measurement],
    ) -> tuple[Literal["pass", "fail", "inconclusive"], str, dict[str, object]]:
        z = self.spec.assert_z_gte
        if z is None:
            return verdict, why, {}
        level, found = float(ndtr(-z)), prediction_p(measured.mean, [null.mean for null in nulls])
        evidence: dict[str, object] = {"assert_z_gte": z, "level": level, "prediction_p": found.p if found else None}
        if verdict != "pass" or (found and found.p <= level):
            return verdict, why, evidence
        if found is None:
            return "inconclusive", f"assert_z_gte {z:g} needs two random adapters that differ", evidence
        return (
            "fail",
            f"assert_z_gte {z:g} asks for p <= {level:.2g} in a t test against the nulls, found {found.p:.2g}",
            evidence,
        )

    def _floor(self, ctx: ProbeContext) -> float:
        return noise_floor([getattr(one, self.spec.divergence) for one in ctx.scoring.noise(self.spec.items)])

    def _measured(self, interval: Interval) -> str:
        clusters = f" in {interval.clusters} groups" if interval.clusters < interval.n else ""
        ci = f" (95% CI {interval.low:.2g}..{interval.high:.2g})" if interval.bounds else ""
        return f"mean {self.spec.divergence.upper()} {interval.mean:.3g} nats over {interval.n} items{clusters}{ci}"

    def _evidence(self, measured: Measurement, interval: Interval) -> dict[str, object]:
        rows = sorted(zip(measured.values, self.spec.items, strict=True), key=lambda row: -row[0])
        spec = self.spec
        notes = [
            "top_k has no effect: divergences are exact over the whole vocabulary" if spec.top_k is not None else "",
            "assert_z_gte is deprecated: it is read as a t test against the nulls"
            if spec.assert_z_gte is not None
            else "",
        ]
        return {
            "divergence": spec.divergence,
            "per_item": list(measured.values),
            "largest": [{"prompt": item.prompt, "value": value} for value, item in rows[:_LISTED]],
            "max": max(measured.values),
            "clusters": interval.clusters,
            "minimum_detectable": minimum_detectable(interval.spread, interval.n) if interval.bounds else None,
            "notes": [*(note for note in notes if note), *repeated(len(spec.prompts) + len(spec.cases), len(rows))],
        }


_GUARD_WORDS = {"pass": "stays below", "fail": "exceeds", "inconclusive": "cannot be told from"}


def _bounds(test: MarginTest, alpha: float) -> str:
    if not test.interval.bounds:
        return "without a bound"
    return f"one-sided {1 - alpha:.0%} bounds {test.low:.2g} and {test.high:.2g}"
