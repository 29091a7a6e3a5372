"""How far texts went from one style towards another: arithmetic on rows of measures, without texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

FLOOR: Final = 0.02
"""Smallest standard deviation that a measure is taken to have: less is chance, and must not be blown up."""
DRAWS: Final = 1999


def shifts(before: Array, after: Array, reference: Array) -> list[float]:
    """For each row of ``before`` and ``after``, the share of the way to the mean of ``reference`` that it went.

    With the gap ``d`` from the rows before to the reference, it is ``(after - before) . d / d . d``, where every
    measure counts in units of its own spread among texts of one kind. 0: no nearer; 1: all the way, on average. Each
    row's gap is taken from the *other* rows: a row's own chance would otherwise be in both factors, and rows that
    change at random would seem to come nearer.
    """
    n = len(before)
    if n < 2:
        return [0.0] * n
    weights = 1 / _spread(before, reference) ** 2
    gaps = reference.mean(0) - (before.sum(0) - before) / (n - 1)
    above = ((after - before) * weights * gaps).sum(1)
    below = (gaps * weights * gaps).sum(1)
    return [float(value) for value in np.where(below > 0, above / np.where(below > 0, below, 1.0), 0.0)]


def contributions(before: Array, after: Array, reference: Array) -> list[float]:
    """What each measure adds to the shift of the means."""
    weights = 1 / _spread(before, reference) ** 2
    gap = reference.mean(0) - before.mean(0)
    whole = float((gap * weights * gap).sum())
    parts = (after - before).mean(0) * weights * gap
    return [float(part) / whole if whole > 0 else 0.0 for part in parts]


def gap_p(before: Array, reference: Array, seed: int) -> float:
    """p-value that both are written alike: how often texts that change sides are as far apart, in all measures at once.

    A permutation test of the squared distance of the means in standard deviations, ``(1 + hits) / (1 + draws)``.
    """
    rows = np.concatenate([before, reference])
    rows = (rows - rows.mean(0)) / np.maximum(rows.std(0), FLOOR)
    n, m = len(before), len(reference)
    rng = np.random.default_rng([seed, n, m])
    sides = rng.permuted(np.broadcast_to(np.arange(n + m) < n, (DRAWS, n + m)), axis=1)
    sides = np.concatenate([(np.arange(n + m) < n)[None], sides]).astype(float)
    far = ((sides @ rows / n - (1 - sides) @ rows / m) ** 2).sum(1)
    return float((1 + (far[1:] >= far[0] - 1e-9 * max(1.0, far[0])).sum()) / (1 + DRAWS))


def _spread(before: Array, reference: Array) -> Array:
    """Standard deviation of each measure among texts of one kind, pooled over both kinds."""
    squares = sum(((rows - rows.mean(0)) ** 2).sum(0) for rows in (before, reference))
    found: Array = np.sqrt(squares / max(1, len(before) + len(reference) - 2) + FLOOR**2)
    return found
