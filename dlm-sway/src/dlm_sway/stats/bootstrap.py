"""Resampling, for statistics of which nothing exact is known. A mean, a rate or a ratio has better: use those."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from scipy.special import ndtr, ndtri

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")


class Resampled(NamedTuple):
    """A statistic with its bootstrap interval."""

    value: float
    low: float
    high: float
    draws: int
    """Resamples that gave a finite number; the others were left out."""

    @property
    def bounds(self) -> tuple[float, float]:
        """``(low, high)``: fit for a report."""
        return self.low, self.high


def bca_interval(
    units: Sequence[T],
    statistic: Callable[[Sequence[T]], float],
    *,
    level: float = 0.95,
    draws: int = 1999,
    seed: int = 0,
) -> Resampled | None:
    """Bias-corrected and accelerated bootstrap interval (Efron 1987), by ``seed``.

    ``units`` are what is drawn with replacement: items, or whole clusters of them when items depend on each other.
    With z0 from the share of resamples below the value and ``a = sum(d³) / (6 sum(d²)^1.5)`` from the jackknife, the
    ends are the percentiles ``Phi(z0 + (z0 + z) / (1 - a (z0 + z)))``. ``None`` below eight units, where no bootstrap
    covers what it promises, and when the value or most resamples are not finite.
    """
    value, n = statistic(units), len(units)
    if n < 8 or not math.isfinite(value):
        return None
    rng = random.Random(f"{seed}\nbca\n{n}")
    drawn = (statistic([units[rng.randrange(n)] for _ in range(n)]) for _ in range(draws))
    found = sorted(one for one in drawn if math.isfinite(one))
    if len(found) <= draws / 2:
        return None
    if found[0] == found[-1]:
        return Resampled(value, found[0], found[0], len(found))
    bias, bend = _bias(found, value), _acceleration(units, statistic)
    z = float(ndtri((1 + level) / 2))
    return Resampled(value, _end(found, bias, bend, -z), _end(found, bias, bend, z), len(found))


def _bias(found: Sequence[float], value: float) -> float:
    below = sum(one < value for one in found) + sum(one == value for one in found) / 2
    share = min(max(below / len(found), 1 / (len(found) + 1)), len(found) / (len(found) + 1))
    return float(ndtri(share))


def _acceleration(units: Sequence[T], statistic: Callable[[Sequence[T]], float]) -> float:
    left_out = [statistic([*units[:at], *units[at + 1 :]]) for at in range(len(units))]
    left_out = [one for one in left_out if math.isfinite(one)]
    mean = math.fsum(left_out) / len(left_out) if left_out else 0.0
    gaps = [mean - one for one in left_out]
    spread = math.fsum(gap * gap for gap in gaps) ** 1.5
    return math.fsum(gap**3 for gap in gaps) / (6 * spread) if spread > 0 else 0.0


def _end(found: Sequence[float], bias: float, bend: float, z: float) -> float:
    shifted = bias + z
    scale = 1 - bend * shifted
    share = float(ndtr(bias + shifted / scale)) if scale > 0 else float(shifted > 0)
    return found[min(len(found) - 1, max(0, round(share * (len(found) + 1)) - 1))]
