"""How small an effect a number of items can show, and how many items an effect needs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from scipy.special import bdtrc, betaincinv, stdtrit

if TYPE_CHECKING:
    from .intervals import Interval


def minimum_detectable(sd: float, n: int, alpha: float = 0.05, power: float = 0.8) -> float | None:
    """Smallest true mean that ``n`` items find with this power: ``(t_{1-alpha/2} + t_{power}) * sd / sqrt(n)``.

    Two-sided test on ``n - 1`` degrees of freedom (Bloom 1995). In the unit of ``sd``; ``None`` below two items.
    """
    if n < 2:
        return None
    reach = float(stdtrit(n - 1, 1 - alpha / 2)) + float(stdtrit(n - 1, power))
    return reach * sd / math.sqrt(n)


def minimum_detectable_mean(interval: Interval, alpha: float = 0.05, power: float = 0.8) -> float | None:
    """:func:`minimum_detectable` from an interval, groups included: ``(t_{1-alpha/2} + t_{power}) * se`` on its degrees
    of freedom; ``None`` for one item."""
    if interval.df == 0:
        return None
    return (float(stdtrit(interval.df, 1 - alpha / 2)) + float(stdtrit(interval.df, power))) * interval.se


def minimum_detectable_rate(n: int, expected: float, alpha: float = 0.05, power: float = 0.8) -> float | None:
    """Smallest true rate above ``expected`` that ``n`` items show to be above it, with this power.

    Of the exact one-sided binomial test: with k the fewest events that ``expected`` makes unlikely (probability at most
    alpha), the rate at which k or more events have probability ``power``. ``None`` when no number of events would do.
    """
    fewest = next((k for k in range(1, n + 1) if bdtrc(k - 1, n, expected) <= alpha), None)
    return None if fewest is None else float(betaincinv(fewest, n - fewest + 1, power))


def items_needed(sd: float, effect: float, alpha: float = 0.05, power: float = 0.8, most: int = 100_000) -> int | None:
    """Fewest items whose :func:`minimum_detectable` is at most ``effect``; ``None`` when even ``most`` are too few.

    Raises:
        ValueError: ``effect`` is not positive.
    """
    if not effect > 0:
        raise ValueError(f"an effect to be found is positive, not {effect}")
    low, high = 2, most
    if _misses(sd, high, effect, alpha, power):
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if _misses(sd, middle, effect, alpha, power) else (low, middle)
    return low


def _misses(sd: float, n: int, effect: float, alpha: float, power: float) -> bool:
    found = minimum_detectable(sd, n, alpha, power)
    return found is None or found > effect
