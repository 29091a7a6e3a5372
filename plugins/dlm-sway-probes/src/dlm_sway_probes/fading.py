"""How fast an effect fades with distance: one slope an item, so that items are what the uncertainty comes from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from dlm_sway.probes.judging import FEWEST_ITEMS, Estimate, too_few
from dlm_sway.stats.intervals import Interval
from dlm_sway.stats.noninferiority import Outcome, not_below

if TYPE_CHECKING:
    from dlm_sway.stats.noninferiority import MarginTest


class Fading(NamedTuple):
    """Items whose effect was followed over the same distances."""

    test: MarginTest
    """Of the mean slope of ln(effect), against the slope of the half-life that is asked for."""
    kept: int
    dropped: int
    """Items without an effect at the nearest distance: there is nothing that could fade."""

    @property
    def half_life(self) -> float | None:
        """In units of distance; ``None`` when nothing fades."""
        return _halving(self.test.interval.mean)

    @property
    def half_life_ci(self) -> list[float | None] | None:
        """Its 95% interval; an end is ``None`` where no fading at all cannot be excluded."""
        interval: Interval = self.test.interval
        return [_halving(interval.low), _halving(interval.high)] if interval.bounds else None


def fading(
    distances: Sequence[float], effects: Sequence[Sequence[float]], floor: float, half_life: float, alpha: float
) -> Fading | None:
    """The slopes of ln(effect) over distance, one an item; ``effects[item][at]``. ``None`` when no item has an effect.

    What lies below the numeric noise counts as the noise. The mean slope must be shown to lie above that of the wanted
    half-life, ``-ln 2 / half_life``: an effect that stays or grows passes, one that is too uncertain does not.
    """
    smallest = max(floor, 1e-12)
    followed = [row for row in effects if row[0] > smallest]
    if not followed:
        return None
    slopes = [_slope(distances, [math.log(max(one, smallest)) for one in row]) for row in followed]
    return Fading(not_below(slopes, math.log(2) / half_life, alpha), len(followed), len(effects) - len(followed))


def judged(found: Fading | None, half_life: float, unit: str) -> tuple[Outcome, str]:
    """The verdict, and the sentence that says what was found."""
    if found is None:
        return "inconclusive", "there is no effect that could fade: nothing above numeric noise"
    interval, value = found.test.interval, found.half_life
    said = f"half-life {value:.3g} {unit}" if value is not None else "the effect does not fade"
    ends = found.half_life_ci
    if ends and value is not None:
        said += f" (95% CI {_end(ends[0])}..{_end(ends[1])})"
    said += f" over {interval.n} items"
    if interval.n < FEWEST_ITEMS:
        return "inconclusive", f"{too_few(Estimate.of_interval(interval))}: {said}"
    words = {"pass": "lasts longer than", "fail": "fades faster than", "inconclusive": "cannot be told from"}
    return found.test.outcome, f"{words[found.test.outcome]} a half-life of {half_life:g} {unit}: {said}"


def evidence(found: Fading | None) -> dict[str, Any]:
    """For the report."""
    if found is None:
        return {"half_life": None, "half_life_ci_95": None, "items_without_effect": None}
    return {"half_life": found.half_life, "half_life_ci_95": found.half_life_ci, "items_without_effect": found.dropped}


def means(effects: Sequence[Sequence[float]]) -> list[float]:
    """Mean over items at every distance."""
    return [math.fsum(column) / len(column) for column in zip(*effects, strict=True)]


def _slope(xs: Sequence[float], ys: Sequence[float]) -> float:
    x_mean, y_mean = math.fsum(xs) / len(xs), math.fsum(ys) / len(ys)
    square = math.fsum((x - x_mean) ** 2 for x in xs)
    return math.fsum((x - x_mean) * (y - y_mean) for x, y in zip(xs, ys, strict=True)) / square


def _halving(slope: float) -> float | None:
    return math.log(2) / -slope if slope < 0 else None


def _end(value: float | None) -> str:
    return "no fading" if value is None else f"{value:.3g}"
