"""Stopping a run between two steps instead of inside of one, so that its state is worth keeping."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


class Stopped(KeyboardInterrupt):
    """Somebody stopped the run: with Ctrl-C, or by asking the process to end."""

    def __init__(self, asked: signal.Signals, message: str = "") -> None:
        self.asked = asked
        super().__init__(message)

    @property
    def exit_code(self) -> int:
        """As shells expect it."""
        return 128 + self.asked

    @property
    def reason(self) -> str:
        """For the manifest."""
        return "stopped from the keyboard" if self.asked is signal.SIGINT else f"stopped by {self.asked.name}"


def reason_of(stop: KeyboardInterrupt) -> str:
    """Why a run was cancelled, for the manifest."""
    return stop.reason if isinstance(stop, Stopped) else "stopped from the keyboard"


class Stop:
    """Whether somebody asked the run to stop. Until :meth:`arm`, and when asked twice, it stops at once."""

    def __init__(self) -> None:
        self.asked: signal.Signals | None = None
        self._armed = False

    def arm(self) -> None:
        """From now on there is something to keep: wait for the end of the step."""
        self._armed = True

    def ask(self, number: int, _: Any = None) -> None:
        """A signal came."""
        again, self.asked = self.asked is not None, signal.Signals(number)
        if again or not self._armed:
            raise Stopped(self.asked, "stopped at once")


@contextmanager
def stoppable() -> Iterator[Stop]:
    """Let Ctrl-C and SIGTERM ask for a stop until the block ends. Does nothing outside of the main thread."""
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {number: signal.signal(number, stop.ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            # None: whoever set it was not Python, and cannot be put back from here.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
