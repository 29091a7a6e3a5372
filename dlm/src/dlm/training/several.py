"""The adapters of one run, one after the other, each on a bench of its own; together they become one version.

All are planned before the first is trained. One without a name goes the same way. What each is trained from:
:mod:`.lanes`.
"""

from __future__ import annotations

import shutil
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from ..bases.quantised import KEY as BASE_QUANTISATION
from ..errors import StoreError, TrainingRefused, UsageProblem
from ..store import finished as kept
from ..store.files import disk_errors, sha256
from ..store.layout import ADAPTERS
from ..store.version import ADAPTER_FILE
from . import gate, heard, resuming
from .phase_loop import Stage, go_through
from .planning import plans_of
from .stopping import Stop
from .summary import phase_records, plan_record
from .warm import groups

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from ..record.record import Record
    from ..store.runs import Run
    from ..store.tokens import TokenCache
    from ..store.version import Version
    from .backend import Workbench
    from .events import Outcome
    from .job import Job
    from .plan import Plan


@dataclass(frozen=True)
class Lane:
    """One adapter on its bench."""

    job: Job
    bench: Workbench
    leave: Callable[[], None]
    """Frees the bench."""

    def of(self, plans: Sequence[Plan]) -> tuple[Plan, ...]:
        """Its phases among those of the run."""
        return tuple(plan for plan in plans if plan.adapter == self.job.adapter)

    def save(self, folder: Path, plans: Sequence[Plan]) -> None:
        """Write the adapter, and which questions it has heard, into an empty ``folder``."""
        self.bench.save(folder)
        trained = heard.heard_in(one for plan in self.of(plans) for one in plan.records)
        heard.write(folder, trained | (self.job.start.heard if self.job.start else heard.Heard()))


class Trained(NamedTuple):
    """What all lanes left."""

    outcomes: tuple[Outcome, ...]
    """Of each phase, in the order of the plans."""
    write: Callable[[Path], None]
    """Fills the folder of a version."""
    adapters: dict[str, dict[str, Any]] | None
    """What the version is to know of each adapter; ``None`` for one without a name."""
    fault: gate.Fault | None
    """Why the last of them cannot be kept; those after it were not begun."""


@contextmanager
def benches(job: Job) -> Iterator[tuple[Lane, ...]]:
    """A bench for every adapter that ``job`` trains; those that were not left are freed at the end."""
    with ExitStack() as stack:
        lanes = []
        for part in job.parts:
            own = stack.enter_context(ExitStack())
            system = part.document.frontmatter.system_prompt
            bench = own.enter_context(part.backend.workbench(part.base, part.recipe, system))
            bench.say = part.observer.say
            lanes.append(Lane(part, bench, own.close))
        yield tuple(lanes)


def lay_out(job: Job, lanes: Sequence[Lane], cache: TokenCache | None) -> tuple[Plan, ...]:
    """The plan of every phase of every adapter, in order.

    Raises:
        TrainingRefused: there is nothing to train, or this machine or a plugin refuses; says every reason.
        UsageProblem: the phase that was asked for has nothing to train.
    """
    from ..hardware.gate import look_at

    plans: list[Plan] = []
    for lane in lanes:
        with _named(lane.job):
            plans += plans_of(lane.job, lane.bench, cache)
        if len(lanes) > 1:
            lane.bench.rest()
    look_at(job, plans)
    return tuple(plans)


def train_all(job: Job, lanes: Sequence[Lane], plans: tuple[Plan, ...], run: Run, record: Record) -> Trained:
    """Train every adapter. One that is finished is kept beside the checkpoint until the version is there, so that a run
    that is stopped later need not train it again."""
    outcomes = resuming.ended_before(job.stopped)
    finished = resuming.finished_before(job.stopped)
    lane, found, first = lanes[0], None, 1
    for lane in lanes:
        own, name = lane.of(plans), lane.job.adapter
        after = first + len(own)
        if name is None or name not in finished:
            stage = Stage(first, len(plans))
            # Only those that are done are told of: the lane's own phases are found by their numbers.
            done = go_through(lane.job, lane.bench, own, run, record, stage=stage, ended=outcomes, finished=finished)
            outcomes = (*outcomes[: first - 1], *done)
            found = gate.fault(outcomes[-1], lane.job.base, own[len(done) - 1].recipe, name)
            if found or lane is lanes[-1]:
                break
            assert name is not None
            finished = {**finished, name: _keep(lane, plans, run)}
            resuming.checkpoints(lane.job, run, Stop(), None, after, outcomes, finished).before(plans[after - 1])
        lane.leave()
        first = after
    write, adapters = _version(job, lanes, lane, plans, outcomes, finished, rejected=found is not None)
    return Trained(outcomes, write, adapters, found)


def _keep(lane: Lane, plans: Sequence[Plan], run: Run) -> dict[str, Any]:
    assert lane.job.adapter is not None
    return kept.keep(lane.job.store.layout, run.id, lane.job.adapter, lambda folder: lane.save(folder, plans))


def _version(
    job: Job,
    lanes: Sequence[Lane],
    last: Lane,
    plans: Sequence[Plan],
    outcomes: Sequence[Outcome],
    finished: Mapping[str, Any],
    *,
    rejected: bool,
) -> tuple[Callable[[Path], None], dict[str, dict[str, Any]] | None]:
    """How the folder of a version is filled, and what it is to know of each adapter; the ``last`` is on its bench."""
    if last.job.adapter is None:
        return lambda folder: last.save(folder, plans), None
    writers: dict[str, Callable[[Path], None]] = {}
    facts: dict[str, dict[str, Any]] = {}
    for lane in lanes[: lanes.index(last) + 1]:
        name = lane.job.adapter or ""
        facts[name] = _facts(lane, plans, outcomes)
        own = _saver(lane, plans) if lane is last else _copier(kept.place(job.store.layout, finished[name]))
        writers[name] = own
    if job.carried is not None and not rejected:
        others = [name for name in _declared(job) if name not in writers]
        writers |= {name: _copier(job.carried.folder_of(name), _digest(job.carried, name)) for name in others}
        facts |= {name: _carried(job.carried, name) for name in others}
    in_order = [name for name in _declared(job) if name in writers]

    def write(folder: Path) -> None:
        for name in in_order:
            writers[name](folder / ADAPTERS / name)

    return write, {name: facts[name] for name in in_order}


def _saver(lane: Lane, plans: Sequence[Plan]) -> Callable[[Path], None]:
    return lambda folder: lane.save(folder, plans)


def _copier(source: Path, digest: str | None = None) -> Callable[[Path], None]:
    """Copies a whole adapter; with ``digest``, one that must still be what it was."""

    def copy(folder: Path) -> None:
        with disk_errors(folder):
            shutil.copytree(source, folder, dirs_exist_ok=True)
        if digest is not None and sha256(folder / ADAPTER_FILE) != digest:
            raise StoreError(f"{source / ADAPTER_FILE} changed while it was taken over: train all with `dlm train DOC`")

    return copy


def _facts(lane: Lane, plans: Sequence[Plan], outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """What a version knows of an adapter that was trained for it."""
    own = lane.of(plans)
    first = next(index for index, plan in enumerate(plans) if plan.adapter == lane.job.adapter)
    ended = outcomes[first : first + len(own)]
    sections = (*lane.job.document.sections, *lane.job.material.more)
    return {
        "recipe": asdict(own[0].recipe),
        BASE_QUANTISATION: lane.job.base.quantisation,
        "plan": plan_record(own[0]),
        "phases": phase_records(own, ended),
        "outcome": asdict(ended[0]),
        "precision": ended[0].precision,
        "groups": groups(lane.job.document, lane.job.material),
        "section_ids": [section.id for section in sections],
        "warm_from": lane.job.warm_from,
    }


def _carried(version: Version, name: str) -> dict[str, Any]:
    """What a version knows of an adapter that it took over: the same, and in which version it was trained."""
    return {"trained_in": version.number, **version.facts["adapters"][name]}


def _digest(version: Version, name: str) -> str:
    return str(version.facts_of(name)["adapter_sha256"])


def _declared(job: Job) -> tuple[str, ...]:
    return tuple(job.document.frontmatter.training.adapters or ())


@contextmanager
def _named(job: Job) -> Iterator[None]:
    """Say in what is refused which adapter it is about."""
    try:
        yield
    except (TrainingRefused, UsageProblem) as problem:
        if job.adapter is None:
            raise
        raise type(problem)(f"adapter {job.adapter}: {problem}") from problem
