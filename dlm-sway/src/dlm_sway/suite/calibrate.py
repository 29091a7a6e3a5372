"""Calibration of one suite entry: the same items and settings, measured on random adapters of the same size."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from ..errors import NotSupported
from ..probes.base import Measurement
from ..result import NullSummary

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ..probes.base import Probe, ProbeContext


class Nulls(list[Measurement]):
    """Measurements on null adapters; when empty, :attr:`reason` says why."""

    def __init__(self, measured: Iterable[Measurement] = (), reason: str = "") -> None:
        super().__init__(measured)
        self.reason = reason
        self.by_rank: dict[float, list[Measurement]] = {}
        """The same at other multiples of the rank, for information."""


def measure_nulls(probe: Probe[Any], ctx: ProbeContext) -> Nulls:
    """Measure ``probe`` on every null adapter of the suite's plan, in the order of their seeds.

    An adapter that has no null (see :class:`~dlm_sway.errors.NotSupported`) gives an empty list with the reason: the
    probe then cannot reach a verdict that rests on calibration. There is no fall-back to another test.
    """
    found = Nulls()
    if ctx.nulls is None:
        found.reason = _NO_PLAN
    elif not ctx.nulls.covers(probe.kind):
        found.reason = f"calibrate_kinds of the null_adapter entry leaves out {probe.kind}"
    else:
        try:
            found.extend(probe.measure(ctx.scoring, view) for view in ctx.nulls.views)
            for multiplier in ctx.nulls.multipliers:
                views = ctx.nulls.views_at(multiplier)
                found.by_rank[multiplier] = [probe.measure(ctx.scoring, view) for view in views]
        except NotSupported as error:
            found.clear()
            found.reason = str(error)
    return found


@dataclass(frozen=True)
class Ranking:
    """Where a measurement stands among its nulls."""

    outcome: Literal["beyond", "within", "untold"]
    """``beyond``: larger than random adapters at level alpha. ``untold``: too few nulls to say."""
    p_value: float | None
    summary: NullSummary | None
    z_score: float | None
    """Distance from the nulls' mean in their standard deviations; for information, no verdict rests on it."""
    text: str
    """For a message: the p-value and its resolution, or why there is none."""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    """``z_by_rank`` and ``p_by_rank``, where the suite asks for other multiples of the rank."""


def rank(measured: Measurement, nulls: Sequence[Measurement], ctx: ProbeContext) -> Ranking:
    """One-sided rank test that the mean over items is larger than on the nulls, at level ``ctx.alpha``.

    Raises:
        ValueError: a measurement is not finite.
    """
    from ..stats.rank import nulls_needed, rank_p

    if not nulls:
        return Ranking("untold", None, None, None, f"no random adapters to compare with: {why_none(nulls, ctx)}")
    p, summary = rank_p(measured.mean, [null.mean for null in nulls]), summarise(nulls)
    noun = ctx.nulls.noun if ctx.nulls else "random adapters"
    text = f"p = {p:.2g} vs {summary.n} {noun} (smallest possible {summary.resolution:.2g})"
    outcome: Literal["beyond", "within", "untold"] = "beyond" if p <= ctx.alpha else "within"
    if summary.resolution > ctx.alpha:
        outcome = "untold"
        needed = nulls_needed(ctx.alpha, ctx.tests)
        text += f"; alpha {ctx.alpha:g} needs at least {needed} (runs of null_adapter, --nulls of sway check)"
    return Ranking(outcome, p, summary, _z(measured, summary), text, _by_rank(measured, nulls))


def _z(measured: Measurement, summary: NullSummary) -> float | None:
    return (measured.mean - summary.mean) / summary.sd if summary.sd > 0 else None


def _by_rank(measured: Measurement, nulls: Sequence[Measurement]) -> dict[str, Any]:
    from ..stats.rank import rank_p

    others = nulls.by_rank if isinstance(nulls, Nulls) else {}
    if not others:
        return {}
    ranks = sorted({1.0: list(nulls), **others}.items())
    return {
        "z_by_rank": {f"rank_{rank:.2f}": _z(measured, summarise(found)) for rank, found in ranks},
        "p_by_rank": {f"rank_{rank:.2f}": rank_p(measured.mean, [one.mean for one in found]) for rank, found in ranks},
    }


def summarise(nulls: Sequence[Measurement]) -> NullSummary:
    """The nulls' means over items, in numbers. ``nulls`` is not empty."""
    from ..stats.rank import resolution, sample_sd

    values = [null.mean for null in nulls]
    return NullSummary(
        n=len(values),
        mean=math.fsum(values) / len(values),
        sd=sample_sd(values),
        largest=max(values),
        resolution=resolution(len(values)),
    )


def why_none(nulls: Sequence[Measurement], ctx: ProbeContext) -> str:
    """Why there are no nulls, in words that follow a colon."""
    if ctx.nulls is None:
        return _NO_PLAN
    return (nulls.reason if isinstance(nulls, Nulls) else "") or "none were measured"


_NO_PLAN = "the suite has no enabled null_adapter entry; add one with `runs: 39`"
