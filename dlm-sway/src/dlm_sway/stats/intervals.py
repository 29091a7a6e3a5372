"""The interval of a mean, with items as the unit of inference. Tests that use it live beside it, verdicts do not."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from scipy.special import stdtrit

if TYPE_CHECKING:
    from collections.abc import Sequence


class Interval(NamedTuple):
    """A mean and how far it can be trusted, in the unit of the values."""

    mean: float
    low: float
    high: float
    se: float
    """Standard error of the mean; infinite for one value, 0.0 when all values are equal."""
    df: int
    """Degrees of freedom of the t distribution; 0 when there is one value."""
    n: int
    clusters: int
    """Clusters the error was computed over; equal to ``n`` when items count as independent."""

    @property
    def bounds(self) -> tuple[float, float] | None:
        """``(low, high)``, or ``None`` when one value leaves them unbounded: fit for a report."""
        return (self.low, self.high) if self.df > 0 else None

    @property
    def spread(self) -> float:
        """Standard deviation an item would have to give this error without clusters: ``se * sqrt(n)``."""
        return self.se * math.sqrt(self.n)


def mean_interval(values: Sequence[float], groups: Sequence[str] = (), level: float = 0.95) -> Interval:
    """Two-sided t interval of the mean; cluster-robust when items share groups.

    Independent items: Student's interval, ``mean ± t(n-1) * s / sqrt(n)``. When ``1 < G < n`` groups are named, the
    error is the sandwich estimate with the CR1 factor (Liang and Zeger 1986; Cameron and Miller 2015, eq. 11), which
    for a mean is ``sqrt(G / (G-1) * sum_g (sum_{i in g} (x_i - mean))^2) / n``, on ``G-1`` degrees of freedom. An item
    without a group is a cluster of its own. One group for everything says nothing about dependence: items then count
    as independent. All values equal give a width of zero; one value gives an unbounded interval.

    Raises:
        ValueError: no values, a value that is not finite, or a group count that does not fit.
    """
    _check(values, groups, level)
    n, mean = len(values), math.fsum(values) / len(values)
    if min(values) == max(values):
        mean = values[0]
    if n == 1:
        return Interval(mean, -math.inf, math.inf, math.inf, 0, 1, 1)
    residuals = cluster_sums([value - mean for value in values], groups)
    clusters = len(residuals)
    se = math.sqrt(clusters / (clusters - 1) * math.fsum(r * r for r in residuals)) / n
    reach = float(stdtrit(clusters - 1, (1 + level) / 2)) * se
    return Interval(mean, mean - reach, mean + reach, se, clusters - 1, n, clusters)


def one_sided(interval: Interval, alpha: float) -> tuple[float, float]:
    """Lower and upper ``1 - alpha`` confidence bound of the same mean; each holds on its own."""
    if interval.df == 0:
        return -math.inf, math.inf
    reach = float(stdtrit(interval.df, 1 - alpha)) * interval.se
    return interval.mean - reach, interval.mean + reach


def cluster_sums(values: Sequence[float], groups: Sequence[str]) -> list[float]:
    """Sums over the independent units: groups when ``1 < G < n`` are named, else the items themselves.

    An item without a group is a unit of its own; units stand in the order of their first item.
    """
    sums: dict[object, list[float]] = {}
    for index, value in enumerate(values):
        key = groups[index] if groups and groups[index] else index
        sums.setdefault(key, []).append(value)
    return [math.fsum(members) for members in sums.values()] if 1 < len(sums) < len(values) else list(values)


def _check(values: Sequence[float], groups: Sequence[str], level: float) -> None:
    if not values:
        raise ValueError("an interval needs at least one value")
    bad = sum(not math.isfinite(value) for value in values)
    if bad:
        raise ValueError(f"{bad} of {len(values)} values are not finite")
    if groups and len(groups) != len(values):
        raise ValueError(f"{len(groups)} groups for {len(values)} values")
    if not 0 < level < 1:
        raise ValueError(f"the level of an interval lies between 0 and 1, not at {level}")
