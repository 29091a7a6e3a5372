"""The phases of a run, one after the other on one bench. A run that goes on begins with the phase that was stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

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

MORE_EFFORT = 4.0
"""How much oftener the facts come that are still wrong at an evaluation."""


def go_through(job: Job, bench: Workbench, plans: Sequence[Plan], run: Run, record: Record) -> tuple[Outcome, ...]:
    """How each phase ended; after one whose weights cannot be kept, no other is begun."""
    stopped = job.stopped
    outcomes = resuming.ended_before(stopped)
    start = job.start.folder if job.start else None
    with stoppable() as stop:
        for number, plan in enumerate(plans, start=1):
            if number <= len(outcomes):
                continue
            record.phase_started(plan, number)
            job.observer.phase_started(plan, number, len(plans))
            found = stopped if stopped and stopped.moment.phase == number else None
            go_on = (job.document, job.store.layout, run, job.options, stop, job.observer.say, found)
            checkpoints = resuming.checkpoints(*go_on, number, outcomes)
            outcome = bench.train(
                plan,
                record.stepped,
                record.evaluated,
                None if plan.recipe.preferring else _revised,
                ON_BENCH if number > 1 and found is None else start,
                checkpoints,
            )
            outcomes = (*outcomes, outcome)
            if gate.fault(outcome, job.base, plan.recipe):
                break
    return outcomes


def _revised(plan: Plan, done: int, found: Evaluated) -> Plan:
    """More of what is still wrong, in the steps that are left."""
    return revise(plan, done, found.wrong, MORE_EFFORT) if found.wrong else plan
