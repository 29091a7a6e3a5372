"""Tests against a stated margin: "not worse by more than m" and "the same within m"."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from .intervals import Interval, mean_interval, one_sided

if TYPE_CHECKING:
    from collections.abc import Sequence

Outcome = Literal["pass", "fail", "inconclusive"]


class MarginTest(NamedTuple):
    """What the data say about a margin."""

    outcome: Outcome
    low: float
    """Lower one-sided ``1 - alpha`` bound of the mean."""
    high: float
    """Upper one-sided ``1 - alpha`` bound of the mean."""
    interval: Interval
    """Two-sided 95% interval, for the report."""


def not_above(values: Sequence[float], margin: float, alpha: float, groups: Sequence[str] = ()) -> MarginTest:
    """Is the mean below ``margin``? The guard for quantities where less is better.

    ``pass`` when the upper bound lies below the margin, ``fail`` when the lower bound lies above it, otherwise
    ``inconclusive``: absence of evidence of harm is not a pass (FDA 2016, non-inferiority guidance, section IV).
    At a true mean equal to the margin, each of the two wrong answers has probability ``alpha``.

    Raises:
        ValueError: see :func:`~dlm_sway.stats.intervals.mean_interval`.
    """
    interval = mean_interval(values, groups)
    low, high = one_sided(interval, alpha)
    outcome: Outcome = "pass" if high < margin else "fail" if low > margin else "inconclusive"
    return MarginTest(outcome, low, high, interval)


def not_below(values: Sequence[float], margin: float, alpha: float, groups: Sequence[str] = ()) -> MarginTest:
    """Is the mean above ``-margin``? The guard for paired differences where more is better.

    The same test as :func:`not_above` on the negated values; the bounds are those of the values as given.
    """
    interval = mean_interval(values, groups)
    low, high = one_sided(interval, alpha)
    outcome: Outcome = "pass" if low > -margin else "fail" if high < -margin else "inconclusive"
    return MarginTest(outcome, low, high, interval)


def equivalent(values: Sequence[float], margin: float, alpha: float, groups: Sequence[str] = ()) -> MarginTest:
    """Does the mean lie within ``±margin``? Two one-sided tests, each at ``alpha`` (Schuirmann 1987).

    ``fail`` when the mean is shown to lie outside on one side.
    """
    interval = mean_interval(values, groups)
    low, high = one_sided(interval, alpha)
    outcome: Outcome = "inconclusive"
    if -margin < low and high < margin:
        outcome = "pass"
    elif low > margin or high < -margin:
        outcome = "fail"
    return MarginTest(outcome, low, high, interval)
