"""The ratio of two means that were measured on the same items, such as an effect and the most it could have been."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from scipy.special import stdtrit

from .intervals import cluster_sums, mean_interval

if TYPE_CHECKING:
    from collections.abc import Sequence


class Ratio(NamedTuple):
    """A ratio of means."""

    value: float
    low: float
    high: float
    df: int
    n: int

    @property
    def bounds(self) -> tuple[float, float]:
        """``(low, high)``: fit for a report."""
        return self.low, self.high


def mean_ratio(
    above: Sequence[float], below: Sequence[float], groups: Sequence[str] = (), level: float = 0.95
) -> Ratio | None:
    """``mean(above) / mean(below)`` over paired items, with Fieller's interval (Fieller 1954).

    Cluster-robust when items share groups.

    The interval holds every r for which ``mean(above - r * below)`` could be zero: the roots of
    ``(b² - t²·Vbb) r² - 2 (ab - t²·Vab) r + (a² - t²·Vaa) = 0``. ``None`` when ``mean(below)`` is not shown to be
    positive at this level, so that the ratio has no bounded interval and often no meaning; and below two items.

    Raises:
        ValueError: lengths that differ, or a value that is not finite.
    """
    if len(above) != len(below):
        raise ValueError(f"{len(above)} values above and {len(below)} below the line")
    a, b = mean_interval(above, groups, level), mean_interval(below, groups, level)
    if b.df == 0:
        return None
    t2 = float(stdtrit(b.df, (1 + level) / 2)) ** 2
    lead = b.mean**2 - t2 * b.se**2
    if b.mean <= 0 or lead <= 0:
        return None
    middle = a.mean * b.mean - t2 * _covariance(above, below, groups)
    # Rounding may push a discriminant of zero (all ratios equal) below it.
    root = math.sqrt(max(0.0, middle**2 - lead * (a.mean**2 - t2 * a.se**2)))
    return Ratio(a.mean / b.mean, (middle - root) / lead, (middle + root) / lead, b.df, b.n)


def _covariance(above: Sequence[float], below: Sequence[float], groups: Sequence[str]) -> float:
    """Of the two means, by the same estimate as their standard errors."""
    a_mean, b_mean = math.fsum(above) / len(above), math.fsum(below) / len(below)
    a = cluster_sums([value - a_mean for value in above], groups)
    b = cluster_sums([value - b_mean for value in below], groups)
    units = len(a)
    return units / (units - 1) * math.fsum(x * y for x, y in zip(a, b, strict=True)) / len(above) ** 2
