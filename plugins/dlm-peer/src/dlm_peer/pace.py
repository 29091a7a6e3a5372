"""How often each ticket may ask: so many times at once, then as often as a minute allows."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable


class Pace:
    """A bucket a key, that ``per_minute`` requests fit in and that fills up again in a minute."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._clock = per_minute, clock
        self._left: dict[Hashable, tuple[float, float]] = {}

    def wait(self, key: Hashable) -> float:
        """Take one; 0.0, or how many seconds too early it is."""
        now = self._clock()
        left, then = self._left.get(key, (float(self._most), now))
        left = min(float(self._most), left + (now - then) * self._most / 60)
        if left < 1:
            return (1 - left) * 60 / self._most
        self._left[key] = (left - 1, now)
        return 0.0
