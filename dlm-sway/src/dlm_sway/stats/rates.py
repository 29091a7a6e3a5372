"""How often something happens, and whether it happens more often than it may. Exact where exact is cheap."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, NamedTuple

from scipy.special import bdtr, betaincinv, ndtri

if TYPE_CHECKING:
    from .noninferiority import Outcome


class RateInterval(NamedTuple):
    """A rate and how far it can be trusted."""

    rate: float
    low: float
    high: float
    events: int
    n: int

    @property
    def bounds(self) -> tuple[float, float]:
        """``(low, high)``: fit for a report."""
        return self.low, self.high


def rate_interval(
    events: int, n: int, level: float = 0.95, method: Literal["wilson", "exact"] = "wilson"
) -> RateInterval:
    """Two-sided interval of ``events / n`` for independent items.

    ``wilson``: the score interval, ``(p + z²/2n ± z·sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n)`` (Wilson 1927), which covers
    about ``level`` on average. ``exact``: Clopper and Pearson (1934), from the quantiles of the beta distribution,
    which covers at least ``level`` always. Neither has width zero at 0 or n events. Items that share groups are not
    independent: give their indicators to :func:`~dlm_sway.stats.intervals.mean_interval`.

    Raises:
        ValueError: no items, or more events than items.
    """
    _check(events, n)
    tail = (1 - level) / 2
    if method == "exact":
        return RateInterval(events / n, _lower(events, n, tail), _upper(events, n, tail), events, n)
    rate, z2 = events / n, float(ndtri(1 - tail)) ** 2
    centre, shrink = rate + z2 / (2 * n), 1 + z2 / n
    half = math.sqrt(z2 * (rate * (1 - rate) / n + z2 / (4 * n * n)))
    # At 0 and n events the score interval ends exactly there; rounding must not say otherwise.
    low = 0.0 if events == 0 else (centre - half) / shrink
    high = 1.0 if events == n else (centre + half) / shrink
    return RateInterval(rate, low, high, events, n)


class RateTest(NamedTuple):
    """What the data say about a limit on a rate."""

    outcome: Outcome
    low: float
    """Lower one-sided exact ``1 - alpha`` bound."""
    high: float
    """Upper one-sided exact ``1 - alpha`` bound."""
    interval: RateInterval
    """Two-sided exact 95% interval, for the report."""


def rate_not_above(events: int, n: int, limit: float, alpha: float) -> RateTest:
    """Is the rate below ``limit``? The guard for events that should not happen.

    ``pass`` when the exact upper bound lies below the limit, ``fail`` when the lower one lies above it, otherwise
    ``inconclusive``: 0 events in 20 do not show that the rate is below 10%.

    Raises:
        ValueError: see :func:`rate_interval`.
    """
    interval = rate_interval(events, n, method="exact")
    low, high = _lower(events, n, alpha), _upper(events, n, alpha)
    outcome: Outcome = "pass" if high < limit else "fail" if low > limit else "inconclusive"
    return RateTest(outcome, low, high, interval)


def mcnemar_exact(gained: int, lost: int, alternative: Literal["two-sided", "greater"] = "two-sided") -> float:
    """p-value that items flip one way as often as the other, from the flips alone: binomial with 1/2 (McNemar 1947).

    ``gained`` went from wrong to right, ``lost`` from right to wrong. ``greater`` asks whether more were gained. No
    flips give 1.0: they are no evidence either way.

    Raises:
        ValueError: a negative count.
    """
    if gained < 0 or lost < 0:
        raise ValueError(f"flips are counted from 0, not {gained} and {lost}")
    flips = gained + lost
    if flips == 0:
        return 1.0
    if alternative == "greater":
        return float(bdtr(lost, flips, 0.5))
    return min(1.0, 2 * float(bdtr(min(gained, lost), flips, 0.5)))


def _lower(events: int, n: int, tail: float) -> float:
    return 0.0 if events == 0 else float(betaincinv(events, n - events + 1, tail))


def _upper(events: int, n: int, tail: float) -> float:
    return 1.0 if events == n else float(betaincinv(events + 1, n - events, 1 - tail))


def _check(events: int, n: int) -> None:
    if n < 1:
        raise ValueError("a rate needs at least one item")
    if not 0 <= events <= n:
        raise ValueError(f"{events} events among {n} items")
