"""Is the mean of paired differences above zero? One number an item: after minus before, or one model minus another."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from itertools import product
from typing import TYPE_CHECKING, Final, Literal

from scipy.special import stdtr

from .intervals import cluster_sums, mean_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

Alternative = Literal["greater", "less", "two-sided"]

_ENUMERATED: Final = 12
"""Up to this many items or clusters, all sign patterns are tried: 4096."""


def paired_t(values: Sequence[float], groups: Sequence[str] = (), alternative: Alternative = "greater") -> float:
    """p-value of Student's paired t test, ``t = mean / se``; cluster-robust as
    :func:`~dlm_sway.stats.intervals.mean_interval` when items share groups.

    Values without spread have no t: their p-value is that of :func:`sign_flip_p`. One value gives 1.0.

    Raises:
        ValueError: no values, or one that is not finite.
    """
    interval = mean_interval(values, groups)
    if interval.df == 0:
        return 1.0
    if interval.se == 0.0:
        return sign_flip_p(values, groups, alternative)
    t = interval.mean / interval.se
    if alternative == "two-sided":
        return min(1.0, 2 * float(stdtr(interval.df, -abs(t))))
    return float(stdtr(interval.df, -t if alternative == "greater" else t))


def sign_flip_p(
    values: Sequence[float],
    groups: Sequence[str] = (),
    alternative: Alternative = "greater",
    *,
    draws: int = 9999,
    seed: int = 0,
) -> float:
    """p-value of the sign-flip permutation test of the mean; items that share a group flip together.

    Exact for differences that are symmetric about zero under the null, whatever their distribution (Fisher 1935): the
    share of sign patterns whose mean is at least as extreme. All ``2**n`` patterns up to 12 items or groups; beyond,
    ``draws`` random ones with ``(1 + hits) / (1 + draws)`` (Phipson and Smyth 2010), by ``seed``.

    Raises:
        ValueError: no values, or one that is not finite.
    """
    mean_interval(values, groups)  # checks the values
    units = cluster_sums(values, groups)
    observed = _extreme(math.fsum(units), alternative)
    # Sums of the same numbers in another order differ in the last bits; a tie must stay a tie.
    least = observed - 1e-12 * math.fsum(map(abs, units))
    if len(units) <= _ENUMERATED:
        hits = sum(_extreme(total, alternative) >= least for total in _all_flips(units))
        return float(hits / 2 ** len(units))
    rng = random.Random(f"{seed}\nsign_flip\n{len(units)}")
    hits = sum(_extreme(_flipped(units, rng), alternative) >= least for _ in range(draws))
    return (1 + hits) / (1 + draws)


def _all_flips(units: Sequence[float]) -> Iterator[float]:
    for signs in product((1, -1), repeat=len(units)):
        yield math.fsum(sign * unit for sign, unit in zip(signs, units, strict=True))


def _flipped(units: Sequence[float], rng: random.Random) -> float:
    bits = rng.getrandbits(len(units))
    return sum(unit if bits >> at & 1 else -unit for at, unit in enumerate(units))


def _extreme(total: float, alternative: Alternative) -> float:
    return {"greater": total, "less": -total, "two-sided": abs(total)}[alternative]
