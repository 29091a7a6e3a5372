"""One training run, in order: document, base, material, records, rows, plan, refusals, weights, gate, commit.

A document may name several adapters; then what is between material and gate is done for each: see :mod:`.several`.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, NamedTuple

from ..errors import DocumentError, StoreError
from . import gate, resuming
from .events import Outcome, RunStarted, TrainingFinished
from .gating import gate_of
from .job import Job
from .material import changes_record, collect
from .observer import Observer as Observer
from .observer import Preview
from .observer import TrainReport as TrainReport
from .pace import expected, remember
from .phases import ALL, goes_on
from .resolve import TrainOptions as TrainOptions
from .resolve import recipe_for
from .several import Lane, benches, lay_out, train_all
from .stopping import reason_of
from .summary import facts, phase_records, summary_record

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from .._plugkit.plugins import PluginManager
    from ..errors import TrainingFailed
    from ..locking.guard import Unchanged
    from ..record.record import Record
    from ..store.runs import Run
    from ..store.tokens import TokenCache
    from ..store.version import Version
    from .plan import Plan


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
        TrainingDiverged: the held-out loss rose far above what it was; likewise.
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


def _unchanged(job: Job) -> Unchanged | None:
    from ..locking.guard import unchanged

    if job.options.warm or job.options.resume or job.options.lock == "ignore":
        return None
    return unchanged(job.store, job.lock, job.document, job.material)


def _trained(job: Job) -> TrainReport:
    from ..hardware.gate import look_before
    from ..locking.guard import look
    from ..locking.taking import seen_on

    hardware = job.backend.hardware()
    look_before(job, hardware)
    job = replace(job, lock=seen_on(job.lock, hardware, job.recipe))
    look(job.store, job.lock, job.options.lock, job.document, job.observer.say)
    with benches(job) as lanes:
        return _on_bench(job, lanes)


def _prepare(
    path: Path | str, home: Path | None, options: TrainOptions, observer: Observer, plugins: PluginManager
) -> Job:
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
    from .lanes import carried_from, outdated, parts_of, started, with_lanes

    clocks = time.perf_counter(), time.time()
    document = read(RealPath(path))
    if findings := unsupported(document):
        raise DocumentError(findings)
    root = layout.home(home)
    store = Store(root, document.frontmatter.dlm_id)
    stopped, options = resuming.to_go_on(store, document, options, observer.say)
    later = goes_on(options.phase or ALL, plugins)
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
    parts = parts_of(document, base, options, material)
    carried = carried_from(document, store, base, options.adapter)
    for note in outdated(document, material, carried, options.adapter or "") if carried else ():
        observer.say(note)
    parts = started(parts, store) if options.warm or later else parts
    start = parts[0].start
    warm_from = start.version.number if start else None
    lock = take(document, parts[0].base, recipe, options, material, plugins, warm_from=warm_from, licence=licence)
    job = Job(
        document,
        root,
        options,
        observer,
        plugins,
        backend,
        parts[0].base,
        licence,
        recipe,
        material,
        start,
        stopped,
        trackers,
        lock,
        *clocks,
        carried=carried,
    )
    return with_lanes(job, parts)


def _on_bench(job: Job, lanes: Sequence[Lane]) -> TrainReport:
    from ..record.record import recording
    from ..store import Store
    from ..store.tokens import opened

    store = Store(job.home, job.document.frontmatter.dlm_id)
    if store.layout.root.exists():
        # Only looked at: a second process learns of the first one at once, and a refused run leaves no store behind.
        with store.lock("train"):
            pass
    with opened(store.layout, job.document.frontmatter.training.cache, wanted=job.options.cache) as cache:
        plans = lay_out(job, lanes, cache)
    known = {**facts(job.document, job.base, plans, job.material), "warm_from": job.warm_from}
    known |= {"carried_from": job.carried.number} if job.carried else {}
    known |= {"plan_digest": resuming.plan_digest(*plans), **resuming.origin(job.stopped)}
    plans = resuming.restored(plans, job.stopped, known, job.document)
    pace = expected(job.base, job.home)
    job.observer.planned(
        Preview(
            job.document, job.base, plans, store.layout.root, job.material, pace, job.start, job.stopped, job.carried
        )
    )
    with store.lock("train"):
        run = store.begin_run(known, job.material.change.ledger)
        heard_by = (store.layout.metrics, job.observer, job.plugins, job.trackers)
        with recording(run, *heard_by, strict=job.options.strict_metrics) as record:
            made = _guarded(job, lanes, plans, run, record, cache)
    return TrainReport(
        document=job.document,
        base=job.base,
        plans=plans,
        outcomes=made.outcomes,
        version=made.version.number,
        path=made.version.path,
        run_id=run.id,
        seconds=job.seconds(),
        material=job.material,
        warm_from=job.warm_from,
        resumed_from=job.stopped.moment.run_id if job.stopped else None,
        base_answers=made.base_answers,
    )


class _Made(NamedTuple):
    """What a run leaves behind."""

    outcomes: tuple[Outcome, ...]
    """Of each phase."""
    version: Version
    base_answers: Mapping[str, str]


def _guarded(
    job: Job, lanes: Sequence[Lane], plans: tuple[Plan, ...], run: Run, record: Record, cache: TokenCache | None
) -> _Made:
    """Train and commit; however that ends, the store and the record hear of it."""
    try:
        _announce(job, plans, run, record, cache)
        made = _train_and_commit(job, lanes, plans, run, record)
    except KeyboardInterrupt as stop:
        run.cancel(reason_of(stop))
        ended = TrainingFinished("cancelled", run.id, None, None, reason_of(stop))
        record.finished(ended, job.seconds())
        raise
    except _Rejected as rejected:
        record.finished(TrainingFinished("rejected", run.id, None, rejected.outcome, str(rejected)), job.seconds())
        raise rejected.error(str(rejected)) from None
    except BaseException as problem:
        message = f"{type(problem).__name__}: {problem}"
        run.fail(message)
        record.finished(TrainingFinished("failed", run.id, None, None, message), job.seconds())
        raise
    record.finished(TrainingFinished("ok", run.id, made.version.number, made.outcomes[0]), job.seconds())
    return made


ENOUGH_TO_TELL = 10_000
"""Tokens of a run from which its speed says something about the next one."""


class _Rejected(Exception):
    """The gate closed."""

    def __init__(self, message: str, outcome: Outcome, error: type[TrainingFailed]) -> None:
        self.outcome, self.error = outcome, error
        super().__init__(message)


def _announce(job: Job, plans: tuple[Plan, ...], run: Run, record: Record, cache: TokenCache | None) -> None:
    """Say and write down what was decided before the first step."""
    from ..store import Store

    # Before the weights are trained: a run that is stopped need not be tokenised again.
    stats = cache.finish(run.id) if cache is not None else None
    for note in (*run.recovered, *(cache.notes if cache else ())):
        job.observer.say(note)
    store = Store(job.home, job.document.frontmatter.dlm_id)
    record.started(_run_started(job, plans, run), changes_record(job.material), store.manifest())
    if stats is not None:
        record.tokenised(len(job.document.sections) + len(job.material.more), stats)


def _run_started(job: Job, plans: tuple[Plan, ...], run: Run) -> RunStarted:
    return RunStarted(
        run_id=run.id,
        dlm_id=job.document.frontmatter.dlm_id,
        title=job.document.title,
        base=job.base.key,
        seed=job.recipe.seed,
        steps=sum(len(plan.steps) for plan in plans),
        warm_from=job.warm_from,
        resumed_from=job.stopped.moment.run_id if job.stopped else None,
        recipe=asdict(plans[0].recipe),
        versions=run.facts["versions"],
    )


def _train_and_commit(job: Job, lanes: Sequence[Lane], plans: tuple[Plan, ...], run: Run, record: Record) -> _Made:
    from ..locking.guard import with_carried
    from ..locking.guard import write as write_lock
    from .letting_go import let_go
    from .warm import groups

    def write(folder: Path) -> None:
        trained.write(folder)
        if chooser:
            chooser.write(folder)
        made = {"last_run_id": run.id, "plan_sha256": run.facts["plan_digest"], "precision": outcomes[0].precision}
        write_lock(folder, with_carried(job).stamped(**made))

    chooser = gate_of(job, run)
    trained = train_all(job, lanes, plans, run, record)
    outcomes = trained.outcomes
    if found := trained.fault:
        kept = run.reject(trained.write, found.reason, trained.adapters)
        raise _Rejected(gate.told(found, kept), outcomes[-1], found.error)
    made = {"outcome": asdict(outcomes[0]), "precision": outcomes[0].precision}
    made |= {"groups": groups(job.document, job.material)} if trained.adapters is None else {}
    ended = {"phases": phase_records(plans, outcomes)}
    version = run.commit(write, {**made, **ended}, job.material.change.ledger, trained.adapters)
    # The version is safe by now: a disk that is full for its summary must not turn a good run into a failed one.
    with suppress(StoreError):
        if outcomes[0].tokens >= ENOUGH_TO_TELL:
            remember(job.base, job.home, outcomes[0].tokens, outcomes[0].seconds)
        summary = summary_record(plans, job.material, outcomes, job.seconds(), record.early_stopped)
        run.summarise(summary, job.licence)
    answers = let_go(job.store.layout, job.material.change, run.id, job.began, job.observer.say)
    return _Made(outcomes, version, answers)
