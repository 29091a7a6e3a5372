"""Following a run from another process, by looking again and again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from ..store.lock import is_held
from .reading import curve, history

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..store import Store
    from .rows import EvalRow, RunRow, StepRow


class Seen(NamedTuple):
    """One look at a run, and what is new since the one before."""

    run: RunRow
    steps: tuple[StepRow, ...]
    evals: tuple[EvalRow, ...]
    first: bool
    ended: bool
    """Nothing follows."""


def follow(store: Store, poll_seconds: float, sleep: Callable[[float], None] = time.sleep) -> Iterator[Seen]:
    """Looks at the run that is going, until it has ended; none when none is."""
    runs = history(store).runs
    if not runs or runs[-1].status != "running":
        return
    number, steps, evals, first = runs[-1].run_id, 0, 0, True
    while True:
        # Whether it has ended is asked before the curve is read: then nothing is missing from the curve.
        runs = history(store).runs
        run = next(one for one in runs if one.run_id == number)
        # The manifest knows first; the last rows are written before the lock is let go.
        ended = run.status != "running" and (runs[-1].run_id > number or not is_held(store.layout))
        found = curve(store, number)
        seen = Seen(
            history(store).run(number) if ended else run, found.steps[steps:], found.evals[evals:], first, ended
        )
        if first or ended or seen.steps or seen.evals:
            yield seen
        if ended:
            return
        steps, evals, first = len(found.steps), len(found.evals), False
        sleep(poll_seconds)
