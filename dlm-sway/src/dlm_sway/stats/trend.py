"""Straight lines through a few points, with their uncertainty; and half-lives, which are such lines in disguise."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from scipy.special import stdtr, stdtrit

if TYPE_CHECKING:
    from collections.abc import Sequence


class Trend(NamedTuple):
    """A fitted line."""

    slope: float
    low: float
    """Of the two-sided interval of the slope."""
    high: float
    intercept: float
    se: float
    df: int
    p_rising: float
    """One-sided: how often a line without slope would rise at least this much."""
    p_falling: float


def slope(xs: Sequence[float], ys: Sequence[float], level: float = 0.95) -> Trend:
    """Ordinary least squares with a t interval of the slope on ``n - 2`` degrees of freedom.

    ``slope = Sxy / Sxx``, ``se = sqrt(SSE / (n-2) / Sxx)`` (Montgomery, Peck and Vining 2012, section 2.3). Points on
    an exact line have an interval of width zero.

    Raises:
        ValueError: fewer than three points, all at one x, or a number that is not finite.
    """
    n = len(xs)
    if n < 3 or len(ys) != n:
        raise ValueError(f"a line with an interval needs three points, not {n} x {len(ys)}")
    if not all(map(math.isfinite, (*xs, *ys))):
        raise ValueError("a point is not finite")
    x_mean, y_mean = math.fsum(xs) / n, math.fsum(ys) / n
    sxx = math.fsum((x - x_mean) ** 2 for x in xs)
    if sxx == 0.0:
        raise ValueError("all points stand at the same x")
    steep = math.fsum((x - x_mean) * (y - y_mean) for x, y in zip(xs, ys, strict=True)) / sxx
    intercept = y_mean - steep * x_mean
    error = math.fsum((y - intercept - steep * x) ** 2 for x, y in zip(xs, ys, strict=True))
    se = math.sqrt(error / (n - 2) / sxx)
    reach = float(stdtrit(n - 2, (1 + level) / 2)) * se
    rising, falling = _p_values(steep, se, n - 2)
    return Trend(steep, steep - reach, steep + reach, intercept, se, n - 2, rising, falling)


class HalfLife(NamedTuple):
    """After how much x half is left. ``inf`` means that no decay was seen, or that none can be excluded."""

    value: float
    low: float
    high: float
    trend: Trend
    """Of the natural logarithm."""


def half_life(xs: Sequence[float], ys: Sequence[float], level: float = 0.95) -> HalfLife:
    """Half-life of an exponential decay through positive ``ys``: ``ln 2 / -slope`` of their logarithms.

    The interval follows from that of the slope, which is monotone in it: a slope whose interval reaches zero leaves the
    half-life without an upper end.

    Raises:
        ValueError: a value that is not positive; and see :func:`slope`.
    """
    if not all(y > 0 for y in ys):
        raise ValueError("a half-life needs positive values")
    found = slope(xs, [math.log(y) for y in ys], level)
    return HalfLife(_halving(found.slope), _halving(found.low), _halving(found.high), found)


def _halving(steep: float) -> float:
    return math.log(2) / -steep if steep < 0 else math.inf


def _p_values(steep: float, se: float, df: int) -> tuple[float, float]:
    if se == 0.0:
        return (0.0 if steep > 0 else 1.0), (0.0 if steep < 0 else 1.0)
    return float(stdtr(df, -steep / se)), float(stdtr(df, steep / se))
