"""One training run, in order: document, base, material, records, rows, plan, refusals, weights, gate, commit."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import DocumentError, NonFiniteWeights, StoreError, TrainingRefused
from . import heard, resuming
from .events import Evaluated, Outcome, RunStarted, TrainingFinished
from .material import Material, changes_record, collect
from .observer import Observer as Observer
from .observer import Preview
from .observer import TrainReport as TrainReport
from .pace import expected, remember
from .phases import select
from .resolve import TrainOptions as TrainOptions
from .resolve import recipe_for, with_budget
from .schedule import make_plan, revise
from .sizing import sized
from .stopping import reason_of, stoppable
from .summary import facts, summary_record

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from .._plugkit.plugins import PluginManager
    from ..bases import LocalBase
    from ..corpus.lesson import Augmenter
    from ..corpus.records import StudySet
    from ..corpus.similar import Similar
    from ..document import Document
    from ..locking.guard import Unchanged
    from ..locking.models import Lock
    from ..record.record import Record
    from ..record.trackers import Tracker
    from ..store import Store
    from ..store.checkpoint import Checkpoint
    from ..store.runs import Run
    from ..store.tokens import TokenCache
    from ..store.version import Version
    from .backend import Workbench
    from .plan import Plan
    from .recipe import Recipe
    from .warm import Start


def train(
    path: Path | str, *, home: Path | None = None, options: TrainOptions | None = None, observer: Observer | None = None
) -> TrainReport:
    """Train ``path`` and commit a new version; until then the store's current version is served unchanged.

    Raises:
        DocumentError: the document or one of its sources cannot be read, or asks for what this version does not do.
        BaseModelError: its base cannot be had.
        LicenceNotAccepted: nobody has agreed to the base's licence.
        NotTrained: ``options.resume``, and no run was stopped.
        TrainingRefused: there is nothing to train, a plugin refuses, a warm run has no start, or a stopped run cannot
            go on as it began; says every reason.
        LockViolated: it would not be made of what the current version is made of, and ``options.lock`` minds.
        StoreLocked: another process is training this document.
        NonFiniteWeights: NaN or infinity; the weights are kept aside, the version before stays current.
        TrainingFailed: the backend could not train.
    """
    from ..plugins import manager

    return _trained(_prepare(path, home, options or TrainOptions(), observer or Observer(), manager()))


def train_if_changed(
    path: Path | str, *, home: Path | None = None, options: TrainOptions | None = None, observer: Observer | None = None
) -> TrainReport | Unchanged:
    """As :func:`train`, unless the current version is already made of exactly what this one would be made of.

    That is found out from digests alone. A warm or resumed run, and one that does not look at the lock, always trains.
    """
    from ..plugins import manager

    job = _prepare(path, home, options or TrainOptions(), observer or Observer(), manager())
    return _unchanged(job) or _trained(job)


def _unchanged(job: _Job) -> Unchanged | None:
    from ..locking.guard import unchanged

    if job.options.warm or job.options.resume or job.options.lock == "ignore":
        return None
    return unchanged(job.store, job.lock, job.document, job.material)


def _trained(job: _Job) -> TrainReport:
    from ..locking.guard import look
    from ..locking.taking import seen_on

    job = replace(job, lock=seen_on(job.lock, job.backend.hardware(), job.recipe))
    look(job.store, job.lock, job.options.lock, job.document, job.observer.say)
    with job.backend.workbench(job.base, job.recipe, job.document.frontmatter.system_prompt) as bench:
        return _on_bench(job, bench)


@dataclass(frozen=True)
class _Job:
    """What stays the same from the first line to the last."""

    document: Document
    home: Path
    options: TrainOptions
    observer: Observer
    plugins: PluginManager
    backend: Any
    base: LocalBase
    licence: dict[str, Any] | None
    """The agreement to the base's licence, for the manifest."""
    recipe: Recipe
    material: Material
    start: Start | None
    """What a warm run goes on from."""
    stopped: Checkpoint | None
    """What a resumed run goes on from."""
    trackers: tuple[tuple[str, Tracker], ...]
    lock: Lock
    """Of what it is made, as far as that is known before the first step."""
    started: float
    """By the clock that only goes forward."""
    began: float
    """By the clock of files."""

    def seconds(self) -> float:
        """Since the run was asked for."""
        return time.perf_counter() - self.started

    @property
    def store(self) -> Store:
        from ..store import Store

        return Store(self.home, self.document.frontmatter.dlm_id)

    @property
    def warm_from(self) -> int | None:
        return self.start.version.number if self.start else None


def _prepare(
    path: Path | str, home: Path | None, options: TrainOptions, observer: Observer, plugins: PluginManager
) -> _Job:
    from pathlib import Path as RealPath

    from ..bases.cache import ensure
    from ..bases.licence import manifest_entry
    from ..bases.resolve import resolve
    from ..document import read
    from ..document.unsupported import unsupported
    from ..locking.taking import take
    from ..record.trackers import trackers_of
    from ..store import Store, layout
    from .choose import choose
    from .warm import start_of

    clocks = time.perf_counter(), time.time()
    document = read(RealPath(path))
    if findings := unsupported(document):
        raise DocumentError(findings)
    root = layout.home(home)
    store = Store(root, document.frontmatter.dlm_id)
    stopped, options = resuming.to_go_on(store, document, options, observer.say)
    recipe = recipe_for(document.frontmatter, options)
    trackers = trackers_of(options.track, store.layout.root, plugins, observer.say)
    for note in store.settle():
        observer.say(note)
    material = collect(document, root, recipe.seed)
    for note in material.notes:
        observer.say(note)
    backend = choose("train")
    wanted = resolve(document.frontmatter.base_model, document.folder)
    agreed = store.licence_acceptance()
    base = ensure(wanted, root, backend, observer.say, accept=options.accept_licence, acceptance=agreed)
    licence = manifest_entry(wanted, root)
    start = start_of(document, store, base, recipe, material) if options.warm else None
    warm_from = start.version.number if start else None
    lock = take(document, base, recipe, options, material, plugins, warm_from=warm_from, licence=licence)
    return _Job(
        document,
        root,
        options,
        observer,
        plugins,
        backend,
        base,
        licence,
        recipe,
        material,
        start,
        stopped,
        trackers,
        lock,
        *clocks,
    )


def _on_bench(job: _Job, bench: Workbench) -> TrainReport:
    from ..record.record import recording
    from ..store import Store
    from ..store.tokens import opened

    store = Store(job.home, job.document.frontmatter.dlm_id)
    if store.layout.root.exists():
        # Only looked at: a second process learns of the first one at once, and a refused run leaves no store behind.
        with store.lock("train"):
            pass
    with opened(store.layout, job.document.frontmatter.training.cache, wanted=job.options.cache) as cache:
        plan = _plan(job, bench, cache)
    known = {**facts(job.document, job.base, plan, job.material), "warm_from": job.warm_from}
    known |= {"plan_digest": resuming.plan_digest(plan), **resuming.origin(job.stopped)}
    plan = resuming.restored(plan, job.stopped, known, job.document)
    pace = expected(job.base, job.home)
    job.observer.planned(
        Preview(job.document, job.base, plan, store.layout.root, job.material, pace, job.start, job.stopped)
    )
    with store.lock("train"):
        run = store.begin_run(known, job.material.change.ledger)
        heard_by = (store.layout.metrics, job.observer, job.plugins, job.trackers)
        with recording(run, *heard_by, strict=job.options.strict_metrics) as record:
            made = _guarded(job, bench, plan, run, record, cache)
    return TrainReport(
        document=job.document,
        base=job.base,
        plan=plan,
        outcome=made.outcome,
        version=made.version.number,
        path=made.version.path,
        run_id=run.id,
        seconds=job.seconds(),
        material=job.material,
        warm_from=job.warm_from,
        resumed_from=job.stopped.moment.run_id if job.stopped else None,
        base_answers=made.base_answers,
    )


def _study(job: _Job, similar: Similar, augmenters: Sequence[Augmenter]) -> StudySet:
    from ..corpus.study import build

    return build(job.document, job.recipe.seed, job.material.more, augmenters, similar)


def _few(job: _Job) -> bool:
    """Whether the run is too short for all anchors."""
    from .sizing import SHORT_RUN

    training, options = job.document.frontmatter.training, job.options
    if options.token_budget is not None:
        return options.token_budget < SHORT_RUN
    if options.effort is not None:
        return options.effort == "quick"
    if training.token_budget is not None:
        return training.token_budget < SHORT_RUN
    return training.recipe.effort == "quick"


def _plan(job: _Job, bench: Workbench, cache: TokenCache | None) -> Plan:
    from ..bases.similar import similar_words
    from .augmenting import augmenters_of
    from .studied import studied
    from .warm import emphasised, shortened

    similar = similar_words(job.base, job.home, job.backend)
    augmenters = augmenters_of(job.document, job.home, job.plugins, job.observer.say)
    study = _study(job, similar, augmenters)
    phase, study = select(heard.unheard(study, job.start.heard) if job.start else study, job.plugins)
    study = studied(study, bench, job.home, job.observer.say, few=_few(job))
    study = emphasised(study, job.start) if job.start else study
    rows, held_out_rows = bench.encode(study.train, cache), bench.encode(study.held_out, cache)
    recipe = with_budget(job.recipe, job.document.frontmatter, job.options, study, rows)
    recipe = sized(recipe, job.document.frontmatter.training, job.base.path)
    recipe = shortened(recipe, job.document, job.options) if job.start else recipe
    plan = replace(make_plan(recipe, study, rows, held_out_rows), phase=phase.name)
    answers = job.plugins.hook.dlm_refuse_training(plan=plan)
    if reasons := [reason for found in answers for reason in found or ()]:
        raise TrainingRefused("this training was refused:\n" + "\n".join(f"  - {reason}" for reason in reasons))
    return plan


class _Made(NamedTuple):
    """What a run leaves behind."""

    outcome: Outcome
    version: Version
    base_answers: Mapping[str, str]


def _guarded(job: _Job, bench: Workbench, plan: Plan, run: Run, record: Record, cache: TokenCache | None) -> _Made:
    """Train and commit; however that ends, the store and the record hear of it."""
    try:
        _announce(job, plan, run, record, cache)
        made = _train_and_commit(job, bench, plan, run, record)
    except KeyboardInterrupt as stop:
        run.cancel(reason_of(stop))
        ended = TrainingFinished("cancelled", run.id, None, None, reason_of(stop))
        record.finished(ended, job.seconds())
        raise
    except _Rejected as rejected:
        record.finished(TrainingFinished("rejected", run.id, None, rejected.outcome, str(rejected)), job.seconds())
        raise NonFiniteWeights(str(rejected)) from None
    except BaseException as problem:
        message = f"{type(problem).__name__}: {problem}"
        run.fail(message)
        record.finished(TrainingFinished("failed", run.id, None, None, message), job.seconds())
        raise
    record.finished(TrainingFinished("ok", run.id, made.version.number, made.outcome), job.seconds())
    return made


ENOUGH_TO_TELL = 10_000
"""Tokens of a run from which its speed says something about the next one."""
MORE_EFFORT = 4.0
"""How much oftener the facts come that are still wrong at an evaluation."""


class _Rejected(Exception):
    """The finite gate closed."""

    def __init__(self, message: str, outcome: Outcome) -> None:
        self.outcome = outcome
        super().__init__(message)


def _announce(job: _Job, plan: Plan, run: Run, record: Record, cache: TokenCache | None) -> None:
    """Say and write down what was decided before the first step."""
    from ..store import Store

    # Before the weights are trained: a run that is stopped need not be tokenised again.
    stats = cache.finish(run.id) if cache is not None else None
    for note in (*run.recovered, *(cache.notes if cache else ())):
        job.observer.say(note)
    store = Store(job.home, job.document.frontmatter.dlm_id)
    record.started(_run_started(job, plan, run), changes_record(job.material), store.manifest())
    if stats is not None:
        record.tokenised(len(job.document.sections) + len(job.material.more), stats)
    record.phase_started(plan)


def _run_started(job: _Job, plan: Plan, run: Run) -> RunStarted:
    return RunStarted(
        run_id=run.id,
        dlm_id=job.document.frontmatter.dlm_id,
        title=job.document.title,
        base=job.base.key,
        seed=plan.recipe.seed,
        steps=len(plan.steps),
        warm_from=job.warm_from,
        resumed_from=job.stopped.moment.run_id if job.stopped else None,
        recipe=asdict(plan.recipe),
        versions=run.facts["versions"],
    )


def _train_and_commit(job: _Job, bench: Workbench, plan: Plan, run: Run, record: Record) -> _Made:
    from ..locking.guard import write as write_lock
    from ..store import Store
    from .letting_go import let_go
    from .warm import groups

    def write(folder: Path) -> None:
        bench.save(folder)
        heard.write(folder, heard.heard_in(plan.records) | (job.start.heard if job.start else heard.Heard()))
        made = {"last_run_id": run.id, "plan_sha256": run.facts["plan_digest"], "precision": outcome.precision}
        write_lock(folder, job.lock.stamped(**made))

    start = job.start.folder if job.start else None
    layout = Store(job.home, job.document.frontmatter.dlm_id).layout
    with stoppable() as stop:
        go_on = (job.document, layout, run, job.options, stop, job.observer.say, job.stopped)
        checkpoints = resuming.checkpoints(*go_on)
        outcome = bench.train(plan, record.stepped, record.evaluated, _revised, start, checkpoints)
    if outcome.non_finite:
        raise _reject(bench, run, outcome)
    taught = groups(job.document, job.material)
    made = {"outcome": asdict(outcome), "precision": outcome.precision, "groups": taught}
    version = run.commit(write, made, job.material.change.ledger)
    # The version is safe by now: a disk that is full for its summary must not turn a good run into a failed one.
    with suppress(StoreError):
        if outcome.tokens >= ENOUGH_TO_TELL:
            remember(job.base, job.home, outcome.tokens, outcome.seconds)
        run.summarise(summary_record(plan, job.material, outcome, job.seconds(), record.early_stopped), job.licence)
    answers = let_go(layout, job.material.change, run.id, job.began, job.observer.say)
    return _Made(outcome, version, answers)


def _revised(plan: Plan, done: int, found: Evaluated) -> Plan:
    """More of what is still wrong, in the steps that are left."""
    return revise(plan, done, found.wrong, MORE_EFFORT) if found.wrong else plan


def _reject(bench: Workbench, run: Run, outcome: Outcome) -> _Rejected:
    where = ", ".join(outcome.non_finite[:3]) + (", ..." if len(outcome.non_finite) > 3 else "")
    kept = run.reject(bench.save, f"not finite: {where}")
    return _Rejected(
        f"NaN or infinity in {where}. The weights are kept for a look in {kept}; the version before stays current. "
        "Try a lower training.learning_rate, or training.precision: fp32",
        outcome,
    )
