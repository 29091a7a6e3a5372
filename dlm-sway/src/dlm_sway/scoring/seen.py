"""From what two models show at the same positions to a comparison: exact where both show everything, else an interval.

Plain arithmetic; what a model shows is read by :mod:`.alone`, the bounds are proved in :mod:`.bounds`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from ..errors import NotSupported
from .bounds import bounds, mean
from .types import Comparison

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from .alone import Given, Seen
    from .bounds import Bounds

PARTIAL: Final = "the divergence at each position is not known exactly, since only the likeliest tokens are shown"


def compared_by(base: Seen, view: Seen, given: Given, *, each: bool = False) -> Comparison:
    """``view`` against ``base`` on one item.

    Raises:
        NotSupported: the divergence at each position is asked for, and is not known.
    """
    scored = bool(given.targets)
    if base.whole is not None and view.whole is not None:
        from .distances import compared

        return compared(base.whole, view.whole, given.targets, scored=scored, each=each)
    targets: Sequence[int | None] = given.targets or (None,)
    found = []
    for at, target in enumerate(targets):
        one, two = _part(base, view, at, target), _part(view, base, at, target)
        found.append(bounds(one, two))
    said = (math.fsum(base.said), math.fsum(view.said)) if scored else (0.0, 0.0)
    return summed(found, *said, each=each)


def summed(found: Sequence[Bounds], base: float, view: float, *, each: bool) -> Comparison:
    """Bounds at the positions of one item, and what both sides give to all its targets.

    Raises:
        NotSupported: as :func:`compared_by`.
    """
    least, most = mean([one.least for one in found]), mean([one.most for one in found])
    exact = least == most
    if each and not exact:
        raise NotSupported(PARTIAL)
    agree = sum(one.agree for one in found) / len(found)
    positions = tuple(one.least.kl for one in found) if each else ()
    return Comparison(len(found), *least, agree, base, view, positions, None if exact else most)


def _part(mine: Seen, other: Seen, at: int, target: int | None) -> Mapping[Hashable, float]:
    """What ``mine`` shows at a position: its likeliest tokens and the one that follows. Of a whole distribution only
    what the other side shows too can be compared, and its likeliest token."""
    if mine.whole is None:
        listed: dict[Hashable, float] = dict(mine.listed[at])
        return listed if target is None else {**listed, target: mine.said[at]}
    row: Any = mine.whole[at]
    wanted: list[Any] = [int(row.argmax()), *other.listed[at], *([] if target is None else [target])]
    return {token: float(row[token]) for token in dict.fromkeys(wanted) if token < len(row)}
