"""The phases of a run, one after the other on one bench. A run that goes on begins with the phase that was stopped."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from . import gate, resuming
from .backend import ON_BENCH
from .schedule import revise
from .stopping import stoppable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..record.record import Record
    from ..store.runs import Run
    from .backend import Workbench
    from .events import Evaluated, Outcome
    from .job import Job
    from .plan import Plan


class Stage(NamedTuple):
    """Where the phases of one adapter stand in the run."""

    first: int
    """Number of the first one, counted from 1 over all adapters."""
    of: int
    """Phases of the whole run; 0 for those of the one adapter."""


ONLY = Stage(1, 0)
NOTHING: Mapping[str, Any] = MappingProxyType({})
MORE_EFFORT = 4.0
"""How much oftener the facts come that are still wrong at an evaluation."""


def go_through(
    job: Job,
    bench: Workbench,
    plans: Sequence[Plan],
    run: Run,
    record: Record,
    *,
    stage: Stage = ONLY,
    ended: Sequence[Outcome] = (),
    finished: Mapping[str, Any] = NOTHING,
) -> tuple[Outcome, ...]:
    """How each phase of one adapter ended; after one whose weights cannot be kept, no other is begun.

    ``ended`` are the outcomes of the run so far, of a stopped run that goes on too, and ``finished`` the adapters that
    are kept: what a later run must know to go on.
    """
    stopped = job.stopped
    outcomes = tuple(ended)
    start = job.start.folder if job.start else None
    with stoppable() as stop:
        for number, plan in enumerate(plans, start=stage.first):
            if number <= len(outcomes):
                continue
            record.phase_started(plan, number)
            job.observer.phase_started(plan, number, stage.of or len(plans))
            found = stopped if stopped and stopped.moment.phase == number else None
            checkpoints = resuming.checkpoints(job, run, stop, found, number, outcomes, finished)
            outcome = bench.train(
                plan,
                record.stepped,
                record.evaluated,
                None if plan.recipe.preferring else _revised,
                ON_BENCH if number > stage.first and found is None else start,
                checkpoints,
            )
            outcomes = (*outcomes, outcome)
            if gate.fault(outcome, job.base, plan.recipe):
                break
    return outcomes[stage.first - 1 :]


def _revised(plan: Plan, done: int, found: Evaluated) -> Plan:
    """More of what is still wrong, in the steps that are left."""
    return revise(plan, done, found.wrong, MORE_EFFORT) if found.wrong else plan
