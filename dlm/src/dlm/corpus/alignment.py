"""Two orders of names laid side by side: what stands between those that kept their order."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def gaps(before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[Sequence[str], Sequence[str]]]:
    """What stood, and what stands, between the names that kept their order; each name occurs once a side.

    Of the names on both sides the longest run in order counts as unmoved (patience sorting, n log n).
    """
    place = {name: at for at, name in enumerate(after)}
    ends: list[int] = []  # the smallest last place of a run of each length
    runs: list[tuple[int, int]] = []  # where each name of ``before`` stands after, and the length of its run
    for name in before:
        if (at := place.get(name)) is None:
            runs.append((-1, 0))
            continue
        length = bisect_left(ends, at)
        ends[length : length + 1] = [at]
        runs.append((at, length + 1))
    between: list[tuple[Sequence[str], Sequence[str]]] = []
    wanted, old_end, new_end = len(ends), len(before), len(after)
    for old_at in range(len(before) - 1, -1, -1):
        at, length = runs[old_at]
        if length == wanted > 0 and at < new_end:
            between.append((before[old_at + 1 : old_end], after[at + 1 : new_end]))
            wanted, old_end, new_end = wanted - 1, old_at, at
    yield before[:old_end], after[:new_end]
    yield from reversed(between)
