"""``null_adapter``: which random adapters calibrate the suite, and the check that they are of the right size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import Field, field_validator

from ..errors import NotSupported
from ..result import ProbeResult, Verdict
from ..scoring.types import View
from .base import Measurement, Probe, ProbeContext, ProbeSpec

if TYPE_CHECKING:
    from ..scoring.types import AdapterInspection

_SIZE_TOLERANCE = 1e-3
"""Largest relative difference of a module's norm: room for bf16 rounding, none for another size."""

_NOTES = {
    "init_scale": "init_scale has no effect: random adapters take the size of the adapter under test",
    "cache": "cache has no effect: nothing is kept between runs",
}


@dataclass(frozen=True)
class NullPlan:
    """Which random adapters a suite measures."""

    runs: int = 39
    seed_base: int = 1000
    kinds: frozenset[str] = frozenset()
    """Probe kinds to calibrate; empty for all that can be."""

    @property
    def views(self) -> tuple[View, ...]:
        """One view a random adapter."""
        return tuple(View("null", seed=self.seed_base + run) for run in range(self.runs))

    def covers(self, kind: str) -> bool:
        """Whether entries of this kind are calibrated."""
        return not self.kinds or kind in self.kinds


class NullAdapterSpec(ProbeSpec):
    """Keys of a ``null_adapter`` entry. Its place in the suite does not matter."""

    runs: int = Field(default=39, ge=1, le=999)
    seed_base: int = Field(default=1000, ge=0)
    calibrate_kinds: tuple[str, ...] = ()
    rank_multipliers: tuple[float, ...] = (1.0,)
    init_scale: float = 0.02
    cache: bool = True

    @field_validator("rank_multipliers")
    @classmethod
    def _positive(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if not value or not all(0 < one < float("inf") for one in value):
            raise ValueError("every multiplier is a finite number above 0; leave the key out for [1.0]")
        return value

    def plan(self) -> NullPlan:
        """What the runner hands to the other probes."""
        return NullPlan(self.runs, self.seed_base, frozenset(self.calibrate_kinds))


class NullAdapter(Probe[NullAdapterSpec]):
    """States how many random adapters there are, what p-value they can show, and that their size is right."""

    kind = "null_adapter"
    spec_type = NullAdapterSpec

    def judge(self, measured: Measurement, nulls: Sequence[Measurement], ctx: ProbeContext) -> ProbeResult:
        """Never called: this entry measures nothing of its own."""
        raise TypeError("null_adapter is run, not judged")

    def run(self, ctx: ProbeContext) -> ProbeResult:
        """Check one random adapter against the real one and state the resolution."""
        from ..stats.rank import nulls_needed, resolution

        needed, smallest = nulls_needed(ctx.alpha), resolution(self.spec.runs)
        try:
            size = _size_of_null(ctx, self.spec.seed_base)
        except NotSupported as error:
            size = {"checked": False, "reason": str(error)}
        evidence = {
            "runs": self.spec.runs,
            "seed_base": self.spec.seed_base,
            "resolution": smallest,
            "runs_needed": needed,
            "calibrate_kinds": list(self.spec.calibrate_kinds),
            "size": size,
            "notes": [note for key, note in _NOTES.items() if key in self.spec.model_fields_set],
        }
        counted = f"{self.spec.runs} random adapters of the same size, smallest possible p {smallest:.2g}"
        verdict, message = self._verdict(counted, needed, size, ctx.alpha)
        return self.result(verdict, message, evidence=evidence)

    def _verdict(self, counted: str, needed: int, size: dict[str, object], alpha: float) -> tuple[Verdict, str]:
        if size.get("same") is False:
            return "fail", (
                f"random adapters differ in size from the real one ({size['worst']}): p-values here mean nothing"
            )
        if self.spec.rank_multipliers != (1.0,):
            return "warn", (
                f"{counted}; rank_multipliers is not supported: random adapters have the size of the real one"
            )
        if self.spec.runs < needed:
            return "warn", f"{counted}: too few for alpha {alpha:g}, which needs runs: {needed}"
        checked = "sizes checked" if size["checked"] else f"sizes not checked: {size['reason']}"
        return "pass", f"{counted} ({checked})"


def _size_of_null(ctx: ProbeContext, seed: int) -> dict[str, object]:
    real, null = ctx.scoring.inspect(), ctx.scoring.inspect_null(seed)
    worst, where = _largest_difference(real, null)
    return {
        "checked": True,
        "same": worst <= _SIZE_TOLERANCE,
        "modules": len(real.modules),
        "largest_relative_difference": worst,
        "worst": f"{where}: {worst:.1%} off",
    }


def _largest_difference(real: AdapterInspection, null: AdapterInspection) -> tuple[float, str]:
    sizes = {module.name: module.update_norm for module in null.modules}
    if sizes.keys() != {module.name for module in real.modules}:
        return 1.0, "another set of modules"
    differences = [
        (abs(sizes[module.name] - module.update_norm) / max(module.update_norm, sizes[module.name], 1e-30), module.name)
        for module in real.modules
    ]
    return max(differences, default=(0.0, "no modules"))
