"""How far a number depends on a topic: arithmetic on values and labels, without models."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import stdtrit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

DRAWS: Final = 9999


def omega_squared(values: Sequence[float], labels: Sequence[int]) -> float:
    """Share of the values' variance that goes with the label, omega squared of a one-way layout (Hays 1963).

    ``(SSB - (k - 1) MSW) / (SST + MSW)``: zero on average when labels mean nothing, whatever their number, and at most
    1. Values that do not differ give 0.0, as does one label, or a label a value.
    """
    found = _omega(np.asarray(values, float), _indicators(labels))
    return float(found)


def label_p(values: Sequence[float], labels: Sequence[int], seed: int, draws: int = DRAWS) -> float:
    """p-value that labels mean nothing: how often as much variance goes with shuffled ones.

    A permutation test, ``(1 + hits) / (1 + draws)``, by ``seed``: exact for values that are exchangeable.
    """
    x, groups = np.asarray(values, float), _indicators(labels)
    observed = float(_omega(x, groups))
    rng = np.random.default_rng([seed, len(values)])
    shuffled = rng.permuted(np.broadcast_to(x, (draws, len(x))), axis=1)
    # The same numbers summed in another order differ in their last bits; a tie must stay a tie.
    hits = int((_omega(shuffled, groups) >= observed - 1e-12).sum())
    return (1 + hits) / (1 + draws)


def omega_interval(values: Sequence[float], labels: Sequence[int], level: float = 0.95) -> tuple[float, float] | None:
    """Jackknife interval of :func:`omega_squared` (Tukey 1958): the t interval of its pseudo-values.

    ``None`` below eight values, or when leaving one out leaves fewer than two labels.
    """
    n = len(values)
    whole = omega_squared(values, labels)
    if n < 8 or len(set(labels)) < 2:
        return None
    left = [omega_squared([*values[:at], *values[at + 1 :]], [*labels[:at], *labels[at + 1 :]]) for at in range(n)]
    pseudo = [n * whole - (n - 1) * one for one in left]
    mean = math.fsum(pseudo) / n
    se = math.sqrt(math.fsum((one - mean) ** 2 for one in pseudo) / (n - 1) / n)
    reach = float(stdtrit(n - 1, (1 + level) / 2)) * se
    return whole - reach, min(1.0, whole + reach)


def _indicators(labels: Sequence[int]) -> NDArray[np.float64]:
    """One row a label that occurs, one column a value."""
    found: NDArray[np.float64] = (np.unique(labels)[:, None] == np.asarray(labels)[None, :]).astype(float)
    return found


def _omega(x: NDArray[np.float64], groups: NDArray[np.float64]) -> NDArray[np.float64]:
    """Over the last axis of ``x``."""
    k, n = groups.shape
    if not 2 <= k < n:
        return np.zeros(x.shape[:-1])
    centred = x - x.mean(-1, keepdims=True)
    total = (centred**2).sum(-1)
    between = ((centred @ groups.T) ** 2 / groups.sum(1)).sum(-1)
    within = np.maximum(total - between, 0.0) / (n - k)
    same = x.max(-1) == x.min(-1)
    found: NDArray[np.float64] = np.where(same, 0.0, (between - (k - 1) * within) / np.where(same, 1.0, total + within))
    return found
