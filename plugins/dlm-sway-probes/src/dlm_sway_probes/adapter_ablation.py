"""``adapter_ablation``: what happens between no adapter and all of it, and a little beyond?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Literal, NamedTuple

from pydantic import field_validator

from dlm_sway import Measurement, Probe, ProbeContext, ProbeResult, View
from dlm_sway.probes.base import Scoring
from dlm_sway.probes.judging import FEWEST_ITEMS
from dlm_sway.scoring.types import FT
from dlm_sway.stats.intervals import Interval, mean_interval
from dlm_sway.stats.noninferiority import Outcome, not_below
from dlm_sway.stats.rank import noise_floor

from .cases import AskingSpec, finite
from .old_keys import EXACT, OWN_TEST, no_effect

_DIP = 0.1
"""A fall between two strengths below 1, as a share of the whole effect, that counts as a dip."""
_SAME = 10.0
"""How far above the noise strength 0 may lie from the base, and strength 1 from the adapter."""
_CURVE = "the curve is reported instead: JS grows with the square of the strength, so straight lines are not normal"


class AdapterAblationSpec(AskingSpec):
    """Keys of an ``adapter_ablation`` entry. With references, the best strength for them is reported, too."""

    lambdas: tuple[float, ...] = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25)
    """Strengths of the adapter's update."""
    divergence: Literal["js", "kl"] = "js"
    assert_linearity_gte: float = 0.85
    """Accepted for old files, as the keys below."""
    assert_saturation_between: tuple[float, float] = (0.3, 1.05)
    assert_overshoot_gte: float = 1.02
    assert_z_gte: float | None = None

    @field_validator("lambdas")
    @classmethod
    def _strengths(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if len(set(value)) < 3 or not all(0 <= one < math.inf for one in value):
            raise ValueError("name at least three different strengths, each 0 or more")
        return tuple(sorted({*value, 1.0}))


class Curve(NamedTuple):
    """What was measured at each strength: divergence and log-probability per token of every item."""

    effects: list[tuple[float, ...]]
    gains: list[tuple[float, ...]]
    adapter: tuple[float, ...]
    """The divergence of the adapter as it is, without scaling."""


class AdapterAblation(Probe[AdapterAblationSpec]):
    """The response to the adapter's strength: grows, starts at the base, and is the adapter at 1."""

    kind = "adapter_ablation"
    spec_type = AdapterAblationSpec

    def judge(self, measured: Measurement, nulls: Sequence[Measurement], ctx: ProbeContext) -> ProbeResult:
        """Never called: this probe looks at several views."""
        raise TypeError("adapter_ablation is run, not judged")

    def run(self, ctx: ProbeContext) -> ProbeResult:
        """Measure every strength, then look at the curve."""
        spec, items = self.spec, self.spec.items
        floor = noise_floor([getattr(one, spec.divergence) for one in ctx.scoring.noise(items)])
        curve = self._curve(ctx.scoring)
        verdict, why = self._verdict(curve, floor, ctx.alpha)
        exponent = self._exponent(curve, floor)
        return self.result(
            verdict,
            f"{why}: {self._said(curve, exponent)}" if why else self._said(curve, exponent),
            raw=exponent.mean if exponent else None,
            ci_95=exponent.bounds if exponent else None,
            n_items=len(items),
            noise_floor=floor,
            seeks="neither",
            evidence=self._evidence(curve),
        )

    def _curve(self, scoring: Scoring) -> Curve:
        items, effects, gains = self.spec.items, [], []
        for strength in self.spec.lambdas:
            view = View("scaled", scale=strength)
            found = scoring.compare(items, view)
            effects.append(finite([getattr(one, self.spec.divergence) for one in found], items, view.label))
            gains.append(tuple((one.view_logprob - one.base_logprob) / one.positions for one in found))
        adapter = [getattr(one, self.spec.divergence) for one in scoring.compare(items, FT)]
        return Curve(effects, gains, finite(adapter, items, FT.label))

    def _verdict(self, curve: Curve, floor: float, alpha: float) -> tuple[Outcome, str]:
        whole, limit = self._at(curve, 1.0), max(_SAME * floor, 1e-6)
        if _mean(whole) <= floor:
            return "inconclusive", "no effect: at full strength the model is its base"
        if 0.0 in self.spec.lambdas and max(self._at(curve, 0.0)) > limit:
            return (
                "fail",
                "at strength 0 the model is not its base: something else changes it too",
            )
        if max(abs(a - b) for a, b in zip(whole, curve.adapter, strict=True)) > limit:
            return "fail", "at strength 1 the model is not the one with the adapter"
        if len(whole) < FEWEST_ITEMS:
            return "inconclusive", f"{len(whole)} items are too few, at least {FEWEST_ITEMS} are needed"
        return self._rising(curve, alpha)

    def _rising(self, curve: Curve, alpha: float) -> tuple[Outcome, str]:
        upto = [(at, effect) for at, effect in zip(self.spec.lambdas, curve.effects, strict=True) if at <= 1.0]
        margin = _DIP * _mean(self._at(curve, 1.0))
        outcomes: dict[Outcome, str] = {}
        for (low, before), (high, after) in pairwise(upto):
            # As many chances of a false alarm as steps: each is tested at its share of alpha.
            rises = [b - a for a, b in zip(before, after, strict=True)]
            test = not_below(rises, margin, alpha / max(1, len(upto) - 1), self._groups)
            outcomes.setdefault(test.outcome, f"from strength {low:g} to {high:g}")
        if "fail" in outcomes:
            return "fail", f"the effect falls {outcomes['fail']}"
        if "inconclusive" in outcomes:
            return "inconclusive", f"whether the effect grows {outcomes['inconclusive']} cannot be told: more items"
        return "pass", ""

    def _exponent(self, curve: Curve, floor: float) -> Interval | None:
        """Slope of ln(effect) over ln(strength) between 0 and 1, an item each: 2 for a small update."""
        inside = [at for at, strength in enumerate(self.spec.lambdas) if 0 < strength <= 1.0]
        xs = [math.log(self.spec.lambdas[at]) for at in inside]
        slopes = []
        for item in range(len(self.spec.items)):
            ys = [curve.effects[at][item] for at in inside]
            if min(ys) > max(floor, 1e-12):
                slopes.append(_slope(xs, [math.log(y) for y in ys]))
        return mean_interval(slopes) if slopes and len(inside) > 1 else None

    def _said(self, curve: Curve, exponent: Interval | None) -> str:
        points = ", ".join(
            f"{strength:g}: {_mean(effect):.2g}"
            for strength, effect in zip(self.spec.lambdas, curve.effects, strict=True)
        )
        text = f"mean {self.spec.divergence.upper()} by strength {points}"
        if exponent:
            ci = f" (95% CI {exponent.low:.2g}..{exponent.high:.2g})" if exponent.bounds else ""
            text += f"; grows with the power {exponent.mean:.2g}{ci}"
        best = self._best(curve)
        return f"{text}; references are likeliest at {best['lambda']:g}" if best else text

    def _best(self, curve: Curve) -> dict[str, Any] | None:
        """The strength at which the references are likeliest, and how much better than at 1 it is."""
        asked = [at for at, item in enumerate(self.spec.items) if item.reference]
        if not asked:
            return None
        means = [_mean([gains[at] for at in asked]) for gains in curve.gains]
        best = max(range(len(means)), key=lambda at: (means[at], -abs(self.spec.lambdas[at] - 1.0)))
        whole = curve.gains[self.spec.lambdas.index(1.0)]
        better = mean_interval([curve.gains[best][at] - whole[at] for at in asked])
        return {
            "lambda": self.spec.lambdas[best],
            "gain_per_lambda": means,
            "better_than_1": better.mean,
            "better_than_1_ci_95": list(better.bounds) if better.bounds else None,
        }

    def _evidence(self, curve: Curve) -> dict[str, Any]:
        spec, means = self.spec, [_mean(effect) for effect in curve.effects]
        whole = _mean(self._at(curve, 1.0))
        return {
            "lambdas": list(spec.lambdas),
            "divergence_kind": spec.divergence,
            "mean_divergence_per_lambda": means,
            "overshoot": means[-1] / whole if whole > 0 and spec.lambdas[-1] > 1.0 else None,
            "best": self._best(curve),
            "notes": no_effect(
                spec,
                top_k=EXACT,
                assert_linearity_gte=_CURVE,
                assert_saturation_between=_CURVE,
                assert_overshoot_gte=_CURVE,
                assert_z_gte=OWN_TEST,
            ),
        }

    def _at(self, curve: Curve, strength: float) -> tuple[float, ...]:
        return curve.effects[self.spec.lambdas.index(strength)]

    @property
    def _groups(self) -> tuple[str, ...]:
        return tuple(item.group for item in self.spec.items)


def _slope(xs: Sequence[float], ys: Sequence[float]) -> float:
    x_mean, y_mean = _mean(xs), _mean(ys)
    square = math.fsum((x - x_mean) ** 2 for x in xs)
    return math.fsum((x - x_mean) * (y - y_mean) for x, y in zip(xs, ys, strict=True)) / square


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
