"""One number before and after, with an interval, and whether it is shown to be worse. The only rule for differences."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from scipy.special import ndtr

from ..probes.judging import FEWEST_ITEMS
from ..stats.intervals import mean_interval
from ..stats.paired import paired_t

if TYPE_CHECKING:
    from collections.abc import Sequence

Worse = Literal["lower", "higher"]
"""Which way a number must not move."""

ALPHA: Final = 0.05
_NORMAL_95: Final = 1.959963984540054


@dataclass(frozen=True)
class Change:
    """How a number moved. :attr:`bounds` is a two-sided 95% interval of :attr:`delta`."""

    before: float
    after: float
    bounds: tuple[float, float] | None
    n: int = 0
    """Items that both were asked; 0 when only the two intervals are known."""
    units: int = 0
    """Independent ones among them."""
    differences: tuple[float, ...] = ()
    """After minus before, an item each; empty when only the two intervals are known."""
    groups: tuple[str, ...] = ()

    @property
    def delta(self) -> float:
        """After minus before."""
        return self.after - self.before

    @property
    def paired(self) -> bool:
        """Whether the interval is that of differences on the same items."""
        return bool(self.differences)

    @property
    def testable(self) -> bool:
        """Whether a verdict may rest on it."""
        return self.bounds is not None and (not self.paired or self.units >= FEWEST_ITEMS)


def paired(before: Sequence[float], after: Sequence[float], groups: Sequence[str] = ()) -> Change:
    """The change of a mean over the same items, cluster-robust where they share groups."""
    differences = tuple(b - a for a, b in zip(before, after, strict=True))
    found = mean_interval(differences, groups)
    means = math.fsum(before) / len(before), math.fsum(after) / len(after)
    return Change(*means, found.bounds, found.n, found.clusters, differences, tuple(groups))


def unpaired(
    before: float,
    after: float,
    before_bounds: tuple[float, float] | None,
    after_bounds: tuple[float, float] | None,
) -> Change:
    """The change of a number of which only both 95% intervals are known, as if measured independently.

    By the variances that the intervals imply on each side (MOVER, Zou and Donner 2008), so skewed intervals stay
    skewed. Runs that asked similar items move together, and then this is wider than need be.
    """
    if before_bounds is None or after_bounds is None:
        return Change(before, after, None)
    delta = after - before
    down = math.hypot(after - after_bounds[0], before_bounds[1] - before)
    up = math.hypot(after_bounds[1] - after, before - before_bounds[0])
    return Change(before, after, (delta - down, delta + up))


def moved_p(change: Change, toward: Worse, margin: float = 0.0) -> float:
    """Two-sided p-value that the number moved ``toward`` this side by more than ``margin``, in its own unit.

    At most 0.05 exactly where the 95% interval lies beyond the margin on that side. 1.0 where nothing can be told.
    """
    if not change.testable or change.bounds is None:
        return 1.0
    sign = 1.0 if toward == "higher" else -1.0
    if change.paired:
        beyond = [sign * one - margin for one in change.differences]
        return min(1.0, 2 * paired_t(beyond, change.groups, "greater"))
    reach = change.delta - change.bounds[0] if toward == "higher" else change.bounds[1] - change.delta
    beyond_mean, error = sign * change.delta - margin, reach / _NORMAL_95
    if error <= 0:
        return 0.0 if beyond_mean > 0 else 1.0
    return min(1.0, 2 * float(ndtr(-beyond_mean / error)))
