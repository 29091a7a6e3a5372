"""How far two next-token distributions can be apart when each shows only its most likely tokens. In nats; no I/O.

P is the base, Q the view; R the tokens that both list, and ``a``, ``b`` what P and Q leave to all other tokens.

The least: put all tokens outside R into one bin. A divergence never grows when outcomes are merged (the data-processing
inequality: Csiszar and Shields, *Information Theory and Statistics*, 2004, lemma 4.1), so that of the bins is a lower
bound. It holds for KL, Jensen-Shannon and total variation.

The most: a token with probabilities p and q adds ``(p log(p/m) + q log(q/m)) / 2`` to the Jensen-Shannon divergence,
``m`` being their mean; since m >= p/2 and m >= q/2 this is at most ``(p + q) / 2 * log 2``, so all tokens outside R add
at most ``(a + b) / 2 * log 2``, and likewise at most ``(a + b) / 2`` to the total variation. For KL there is no such
bound: a token that one side does not list may be as unlikely there as one likes, so it is infinite, except where the
side that weighs the logarithm leaves nothing.

What is listed sums up to 1 only within :data:`ROUNDING`. Where both rests lie within that, both lists are taken for
whole and nothing is left open; a token that was left out after all takes less than ``ROUNDING log(1/ROUNDING)``, which
is 0.0003, from the least. Otherwise each rest is known within that: the least is taken over both ranges, and a rest
that counts as nothing in the most may add to KL all the same.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

from .types import Divergences

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

ROUNDING: Final = 2e-5
"""What a whole distribution may lack of 1, or have too much, in 32-bit arithmetic."""
SMALLEST: Final = 2.0**-126
"""Probability, as 32-bit numbers hold it."""


class Bounds(NamedTuple):
    """At one position."""

    least: Divergences
    most: Divergences
    agree: bool
    """Whether both find the same token likeliest, of those that have a name; not where one side shows none."""


def bounds(base: Mapping[Hashable, float], view: Mapping[Hashable, float]) -> Bounds:
    """Between which values the divergences of two lists of log-probabilities lie."""
    shared = [token for token in base if token in view]
    pairs = [(math.exp(base[token]), math.exp(view[token])) for token in shared]
    left = [1.0 - math.fsum(side) for side in zip(*pairs, strict=True)] if pairs else [1.0, 1.0]
    a, b = (rest if rest > ROUNDING else 0.0 for rest in left)
    seen, binned = _sums(pairs), _sums([*pairs, (a, b)])
    agree = bool(base and view) and _likeliest(base) == _likeliest(view)
    if not a and not b:
        return Bounds(seen, seen, agree)
    half = (a + b) / 2
    most = Divergences(
        math.inf if b else binned.kl + _may_add(left[1]),
        math.inf if a else binned.reverse_kl + _may_add(left[0]),
        min(math.log(2), max(binned.js, seen.js + half * math.log(2))),
        min(1.0, max(binned.tv, seen.tv + half)),
    )
    return Bounds(_least(pairs, *map(_range, left)), most, agree)


def _likeliest(listed: Mapping[Hashable, float]) -> Hashable:
    return max(listed, key=lambda token: listed[token])


def mean(found: list[Divergences]) -> Divergences:
    """The mean of each, over positions."""
    return Divergences(*(math.fsum(one) / len(found) for one in zip(*found, strict=True)))


def _may_add(rest: float) -> float:
    """To KL, by a rest that counts as nothing, over tokens that the other side finds all but impossible."""
    return max(0.0, rest) * -math.log(SMALLEST)


def _range(rest: float) -> tuple[float, float]:
    return max(0.0, rest - ROUNDING), min(1.0, max(0.0, rest) + ROUNDING)


def _least(pairs: list[tuple[float, float]], base: tuple[float, float], view: tuple[float, float]) -> Divergences:
    """Over all rests in their ranges: each number's own worst case."""
    p, q = _nearest(base, view)
    kl, reverse = (_sums([*pairs, one]) for one in (_flattest(base, view), _flattest(view, base)[::-1]))
    near = _sums([*pairs, (p, q)])
    return Divergences(kl.kl, reverse.reverse_kl, near.js, near.tv)


def _flattest(under: tuple[float, float], over: tuple[float, float]) -> tuple[float, float]:
    """The rests, ``q`` out of ``over``, where ``q log(q/p)`` is least: it falls with p, and is least at q = p/e."""
    p = under[1]
    return p, min(max(p / math.e, over[0]), over[1])


def _nearest(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    """The rests that are nearest to each other."""
    if one[1] < other[0]:
        return one[1], other[0]
    if other[1] < one[0]:
        return one[0], other[1]
    same = max(one[0], other[0])
    return same, same


def _sums(pairs: list[tuple[float, float]]) -> Divergences:
    """Sums over bins; a bin that is empty on the side that divides counts as rounded to nothing there."""
    return Divergences(
        max(0.0, math.fsum(_log(q, p) for p, q in pairs)),
        max(0.0, math.fsum(_log(p, q) for p, q in pairs)),
        max(0.0, math.fsum((_log(p, (p + q) / 2) + _log(q, (p + q) / 2)) / 2 for p, q in pairs)),
        math.fsum(abs(p - q) for p, q in pairs) / 2,
    )


def _log(p: float, q: float) -> float:
    """``p log(p/q)``."""
    return p * math.log(p / q) if p > 0 and q > 0 else 0.0
