"""``null_adapter``: which adapters that learned nothing calibrate the suite, and the check that they are comparable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from pydantic import Field, field_validator, model_validator

from ..errors import NotSupported
from ..result import ProbeResult, Verdict
from ..scoring.types import View
from ..spec.fields import SuitePath
from .base import Measurement, Probe, ProbeContext, ProbeSpec

if TYPE_CHECKING:
    from ..scoring.types import AdapterInspection

_SIZE_TOLERANCE = 1e-3
"""Largest relative difference of a module's norm: room for bf16 rounding, none for another size."""

_NOTES = {
    "init_scale": "init_scale has no effect: random adapters take the size of the adapter under test",
    "cache": "cache has no effect here: `--no-cache` asks everything anew",
}

NullKind = Literal["norm_matched", "shuffled_layers", "placebo"]

FEWEST_RUNS: Final = 39
"""As many as a suite gets that does not say: they can show p = 0.025."""

_VIEWS: Final[dict[NullKind, Literal["null", "shuffled", "placebo"]]] = {
    "norm_matched": "null",
    "shuffled_layers": "shuffled",
    "placebo": "placebo",
}
_NOUNS: Final[dict[NullKind, str]] = {
    "norm_matched": "random adapters of the same size",
    "shuffled_layers": "adapters with the same update in other layers",
    "placebo": "placebo adapters",
}


@dataclass(frozen=True)
class NullPlan:
    """Which null adapters a suite measures."""

    runs: int = FEWEST_RUNS
    seed_base: int = 1000
    kinds: frozenset[str] = frozenset()
    """Probe kinds to calibrate; empty for all that can be."""
    null_kind: NullKind = "norm_matched"
    multipliers: tuple[float, ...] = ()
    """Further multiples of the rank to compare with, beside 1; for information."""
    placebos: tuple[str, ...] = ()
    """Folders of placebo adapters."""

    @property
    def views(self) -> tuple[View, ...]:
        """One view a null adapter: what verdicts rest on."""
        return self.views_at(1.0)

    def views_at(self, multiplier: float) -> tuple[View, ...]:
        """The same adapters with the norm of another rank. A placebo has the norm that it has."""
        if self.null_kind == "placebo":
            return tuple(View("placebo", seed=number, adapter=path) for number, path in enumerate(self.placebos))
        kind = _VIEWS[self.null_kind]
        return tuple(View(kind, seed=self.seed_base + run, rank=multiplier) for run in range(self.runs))

    @property
    def noun(self) -> str:
        """What the nulls are, for messages."""
        return _NOUNS[self.null_kind]

    def covers(self, kind: str) -> bool:
        """Whether entries of this kind are calibrated."""
        return not self.kinds or kind in self.kinds


class NullAdapterSpec(ProbeSpec):
    """Keys of a ``null_adapter`` entry. Its place in the suite does not matter."""

    runs: int | None = Field(default=None, ge=1, le=999)
    """How many; left out, as many as the suite's tests need together, and at least 39."""
    seed_base: int = Field(default=1000, ge=0)
    calibrate_kinds: tuple[str, ...] = ()
    null_kind: NullKind = "norm_matched"
    """``norm_matched``: every singular value of the update kept, its directions random. ``shuffled_layers``: the update
    itself, in other layers of the same shape. ``placebo``: adapters trained by the same recipe on shuffled text."""
    placebos: tuple[SuitePath, ...] = ()
    """Folders of the placebo adapters."""
    rank_multipliers: tuple[float, ...] = (1.0,)
    """Also compare with nulls that have the norm of another rank; verdicts rest on 1.0."""
    init_scale: float = 0.02
    cache: bool = True

    @field_validator("rank_multipliers")
    @classmethod
    def _positive(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if not value or not all(0 < one < float("inf") for one in value):
            raise ValueError("every multiplier is a finite number above 0; leave the key out for [1.0]")
        return value

    @model_validator(mode="after")
    def _placebos_fit(self) -> NullAdapterSpec:
        if (self.null_kind == "placebo") != bool(self.placebos):
            raise ValueError("`null_kind: placebo` and `placebos: [FOLDER, ...]` go together: give both or neither")
        if self.placebos and (self.runs is not None or set(self.rank_multipliers) != {1.0}):
            raise ValueError("placebos are as many as their folders and have their own size: leave out runs and ranks")
        return self

    def plan(self, tests: int = 1, alpha: float = 0.05) -> NullPlan:
        """What the runner hands to the other probes of a suite that makes ``tests`` tests at level ``alpha``."""
        from ..stats.rank import nulls_needed

        runs = self.runs or max(FEWEST_RUNS, min(nulls_needed(alpha, tests), 999))
        return NullPlan(
            runs=len(self.placebos) or runs,
            seed_base=self.seed_base,
            kinds=frozenset(self.calibrate_kinds),
            null_kind=self.null_kind,
            multipliers=tuple(sorted({*self.rank_multipliers} - {1.0})),
            placebos=tuple(map(str, self.placebos)),
        )


class NullAdapter(Probe[NullAdapterSpec]):
    """States how many null adapters there are, what p-value they can show, and that their size is right."""

    kind = "null_adapter"
    spec_type = NullAdapterSpec

    def judge(self, measured: Measurement, nulls: Sequence[Measurement], ctx: ProbeContext) -> ProbeResult:
        """Never called: this entry measures nothing of its own."""
        raise TypeError("null_adapter is run, not judged")

    def run(self, ctx: ProbeContext) -> ProbeResult:
        """Check one random adapter against the real one and state the resolution."""
        from ..stats.rank import nulls_needed, resolution

        plan = self.spec.plan(ctx.tests, ctx.alpha)
        needed, smallest = nulls_needed(ctx.alpha, ctx.tests), resolution(plan.runs)
        size = _size(ctx, plan)
        evidence = {
            "runs": plan.runs,
            "seed_base": plan.seed_base,
            "null_kind": plan.null_kind,
            "rank_multipliers": [1.0, *plan.multipliers],
            "placebos": list(plan.placebos),
            "resolution": smallest,
            "runs_needed": needed,
            "tests": ctx.tests,
            "calibrate_kinds": list(self.spec.calibrate_kinds),
            "size": size,
            "notes": [note for key, note in _NOTES.items() if key in self.spec.model_fields_set],
        }
        counted = f"{plan.runs} {plan.noun}, smallest possible p {smallest:.2g}"
        verdict, message = _verdict(plan, counted, needed, size, ctx)
        return self.result(verdict, message, evidence=evidence)


def _verdict(
    plan: NullPlan, counted: str, needed: int, size: dict[str, object], ctx: ProbeContext
) -> tuple[Verdict, str]:
    if size.get("same") is False:
        return "fail", f"random adapters differ in size from the real one ({size['worst']}): p-values here mean nothing"
    if plan.runs < needed:
        over = f" over {ctx.tests} tests" if ctx.tests > 1 else ""
        more = f"{needed} placebos" if plan.placebos else f"runs: {needed}"
        return "warn", f"{counted}: too few for alpha {ctx.alpha:g}{over}, which needs {more}"
    checked = "sizes checked" if size["checked"] else f"sizes not checked: {size['reason']}"
    return "pass", f"{counted} ({checked})"


def _size(ctx: ProbeContext, plan: NullPlan) -> dict[str, object]:
    if plan.null_kind == "shuffled_layers":
        return {"checked": False, "reason": "they are the real update, elsewhere"}
    if plan.null_kind == "placebo":
        return {"checked": False, "reason": "a placebo has the size that its training gave it"}
    try:
        return _size_of_null(ctx, plan.seed_base)
    except NotSupported as error:
        return {"checked": False, "reason": str(error)}


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
