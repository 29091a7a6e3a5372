"""What the values of one property have in common."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from .words import ARTICLES, GREY, TURNING, shape, words

if TYPE_CHECKING:
    from collections.abc import Iterable

_IN_VALUES = ARTICLES | {"of"}
_SMALL = GREY | TURNING | frozenset(',;:()[]—–.!?"“”|')


class Look:
    """How values look, learned from some."""

    def __init__(self, values: Iterable[str]) -> None:
        self.values = frozenset(values)
        self.shapes = frozenset(map(shape, self.values))
        self._usual = _IN_VALUES | {low for value in self.values for low in _small(value)}
        self._lengths: dict[str, tuple[int, int]] = {}
        for kind, length, _ in self.shapes:
            least, most = self._lengths.get(kind, (length, length))
            self._lengths[kind] = min(least, length), max(most, length)

    def fits(self, value: str) -> bool:
        """Whether ``value`` looks like the others: of their kind, hardly longer, no half sentence."""
        if value in self.values:
            return True
        kind, length, _ = shape(value)
        least, most = self._lengths.get(kind, (0, 0))
        slack = 0 if kind == "name" else 1
        return most > 0 and least - slack <= length <= most + slack and self._usual.issuperset(_small(value))


@lru_cache(maxsize=1 << 14)
def _small(value: str) -> tuple[str, ...]:
    """Small words and signs inside of ``value``, which may be the seam between two facts."""
    return tuple(word.low for word in words(value) if word.low in _SMALL)
