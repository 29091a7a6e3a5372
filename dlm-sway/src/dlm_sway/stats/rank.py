"""Where a measurement stands among the same measurement on random adapters."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from scipy.special import stdtr

if TYPE_CHECKING:
    from collections.abc import Sequence


def rank_p(observed: float, nulls: Sequence[float]) -> float:
    """One-sided p-value that ``observed`` is larger than the nulls: ``(1 + #{null >= observed}) / (1 + N)``.

    Exact when ``observed`` and the nulls are exchangeable, whatever their distribution (Phipson and Smyth 2010).
    Ties count against us. No nulls give 1.0.

    Raises:
        ValueError: a number that is not finite. A NaN null would silently count in our favour.
    """
    _check(observed, nulls)
    return (1 + sum(null >= observed for null in nulls)) / (1 + len(nulls))


def resolution(nulls: int) -> float:
    """Smallest p-value that this many nulls can show."""
    return 1 / (nulls + 1)


def nulls_needed(alpha: float, tests: int = 1) -> int:
    """Fewest nulls whose resolution reaches ``alpha``, shared between ``tests`` tests by Bonferroni."""
    return math.ceil(round(tests / alpha, 9)) - 1


class Prediction(NamedTuple):
    """A new value against a sample, as if both were normal."""

    t: float
    df: int
    p: float
    """One-sided: how often a further null would be at least this large."""


def prediction_p(observed: float, nulls: Sequence[float]) -> Prediction | None:
    """One-sided t test of one new value against ``n`` nulls: ``t = (x - mean) / (s * sqrt(1 + 1/n))``, df ``n - 1``.

    The prediction interval of a normal sample (Hahn and Meeker 1991). Unlike ``z >= 3`` it knows how few the nulls
    are. ``None`` when fewer than two nulls, or nulls without spread, leave it undefined.

    Raises:
        ValueError: a number that is not finite.
    """
    _check(observed, nulls)
    n = len(nulls)
    sd = sample_sd(nulls)
    if n < 2 or sd == 0.0:
        return None
    t = (observed - math.fsum(nulls) / n) / (sd * math.sqrt(1 + 1 / n))
    return Prediction(t, n - 1, float(stdtr(n - 1, -t)))


def sample_sd(values: Sequence[float]) -> float:
    """Standard deviation with n - 1; 0.0 for fewer than two values."""
    if len(values) < 2 or min(values) == max(values):
        return 0.0
    mean = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))


def noise_floor(values: Sequence[float]) -> float:
    """99th percentile of base-against-base values, never interpolated downwards: their maximum below 100 values.

    Raises:
        ValueError: no values, or one that is not finite.
    """
    if not values:
        raise ValueError("a noise floor needs at least one value")
    _check(0.0, values)
    return sorted(values)[math.ceil(0.99 * len(values)) - 1]


def _check(observed: float, nulls: Sequence[float]) -> None:
    if not math.isfinite(observed):
        raise ValueError(f"the observed value is not finite: {observed}")
    bad = sum(not math.isfinite(null) for null in nulls)
    if bad:
        raise ValueError(f"{bad} of {len(nulls)} reference values are not finite")
