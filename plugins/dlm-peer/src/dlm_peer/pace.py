"""How often each ticket may ask: so many times at once, then as often as a minute allows."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable


class Pace:
    """A bucket a key, that fills up again in a minute."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._left: dict[Hashable, tuple[float, float]] = {}

    def wait(self, key: Hashable, per_minute: int) -> float:
        """Take one of ``per_minute``; 0.0, or how many seconds too early it is."""
        now, most = self._clock(), float(per_minute)
        left, then = self._left.get(key, (most, now))
        left = min(most, left + (now - then) * most / 60)
        if left < 1:
            return (1 - left) * 60 / most
        self._left[key] = (left - 1, now)
        return 0.0
