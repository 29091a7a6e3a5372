"""How sure a share is that was counted on a few questions. Formulas only; exact where exactness is cheap.

Questions that ask for the same fact stand or fall together, so they are counted as a cluster. The interval of a share
is Wilson's score interval [1] on the effective number of questions, n / deff. The design effect deff is the share's
variance between clusters (the linearised ratio estimator) over the binomial one [2, 3]. It is held between 1 and
sum(m²) / sum(m), its value when all of a cluster's m questions always agree [4]; where nothing varies, at none or all
right, that upper value is taken. Such intervals keep their coverage for few clusters better than the alternatives [5].

1. E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927).
2. W. G. Cochran, Sampling Techniques, 3rd ed. (1977), ch. 9.
3. E. L. Korn, B. I. Graubard, Confidence intervals for proportions with small expected number of positive counts
   estimated from survey data, Survey Methodology 24 (1998).
4. L. Kish, Survey Sampling (1965).
5. N. Dean, M. Pagano, Evaluating confidence interval methods for binomial proportions in clustered surveys,
   Journal of Survey Statistics and Methodology 3 (2015).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

Z = 1.959963984540054
"""The normal quantile of a two-sided 95% interval."""


class Interval(NamedTuple):
    """A share between 0 and 1 with its 95% interval."""

    share: float
    low: float
    high: float


def clustered(results: Iterable[tuple[Hashable, bool]]) -> Interval:
    """The share that is right among ``results``, pairs of cluster and right or wrong.

    Raises:
        ValueError: there is none.
    """
    counts: dict[Hashable, list[int]] = {}
    for cluster, is_right in results:
        counts.setdefault(cluster, []).append(int(is_right))
    sizes = [(len(found), sum(found)) for found in counts.values()]
    total = sum(size for size, _ in sizes)
    if not total:
        raise ValueError("no share of nothing")
    share = sum(hits for _, hits in sizes) / total
    return wilson(share, total / _design_effect(sizes, share, total))


def wilson(share: float, effective: float) -> Interval:
    """Wilson's interval of ``share`` seen on ``effective`` independent questions, which need not be a whole number."""
    shrink = 1 + Z * Z / effective
    middle = (share + Z * Z / (2 * effective)) / shrink
    half = Z * math.sqrt(share * (1 - share) / effective + (Z / (2 * effective)) ** 2) / shrink
    return Interval(share, max(0.0, middle - half), min(1.0, middle + half))


def sign_test(changes: Iterable[float]) -> float:
    """Two-sided p-value of as many facts gained or lost as ``changes`` (after less before, one a fact) shows.

    Exact: under no change, a fact that changed at all was gained or lost with equal chance. With one question a fact
    this is the exact test of McNemar. 1 when nothing changed.
    """
    signs = [change > 0 for change in changes if change]
    count, fewer = len(signs), min(sum(signs), len(signs) - sum(signs))
    tail = sum(math.comb(count, k) for k in range(fewer + 1))
    return min(1.0, float(2 * tail / 2**count))


def _design_effect(sizes: list[tuple[int, int]], share: float, total: int) -> float:
    clusters = len(sizes)
    most = sum(size * size for size, _ in sizes) / total
    if clusters < 2 or share in (0, 1):
        return most
    spread = sum((hits - share * size) ** 2 for size, hits in sizes)
    variance = clusters / (clusters - 1) * spread / total**2
    return min(most, max(1.0, variance / (share * (1 - share) / total)))
