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
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

from .types import Divergences

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

ROUNDING: Final = 2e-5
"""What a whole distribution may lack of 1, or have too much, in 32-bit arithmetic."""


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
    a, b = (_rest(math.fsum(side)) for side in zip(*pairs, strict=True)) if pairs else (1.0, 1.0)
    seen, binned = _sums(pairs), _sums([*pairs, (a, b)])
    half = (a + b) / 2
    most = Divergences(
        binned.kl if not b else math.inf,
        binned.reverse_kl if not a else math.inf,
        min(math.log(2), max(binned.js, seen.js + half * math.log(2))),
        min(1.0, max(binned.tv, seen.tv + half)),
    )
    return Bounds(binned, most, bool(base and view) and _likeliest(base) == _likeliest(view))


def _likeliest(listed: Mapping[Hashable, float]) -> Hashable:
    return max(listed, key=lambda token: listed[token])


def mean(found: list[Divergences]) -> Divergences:
    """The mean of each, over positions."""
    return Divergences(*(math.fsum(one) / len(found) for one in zip(*found, strict=True)))


def _rest(listed: float) -> float:
    rest = 1.0 - listed
    return rest if rest > ROUNDING else 0.0


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
