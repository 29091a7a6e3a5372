"""Updates of several ranks and scales as mlx-lm's files can say them: one rank and one scale for all modules.

DoRA's are as they were trained or not at all: mlx-lm has no weight for the difference that they make.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from .adapter_file import Update
from .errors import Unusable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .adapter_file import Array


def summed(parts: Sequence[tuple[Mapping[str, Update], float]]) -> dict[str, Update]:
    """One set of updates that is the weighted sum of several: their factors side by side, so nothing is rounded away.

    A part of weight 1 alone is itself. Parts of weight 0 are left out.
    """
    parts = [(updates, weight) for updates, weight in parts if weight]
    names = dict.fromkeys(name for updates, _ in parts for name in updates)
    return {name: _side_by_side([(part[name], weight) for part, weight in parts if name in part]) for name in names}


def _side_by_side(terms: Sequence[tuple[Update, float]]) -> Update:
    if len(terms) == 1 and terms[0][1] == 1:
        return terms[0][0]
    if any(update.magnitude is not None for update, _ in terms):
        raise Unusable(
            "an adapter of this mix is DoRA, and mlx-lm cannot weigh what DoRA changes: convert it alone, or ask "
            "the mix with `dlm prompt --adapter-mix`"
        )
    scales = [update.scale * update.weight * weight for update, weight in terms]
    scale = max(scales, key=abs) or 1.0
    ups = [_times(update.up, own / scale) for (update, _), own in zip(terms, scales, strict=True)]
    return Update(np.concatenate([update.down for update, _ in terms], axis=1), np.concatenate(ups), scale)


def alike(updates: Mapping[str, Update]) -> dict[str, Update]:
    """The same updates, all of the largest rank and of the commonest scale: lower ranks get rows and columns of zeros,
    and what another scale has more or less goes into ``up``."""
    rank = max(update.rank for update in updates.values())
    scale = Counter(update.scale for update in updates.values() if update.scale).most_common(1)[:1]
    return {name: _grown(update, rank, scale[0][0] if scale else 1.0) for name, update in updates.items()}


def _grown(update: Update, rank: int, scale: float) -> Update:
    missing = rank - update.rank
    up = update.up if update.scale == scale else _times(update.up, update.scale / scale)
    down, up = np.pad(update.down, ((0, 0), (0, missing))), np.pad(up, ((0, missing), (0, 0)))
    return update._replace(down=down, up=up, scale=scale)


def _times(up: Array, factor: float) -> Array:
    return (up.astype(np.float64) * factor).astype(np.float32)
