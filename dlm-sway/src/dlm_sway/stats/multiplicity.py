"""Several tests in one suite: p-values that say how surprising each is, given that all were made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

Method = Literal["holm", "bh", "none"]


def adjust(p_values: Sequence[float], method: Method) -> list[float]:
    """Adjusted p-values, in the order given. ``none`` leaves them as they are.

    Raises:
        ValueError: a p-value outside 0..1.
    """
    checked = _checked(p_values)
    if method == "none":
        return checked
    return holm(checked) if method == "holm" else benjamini_hochberg(checked)


def holm(p_values: Sequence[float]) -> list[float]:
    """Family-wise: the chance of even one false alarm stays below alpha, whatever the dependence (Holm 1979).

    Step down: ``max over j <= i of min(1, (m - j + 1) * p_(j))`` for the i-th smallest of m.
    """
    m, running = len(p_values), 0.0
    adjusted = [0.0] * m
    for step, at in enumerate(_ascending(p_values)):
        running = max(running, min(1.0, (m - step) * p_values[at]))
        adjusted[at] = running
    return adjusted


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """False discovery rate: of what is called found, a share of at most alpha is false on average, for tests that are
    independent or positively dependent (Benjamini and Hochberg 1995).

    Step up: ``min over j >= i of min(1, m / j * p_(j))`` for the i-th smallest of m.
    """
    m, running = len(p_values), 1.0
    adjusted = [1.0] * m
    for step, at in reversed(list(enumerate(_ascending(p_values), start=1))):
        running = min(running, m / step * p_values[at])
        adjusted[at] = running
    return adjusted


def _ascending(p_values: Sequence[float]) -> list[int]:
    return sorted(range(len(p_values)), key=lambda at: (p_values[at], at))


def _checked(p_values: Sequence[float]) -> list[float]:
    bad = [p for p in p_values if not 0 <= p <= 1]
    if bad:
        raise ValueError(f"p-values lie between 0 and 1, not at {bad[0]}")
    return list(p_values)
