"""Following a run from another process, by looking again and again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

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


def follow(store: Store, poll_seconds: float, sleep: Callable[[float], None] = time.sleep) -> Iterator[Seen]:
    """Looks at the run that is going, until it has ended; none when none is."""
    runs = history(store).runs
    if not runs or runs[-1].status != "running":
        return
    number, steps, evals, first = runs[-1].run_id, 0, 0, True
    while True:
        # The status is read before the curve: what a run writes last is there when it has ended.
        run = history(store).run(number)
        found = curve(store, number)
        seen = Seen(run, found.steps[steps:], found.evals[evals:], first)
        if first or seen.steps or seen.evals or run.status != "running":
            yield seen
        if run.status != "running":
            return
        steps, evals, first = len(found.steps), len(found.evals), False
        sleep(poll_seconds)
