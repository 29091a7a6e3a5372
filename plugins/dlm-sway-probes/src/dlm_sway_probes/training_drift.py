"""``training_drift``: did the loss come down, smoothly, and without jumps? Reads the training log; needs no model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median
from typing import Any, NamedTuple

from pydantic import Field
from scipy.special import ndtri

from dlm_sway import Measurement, Probe, ProbeContext, ProbeResult
from dlm_sway.errors import NothingToAsk
from dlm_sway.probes.base import ProbeSpec
from dlm_sway.spec.fields import SuitePath

from .training_record import Phase, Run, read_run, store_of, version_facts

_SAMPLED = 512
_NORMAL_MAD = 1.4826
"""Standard deviation of a normal sample, in its median absolute deviations."""
_SMALLEST_JUMP = 0.5
"""Of the way that the loss came: below this share nothing is called a jump."""
_LEAST = 1e-9
"""A loss below this counts as this, where its logarithm is taken."""
_NEIGHBOURS = 2
"""Windows on either side from which the noise at a step is taken."""


class TrainingDriftSpec(ProbeSpec):
    """Keys of a ``training_drift`` entry."""

    store_path: SuitePath | None = None
    """The store of the document; without it, the one that the adapter lies in."""
    min_steps: int = Field(default=10, ge=4)
    rolling_window: int = Field(default=10, ge=3)
    """Steps over which the trend is taken."""
    spike_sigma: float = Field(default=3.0, gt=0)
    """Standard deviations above the trend that make a jump; at least as many as one calm run in 20 (``alpha``) has."""
    assert_smoothness_gte: float = Field(default=0.7, ge=0, le=1)
    """Share of the loss's variance that is trend."""
    assert_convergence_ratio_lte: float = Field(default=0.7, gt=0)
    """Median of the last window over the median of the first."""
    assert_instability_events_lte: int = Field(default=0, ge=0)


class Course(NamedTuple):
    """The losses of one phase, in numbers."""

    phase: str
    steps: int
    first: float
    last: float
    smoothness: float
    jumps: tuple[int, ...]
    """Steps."""
    not_finite: tuple[int, ...]

    @property
    def convergence(self) -> float:
        """Last over first."""
        return self.last / self.first if self.first > 0 else math.inf


class TrainingDrift(Probe[TrainingDriftSpec]):
    """Convergence, smoothness and jumps of the training loss, for every phase."""

    kind = "training_drift"
    spec_type = TrainingDriftSpec

    def judge(self, measured: Measurement, nulls: Sequence[Measurement], ctx: ProbeContext) -> ProbeResult:
        """Never called: no view is measured."""
        raise TypeError("training_drift is run, not judged")

    def run(self, ctx: ProbeContext) -> ProbeResult:
        """Read the log; a loss that is not a number fails, anything else is worth a warning."""
        run = self._run(ctx)
        long = [phase for phase in run.phases if len(phase.losses) >= self.spec.min_steps]
        if not long:
            raise NothingToAsk(f"no phase of run {run.run_id} has {self.spec.min_steps} steps")
        courses = [self._course(phase, ctx.alpha) for phase in long]
        broken = [one for one in courses if one.not_finite]
        found = [fault for one in courses for fault in self._faults(one)]
        worst = max(courses, key=lambda one: one.convergence)
        said = "; ".join(_said(one) for one in courses)
        if broken:
            verdict, said = "fail", f"the loss was not finite at step {broken[0].not_finite[0]}: {said}"
        else:
            verdict = "warn" if found else "pass"
            said = f"{found[0]}: {said}" if found else said
        return self.result(
            verdict,
            said,
            raw=worst.convergence if math.isfinite(worst.convergence) else None,
            n_items=sum(one.steps for one in courses),
            seeks="harm",
            evidence=self._evidence(run, long, courses, found),
        )

    def _run(self, ctx: ProbeContext) -> Run:
        adapter = ctx.adapter
        place = self.spec.store_path or adapter
        store = store_of(place.absolute()) if place else None
        if store is None:
            raise NothingToAsk("no training log: the adapter lies in no store of dlm; name one with store_path")
        run_id = version_facts(adapter).get("run_id") if adapter and self.spec.store_path is None else None
        run = read_run(store, run_id)
        if run is None:
            raise NothingToAsk(f"no log of the training in {store / 'logs'}")
        return run

    def _course(self, phase: Phase, alpha: float) -> Course:
        rows = phase.in_order
        not_finite = tuple(step for step, loss in rows if loss is None or not math.isfinite(loss))
        finite = [(step, loss) for step, loss in rows if loss is not None and math.isfinite(loss)]
        losses = [loss for _, loss in finite]
        if not losses:
            return Course(phase.name, len(rows), math.inf, math.inf, 0.0, (), not_finite)
        trend = rolling_median(losses, self.spec.rolling_window)
        rest = [loss - around for loss, around in zip(losses, trend, strict=True)]
        ends = min(self.spec.rolling_window, max(1, len(losses) // 4))
        jumps = tuple(finite[at][0] for at in self._jumps(rest, trend, alpha))
        first, last = median(losses[:ends]), median(losses[-ends:])
        return Course(phase.name, len(rows), first, last, smoothness(losses, rest), jumps, not_finite)

    def _jumps(self, rest: Sequence[float], trend: Sequence[float], alpha: float) -> list[int]:
        """Where the loss stands above its trend by more than the noise there does over so many steps.

        Noise shrinks as the loss does, in some runs in proportion and in others not: a jump stands out either way. And
        it goes back at least half of the way that the loss came, since one batch may be harder than the next.
        """
        # A calm curve of n steps stays below this, but for a share alpha of all such curves.
        deviations = max(self.spec.spike_sigma, -float(ndtri(alpha / len(rest))))
        least = _SMALLEST_JUMP * (max(trend) - min(trend))
        relative = [
            math.log(max(one + around, _LEAST) / max(around, _LEAST)) for one, around in zip(rest, trend, strict=True)
        ]
        everywhere = _NORMAL_MAD * median(map(abs, relative))
        return [
            at
            for at, one in enumerate(rest)
            if one > max(least, deviations * self._noise_around(rest, at))
            and relative[at] > deviations * max(everywhere, self._noise_around(relative, at))
        ]

    def _noise_around(self, rest: Sequence[float], at: int) -> float:
        """Standard deviation of the steps near ``at``, itself left out, from the median of what they deviate by."""
        reach = _NEIGHBOURS * self.spec.rolling_window
        near = [*rest[max(0, at - reach) : at], *rest[at + 1 : at + 1 + reach]]
        return _NORMAL_MAD * median(map(abs, near))

    def _faults(self, one: Course) -> list[str]:
        spec, found = self.spec, []
        if one.convergence > spec.assert_convergence_ratio_lte:
            found.append(f"the loss came down to {one.convergence:.0%}, above {spec.assert_convergence_ratio_lte:.0%}")
        if len(one.jumps) > spec.assert_instability_events_lte:
            found.append(f"{_jumps(one)} of the loss, first at step {one.jumps[0]}")
        if one.smoothness < spec.assert_smoothness_gte:
            found.append(f"only {one.smoothness:.0%} of the loss's variance is trend")
        return found

    def _evidence(
        self, run: Run, long: Sequence[Phase], courses: Sequence[Course], found: Sequence[str]
    ) -> dict[str, Any]:
        finite = [[step, loss] for phase in long for step, loss in phase.in_order if loss is not None]
        last = courses[-1]
        known = math.isfinite(last.first)
        return {
            "run_id": run.run_id,
            "num_log_files": len(run.logs),
            "num_steps": sum(one.steps for one in courses),
            "initial_loss": last.first if known else None,
            "final_loss": last.last if known else None,
            "convergence_ratio": last.convergence if known and math.isfinite(last.convergence) else None,
            "smoothness": min(one.smoothness for one in courses),
            "instability_events": sum(len(one.jumps) for one in courses),
            "phases": [
                {"phase": one.phase, "steps": one.steps, "jumps": list(one.jumps), "not_finite": list(one.not_finite)}
                for one in courses
            ],
            "faults": list(found),
            "curve_sampled": finite[:: max(1, -(-len(finite) // _SAMPLED))],
        }


def rolling_median(values: Sequence[float], window: int) -> list[float]:
    """The median of the ``window`` values around each, fewer at the ends, as many on either side."""
    reach = window // 2
    return [
        median(values[at - side : at + side + 1])
        for at in range(len(values))
        for side in [min(reach, at, len(values) - 1 - at)]
    ]


def smoothness(losses: Sequence[float], rest: Sequence[float]) -> float:
    """Share of the variance of ``losses`` that is not in what their trend leaves over; 1 for a constant."""
    centre = math.fsum(losses) / len(losses)
    whole = math.fsum((loss - centre) ** 2 for loss in losses)
    return max(0.0, 1.0 - math.fsum(one * one for one in rest) / whole) if whole > 0 else 1.0


def _said(one: Course) -> str:
    name = f"{one.phase}: " if one.phase else ""
    return (
        f"{name}loss {one.first:.3g} to {one.last:.3g} over {one.steps} steps, {one.smoothness:.0%} of its variance "
        f"trend, {_jumps(one)}"
    )


def _jumps(one: Course) -> str:
    return "1 jump" if len(one.jumps) == 1 else f"{len(one.jumps)} jumps"
