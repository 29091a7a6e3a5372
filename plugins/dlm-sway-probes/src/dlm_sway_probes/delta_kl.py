"""``delta_kl``: did predictions move, by more than noise and more than a random adapter of that size moves them?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from pydantic import Field, model_validator

from dlm_sway import Measurement, Probe, ProbeContext, ProbeResult, View
from dlm_sway.probes.base import Scoring
from dlm_sway.probes.judging import Estimate, Words, intended, old_z, unharmed
from dlm_sway.result import Seeks
from dlm_sway.stats.rank import noise_floor
from dlm_sway.suite.calibrate import rank

from .cases import AskingSpec, finite, groups, repeated

_LISTED = 10


class DeltaKlSpec(AskingSpec):
    """Keys of a ``delta_kl`` entry."""

    divergence: Literal["js", "kl"] = "js"
    """``js`` lies between 0 and ln 2 nats; ``kl`` is KL(adapted || base), without a bound."""
    assert_mean_gte: float = Field(default=0.02, ge=0)
    """Smallest mean, in nats, that counts as a change."""
    assert_mean_lte: float | None = Field(default=None, gt=0)
    """Turns the entry into a guard: the mean must be shown to lie below this margin."""
    assert_z_gte: float | None = None
    """Deprecated; adds a one-sided t test against the nulls at the level this z stands for."""

    @model_validator(mode="after")
    def _one_direction(self) -> DeltaKlSpec:
        if self.assert_mean_lte is not None and "assert_mean_gte" in self.model_fields_set:
            raise ValueError(
                "assert_mean_gte looks for a change and assert_mean_lte guards against one: make two entries"
            )
        return self


class DeltaKl(Probe[DeltaKlSpec]):
    """Mean divergence between the adapted model and its base, over items."""

    kind = "delta_kl"
    spec_type = DeltaKlSpec
    calibrated = True

    @property
    def seeks(self) -> Seeks | None:
        """A guard looks for harm, whatever the kind usually looks for."""
        return None if self.spec.assert_mean_lte is None else "harm"

    def measure(self, scoring: Scoring, view: View) -> Measurement:
        """Divergence of ``view`` from the base on each item, in nats."""
        items = self.spec.items
        found = [getattr(one, self.spec.divergence) for one in scoring.compare(items, view)]
        return Measurement(finite(found, items, view.label), groups(items))

    def run(self, ctx: ProbeContext) -> ProbeResult:
        """As every calibrated probe; a guard is not compared with random adapters, so none are measured."""
        return super().run(ctx if self.spec.assert_mean_lte is None else replace(ctx, nulls=None))

    def judge(self, measured: Measurement, nulls: Sequence[Measurement], ctx: ProbeContext) -> ProbeResult:
        """Above the noise, above the threshold and above random adapters; or, as a guard, below the margin."""
        floor, spec = self._floor(ctx), self.spec
        what, evidence = f"mean {spec.divergence.upper()}", self._evidence(measured)
        if spec.assert_mean_lte is not None:
            return unharmed(
                self,
                measured.values,
                ctx,
                margin=spec.assert_mean_lte,
                what=what,
                worse="higher",
                groups=measured.groups,
                floor=floor,
                z=spec.assert_z_gte,
                category="calibration",
                evidence=evidence,
            )
        return intended(
            self,
            Estimate.of_mean(measured.values, measured.groups),
            rank(measured, nulls, ctx),
            threshold=spec.assert_mean_gte,
            what=what,
            floor=floor,
            moved=measured.mean > floor,
            words=_WORDS,
            z=old_z(spec.assert_z_gte, measured, nulls),
            evidence=evidence,
        )

    def _floor(self, ctx: ProbeContext) -> float:
        return noise_floor([getattr(one, self.spec.divergence) for one in ctx.scoring.noise(self.spec.items)])

    def _evidence(self, measured: Measurement) -> dict[str, object]:
        rows = sorted(zip(measured.values, self.spec.items, strict=True), key=lambda row: -row[0])
        spec, notes = self.spec, []
        if spec.top_k is not None:
            notes.append("top_k has no effect: divergences are exact over the whole vocabulary")
        return {
            "divergence": spec.divergence,
            "per_item": list(measured.values),
            "largest": [{"prompt": item.prompt, "value": value} for value, item in rows[:_LISTED]],
            "max": max(measured.values),
            "notes": [*notes, *repeated(len(spec.prompts) + len(spec.cases), len(rows))],
        }


_WORDS = Words(chance="moved, but not more than a random adapter of the same size")
