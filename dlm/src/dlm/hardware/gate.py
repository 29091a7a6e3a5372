"""Where a run meets the refusal matrix: before its plan, and before its weights."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import TrainingRefused
from .refusals import Case, Objection, objections

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .._plugkit.plugins import PluginManager
    from ..training.backend import Backend
    from ..training.job import Job
    from ..training.plan import Plan
    from .capabilities import Capabilities


def of_plans(case: Case, plans: Sequence[Plan], backend: Backend, home: Path) -> list[Case]:
    """``case`` with each of the plans of a run."""
    from ..training.pace import expected

    assert case.base is not None
    pace = expected(case.base, home)
    return [
        replace(case, plan=plan, estimate=backend.estimate(case.base, plan, case.precision), pace=pace)
        for plan in plans
    ]


def all_objections(cases: Sequence[Case], plugins: PluginManager) -> list[Objection]:
    """What holds for any of the phases of a run, and what plugins say against their plans; each once."""
    found = [objection for case in cases for objection in objections(case, plugins)]
    for case in cases:
        answers = plugins.hook.dlm_refuse_training(plan=case.plan)
        found += [Objection("plugin", "refuse", reason) for reasons in answers for reason in reasons or ()]
    return sorted(dict.fromkeys(found), key=lambda one: one.severity != "refuse")


def look_before(job: Job, capabilities: Capabilities) -> None:
    """Refuse what no plan could make good, before a library or a tokenizer is loaded for it.

    Raises:
        TrainingRefused: with every reason.
    """
    found = [objection for part in job.parts for objection in objections(_case(part, capabilities), job.plugins)]
    _refuse(list(dict.fromkeys(found)))


def look_at(job: Job, plans: Sequence[Plan]) -> None:
    """Refuse ``plans``, or say what should be known before they run.

    Raises:
        TrainingRefused: with every reason, of this machine and of plugins.
    """
    here = job.backend.hardware()
    cases = [
        case
        for part in job.parts
        for case in of_plans(
            _case(part, here), [plan for plan in plans if plan.adapter == part.adapter], job.backend, job.home
        )
    ]
    found = all_objections(cases, job.plugins)
    _refuse(found)
    for one in found:
        job.observer.say(f"note: {one}")


def _case(job: Job, capabilities: Capabilities) -> Case:
    return Case(capabilities, job.recipe, job.base)


def _refuse(found: Sequence[Objection]) -> None:
    if listed := [f"  - {objection}" for objection in found if objection.severity == "refuse"]:
        raise TrainingRefused("this training was refused:\n" + "\n".join(listed))
