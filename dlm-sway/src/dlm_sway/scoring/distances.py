"""How far two next-token distributions are apart: exact, over the whole vocabulary, in nats. Arrays only."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from .types import Comparison

if TYPE_CHECKING:
    from collections.abc import Sequence

ROWS = 16
"""Positions at once: in double precision each takes some megabytes of a large vocabulary."""


def compared(base: Any, view: Any, targets: Sequence[int], *, scored: bool, each: bool) -> Comparison:
    """Log-probabilities ``[positions, vocabulary]`` of both sides, summed up.

    Where one side has more places than the other, as models have whose tables are padded, the distributions are those
    over the tokens that both have.
    """
    import numpy as np

    width = min(base.shape[1], view.shape[1])
    # A view that holds NaN gives NaN, which who asked looks for.
    with np.errstate(invalid="ignore"):
        rows = [_rows(*(_over(one[at : at + ROWS], width) for one in (base, view))) for at in range(0, len(base), ROWS)]
    kl, *others = (np.concatenate(one) for one in zip(*rows, strict=True))
    reverse, js, tv, agree = (float(one.mean()) for one in others)
    here = [math.fsum(float(side[at, token]) for at, token in enumerate(targets)) for side in (base, view)]
    said = here if scored else [0.0, 0.0]
    positions = tuple(float(one) for one in kl) if each else ()
    return Comparison(len(kl), float(kl.mean()), reverse, js, tv, agree, said[0], said[1], positions)


def _over(rows: Any, width: int) -> Any:
    """The distributions over the first ``width`` tokens."""
    import numpy as np

    found = np.asarray(rows[:, :width], dtype=np.float64)
    return found if rows.shape[1] == width else found - np.log(np.exp(found).sum(-1, keepdims=True))


def _rows(base: Any, view: Any) -> tuple[Any, ...]:
    import numpy as np

    p, q = np.exp(view), np.exp(base)
    middle = np.where(base == view, base, np.logaddexp(base, view) - math.log(2))
    return (
        (p * (view - base)).sum(-1),
        (q * (base - view)).sum(-1),
        ((p * (view - middle)).sum(-1) + (q * (base - middle)).sum(-1)) / 2,
        np.abs(p - q).sum(-1) / 2,
        (p.argmax(-1) == q.argmax(-1)).astype(np.float64),
    )
