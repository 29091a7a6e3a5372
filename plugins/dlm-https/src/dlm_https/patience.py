"""How often something is tried again, and how long one waits before that."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, NamedTuple

from dlm.errors import TransferFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from .replies import Passing

ENOUGH = 2**20
"""Bytes that an attempt has to bring for the count to begin anew: a server that gives a few each time ends, too."""


class Rules(NamedTuple):
    """What a server may do before it is given up."""

    tries: int = 6
    """Attempts in a row that bring nothing."""
    first: float = 1.0
    """Seconds before the second attempt; twice as many before each that follows."""
    longest: float = 30.0
    """Seconds that we wait of ourselves."""
    asked: float = 120.0
    """Seconds that a server may ask us to wait."""
    stall: float = 60.0
    """Seconds in which :attr:`least` bytes have to pass."""
    least: int = 16 * 1024
    redirects: int = 5


class Patience:
    """Counts the failures of one transfer."""

    def __init__(self, rules: Rules, what: str, say: Callable[[str], None]) -> None:
        self._rules = rules
        self._what = what
        self._say = say
        self._failed = 0

    def failed(self, problem: Passing, gained: int) -> None:
        """Wait until the next attempt is due. ``gained``: the bytes that this one brought.

        Raises:
            TransferFailed: it has been tried often enough, or the server asks for more time than anybody waits.
        """
        self._failed = 1 if gained >= ENOUGH else self._failed + 1
        if problem.wait > self._rules.asked:
            raise TransferFailed(
                f"{self._what}: {problem}; the server asks to wait for {problem.wait:.0f} s. Run the same command "
                "again then: it goes on from where it is"
            )
        if self._failed >= self._rules.tries:
            raise TransferFailed(
                f"{self._what}: {problem} (tried {self._failed} times). What has passed is kept: run the same command "
                "again, and it goes on from there"
            )
        seconds = max(problem.wait, min(self._rules.longest, self._rules.first * 2.0 ** (self._failed - 1)))
        self._say(f"{self._what}: {problem}; trying again in {seconds:.0f} s")
        # Many clients whom one server sent away should not come back all at once.
        time.sleep(seconds * random.uniform(1.0, 1.25))


class Pace:
    """Notices a transfer that is alive and goes nowhere."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._since = time.monotonic()
        self._bytes = 0

    def passed(self, count: int) -> None:
        """``count`` bytes have passed.

        Raises:
            Passing: they were too few for too long.
        """
        from .replies import Passing

        self._bytes += count
        now = time.monotonic()
        if now - self._since < self._rules.stall:
            return
        if self._bytes < self._rules.least:
            raise Passing(f"only {self._bytes:,} bytes in {now - self._since:.0f} s")
        self._since, self._bytes = now, 0
