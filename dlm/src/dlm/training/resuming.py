"""Going on with a run that was killed, stopped or failed: which one, whether it still may, and with which plan.

What was laid out then must be what would be laid out now, to the last row: only then do the steps that are left end
where they would have ended. So everything that decides a result is compared, and what differs is named.
"""

from __future__ import annotations

import hashlib
import shlex
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from ..errors import NotTrained, TrainingRefused
from ..store.encoding import jsonable, line
from ..store.finished import KEY
from .checkpoints import StoredCheckpoints
from .events import Outcome
from .schedule import with_steps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from ..document import Document
    from ..store import Store
    from ..store.checkpoint import Checkpoint
    from ..store.runs import Run
    from .job import Job
    from .plan import Plan
    from .resolve import TrainOptions
    from .stopping import Stop

DECIDING = {
    "seed": "--seed",
    "max_steps": "--max-steps",
    "token_budget": "--budget",
    "effort": "--effort",
    "phase": "--phase",
    "adapter": "--adapter",
}
"""Options that decide what is trained; a run that goes on takes those it began with."""
KEYS = {
    "rank": "training.lora_r",
    "alpha": "training.lora_alpha",
    "dropout": "training.lora_dropout",
    "schedule": "training.lr_scheduler",
    "batch_rows": "micro_batch_size times grad_accum",
    "token_budget": "the token budget",
    "max_steps": "--max-steps",
}
"""What sets a number of the recipe, where it is not ``training.`` and the same name."""


def to_go_on(
    store: Store, document: Document, options: TrainOptions, say: Callable[[str], None]
) -> tuple[Checkpoint | None, TrainOptions]:
    """What a run with ``--resume`` goes on from, and the options that the stopped run had.

    Without ``--resume`` there is none; when there could be one, it is said.

    Raises:
        NotTrained: nothing was stopped.
        TrainingRefused: other options were given than the stopped run had.
        StoreError: the checkpoint is damaged.
    """
    found = store.checkpoint()
    command = f"dlm train {shlex.quote(document.location)}"
    if not options.resume:
        if found is not None:
            say(f"{described(found)}: `{command} --resume` would go on from there; this run starts anew")
        return None, options
    if found is None:
        raise NotTrained(f"there is no stopped run of {document.location} to go on with: start one with `{command}`")
    found.verify()
    return found, _adopted(options, found, command)


def described(found: Checkpoint) -> str:
    """For example ``run 3 was stopped after step 120 of 400``."""
    phase = f" of phase {found.moment.phase}" if found.moment.phase > 1 else ""
    if (adapter := found.facts.get("adapter")) is not None:
        phase += f", in the adapter {adapter}"
    step = f"step {found.moment.step} of {found.facts.get('steps')}"
    return f"run {found.moment.run_id} was stopped after {step}{phase}"


def plan_digest(*plans: Plan) -> str:
    """One name for everything that is trained, in which order, and by which numbers."""
    found = hashlib.sha256()
    for part in (part for plan in plans for part in _parts(plan)):
        found.update(line(part).encode())
    return f"sha256:{found.hexdigest()}"


def checkpoints(
    job: Job,
    run: Run,
    stop: Stop,
    found: Checkpoint | None,
    phase: int = 1,
    ended: Sequence[Outcome] = (),
    finished: Mapping[str, Any] | None = None,
) -> StoredCheckpoints:
    """The door of ``run`` to its checkpoint in one ``phase``. With it goes what a later run must know to go on: how
    this one began, which options it was given, how the phases before this one ``ended`` and where the adapters lie that
    are ``finished``."""
    had = {name: getattr(job.options, name) for name in (*DECIDING, "warm")}
    facts = {"began_with": run.facts, "options": had, "ended": jsonable([asdict(outcome) for outcome in ended])}
    if job.adapter is not None:
        facts |= {"adapter": job.adapter, KEY: dict(finished or {})}
    # A checkpoint from before the first step has no state.
    folder = found.path if found and found.moment.step else None
    where = job.document.location
    return StoredCheckpoints(
        job.store.layout, run.id, facts, stop, job.observer.say, phase=phase, folder=folder, document=where
    )


def finished_before(found: Checkpoint | None) -> dict[str, Any]:
    """The adapters that the stopped run had finished, as its checkpoint tells of them."""
    return dict(found.facts.get(KEY) or {}) if found else {}


def ended_before(found: Checkpoint | None) -> tuple[Outcome, ...]:
    """How the phases before the one that was stopped ended."""
    ended = found.facts.get("ended", ()) if found else ()
    return tuple(Outcome(**{**one, "non_finite": tuple(one["non_finite"])}) for one in ended)


def origin(found: Checkpoint | None) -> dict[str, int | None]:
    """For the log, the manifest and ``version.json``; all null when the run began at its first step."""
    return {
        "resumed_from": found.moment.run_id if found else None,
        "resumed_at_step": found.moment.step if found else None,
    }


def restored(
    plans: tuple[Plan, ...], found: Checkpoint | None, facts: Mapping[str, Any], document: Document
) -> tuple[Plan, ...]:
    """``plans``, that of the phase that was stopped as the run had revised it by then.

    Raises:
        TrainingRefused: something else would be trained now; names what changed.
    """
    if found is None:
        return plans
    if reasons := list(_differences(found.facts["began_with"], jsonable(dict(facts)))):
        listed = "\n".join(f"  - {reason}" for reason in reasons)
        raise TrainingRefused(
            f"{described(found)} and cannot go on as it began:\n{listed}\n"
            f"Put that back, or start anew: `dlm train {shlex.quote(document.location)}`"
        )
    revised = [tuple(rows) for rows in found.facts["plan_steps"]]
    numbered = enumerate(plans, start=1)
    return tuple(with_steps(plan, revised) if number == found.moment.phase else plan for number, plan in numbered)


def _adopted(options: TrainOptions, found: Checkpoint, command: str) -> TrainOptions:
    had = found.facts["options"]
    clashes = [
        f"{flag} {getattr(options, name)} (it had {had.get(name) if had.get(name) is not None else 'none'})"
        for name, flag in DECIDING.items()
        if getattr(options, name) not in (None, had.get(name))
    ]
    if options.warm and not had.get("warm"):
        clashes.append("--warm (it began with the base)")
    if clashes:
        raise TrainingRefused(
            f"{described(found)} and goes on with the options it began with, not with {', '.join(clashes)}: leave them "
            f"out, or start anew without --resume: `{command}`"
        )
    return replace(options, **{name: had.get(name) for name in DECIDING}, warm=bool(had.get("warm")))


def _parts(plan: Plan) -> Iterator[Any]:
    named = {"adapter": plan.adapter} if plan.adapter is not None else {}
    yield {key: value for key, value in asdict(plan.recipe).items() if key != "device"} | {"phase": plan.phase} | named
    for record in plan.records:
        yield record.__dict__ | {"messages": [list(message) for message in record.messages]}
    for rows in (plan.rows, plan.held_out_rows):
        yield [[row.record, row.tokens, row.scored] for row in rows]
    yield [list(rows) for rows in plan.steps]
    yield [plan.warmup_steps, plan.decay_steps, plan.evaluate_every]


def _differences(was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """What decides a result and is not as it was, in words."""
    named = [
        *_of_document(was, now),
        *_of_base(was, now),
        *_of_adapters(was, now),
        *_of_versions(was.get("versions") or {}, now["versions"]),
    ]
    yield from named
    if not named and was.get("plan_digest") != now["plan_digest"]:
        yield "other records would be trained now: a plugin, an augmenter or the base's own answers changed"


def _of_document(was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    if was.get("document_digest") != now["document_digest"]:
        yield "the document was edited"
    elif was.get("sources") != now["sources"]:
        yield "a file of its sources was edited, added or removed"
    elif was.get("section_ids") != now["section_ids"]:
        yield "other sections are replayed from the store: another training, or `dlm forget`, came between"
    if was.get("warm_from") != now["warm_from"]:
        yield f"it went on from v{was.get('warm_from')}, and v{now['warm_from']} is current: `dlm use` goes back"
    if (theirs := was.get("carried_from")) != (current := now.get("carried_from")):
        yield f"it took the other adapters over from v{theirs}, and v{current} is current: `dlm use` goes back"


def _of_base(was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    theirs, ours = was.get("base") or {}, now["base"]
    if theirs.get("digest") != ours["digest"]:
        yield f"the base was {theirs.get('key')} ({theirs.get('source')}) and is {ours['key']} ({ours['source']})"


def _of_adapters(was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """The recipes of the first phase of each adapter; of the one without a name."""
    theirs, ours = _recipes(was), _recipes(now)
    if theirs.keys() != ours.keys():
        yield f"it trained {_named(theirs)}, and this one would train {_named(ours)}"
        return
    for adapter, recipe in ours.items():
        yield from _of_recipe(theirs[adapter], recipe, f"{adapter}: " if adapter else "")


def _recipes(facts: Mapping[str, Any]) -> dict[str | None, Mapping[str, Any]]:
    first: dict[str | None, Mapping[str, Any]] = {}
    phases: Iterable[Mapping[str, Any]] = facts.get("phases") or ({"recipe": facts.get("recipe") or {}},)
    for phase in phases:
        first.setdefault(phase.get("adapter"), phase["recipe"])
    return first


def _named(adapters: Iterable[str | None]) -> str:
    return ", ".join(f"the adapter {name}" if name else "one adapter without a name" for name in adapters)


def _of_recipe(was: Mapping[str, Any], now: Mapping[str, Any], whose: str = "") -> Iterator[str]:
    for name in sorted(now):
        if name != "device" and was.get(name) != now[name]:
            yield f"{whose}{KEYS.get(name, f'training.{name}')} was {was.get(name)} and is {now[name]}"


def _of_versions(was: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    for name in sorted({*was, *now}):
        if was.get(name) != now.get(name):
            put_back = f"pip install {name}=={was[name]}" if name in was else f"pip uninstall {name}"
            yield f"{name} was {was.get(name, 'not installed')} and is {now.get(name, 'not installed')}: `{put_back}`"
