"""What a training of one document would be here: its plan, its memory, its objections. Loads no weight, writes nothing.

The plan is laid out by the code that trains. Only what the base would be asked first is left out: see :class:`Unasked`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple

from ..corpus.records import Message
from ..errors import CouldNotTell
from ..training.backend import BookGap, Workbench
from ..training.observer import Observer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from .._plugkit.plugins import PluginManager
    from ..bases import LocalBase
    from ..bases.state import BaseState
    from ..corpus.records import Record
    from ..document import Document
    from ..store.tokens import TokenCache
    from ..training.backend import Backend, OwnAnswer
    from ..training.events import Outcome
    from ..training.job import Job
    from ..training.plan import Plan, Row
    from ..training.recipe import Recipe
    from ..training.resolve import TrainOptions
    from ..training.vocabulary import Vocabulary
    from .capabilities import Capabilities
    from .estimate import Estimate, Measured
    from .refusals import Case, Objection

STAND_IN = " ".join(["So it is said by those who were there on that day."] * 3)
"""For an answer of the base that nobody has asked for yet: as long as most of them."""


class Part(NamedTuple):
    """One phase of the run."""

    phase: str
    steps: int
    rows: int
    """Of a step."""
    tokens: int
    adapter: str | None = None
    """Which of the document's adapters it trains; ``None`` where it names none."""


@dataclass(frozen=True)
class Forecast:
    """What would happen. Without a plan when there can be none; :attr:`notes` and :attr:`objections` say why."""

    location: str
    title: str
    base: str
    precision: str = ""
    parts: tuple[Part, ...] = ()
    estimate: Estimate | None = None
    """Of the phase that needs most."""
    memory_free: int | None = None
    seconds: float | None = None
    """Expected of the training itself."""
    pace_measured: bool = False
    objections: tuple[Objection, ...] = ()
    notes: tuple[str, ...] = ()
    measured: Measured | None = None
    vocabulary: Vocabulary | None = None
    """How well the base's tokenizer knows the document's words."""

    @property
    def refused(self) -> bool:
        """Whether ``dlm train`` would stop before it begins."""
        return any(objection.severity == "refuse" for objection in self.objections)

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        estimate = self.estimate
        return {
            "document": self.location,
            "title": self.title,
            "base": self.base,
            "precision": self.precision or None,
            "phases": [part._asdict() for part in self.parts],
            "tokens": sum(part.tokens for part in self.parts),
            "memory": estimate and {**asdict(estimate), "peak": estimate.peak, "free": self.memory_free},
            "measured": self.measured and self.measured._asdict(),
            "expected_seconds": self.seconds and round(self.seconds),
            "pace_measured": self.pace_measured,
            "objections": [objection._asdict() for objection in self.objections],
            "notes": list(self.notes),
            "vocabulary": self.vocabulary and self.vocabulary.as_json(),
            "refused": self.refused,
        }


def foresee(
    document: Document,
    home: Path,
    backend: Backend,
    capabilities: Capabilities,
    options: TrainOptions,
    *,
    measure: bool = False,
) -> Forecast:
    """What ``dlm train`` would do with ``document``. With ``measure`` the fullest step is made, once the plan is there.

    Raises:
        DlmError: the base's files or the store are damaged, or a source cannot be read.
    """
    from ..bases.cache import on_disk
    from ..bases.quantised import for_recipe
    from ..bases.state import state_of
    from ..plugins import manager
    from ..store import Store
    from ..training.resolve import recipe_for
    from .refusals import Case, objections

    store = Store(home, document.frontmatter.dlm_id)
    state = state_of(document, home, store.licence_acceptance())
    case = Case(capabilities, recipe_for(document.frontmatter, options))
    empty = Forecast(
        document.location, document.title, state.words, case.precision, memory_free=capabilities.memory_free
    )
    found = (*_of_document(document, state), *objections(case, manager()))
    base = on_disk(state.base, home)
    if base is None:
        key = state.base.key
        note = f"the plan needs the base's tokenizer: `dlm base pull {key}` fetches it, and so does `dlm train`"
        return replace(empty, objections=found, notes=(note,))
    if any(objection.severity == "refuse" for objection in found):
        return replace(empty, objections=found, notes=("the plan is laid out once nothing here refuses",))
    case = replace(case, base=for_recipe(base, case.recipe))
    return _with_plan(empty, case, document, home, backend, options, measure=measure)


def _of_document(document: Document, state: BaseState) -> list[Objection]:
    """What stops a training before the machine comes in."""
    from ..document.unsupported import unsupported
    from .refusals import Objection

    found = [
        Objection("document", "refuse", f"{one.path}:{one.line}:{one.col}: {one.what}", one.fix)
        for one in unsupported(document)
    ]
    if state.note:
        found.append(Objection("licence", "refuse", state.note))
    return found


def _with_plan(
    empty: Forecast,
    case: Case,
    document: Document,
    home: Path,
    backend: Backend,
    options: TrainOptions,
    *,
    measure: bool,
) -> Forecast:
    from ..errors import TrainingRefused
    from ..plugins import manager
    from ..training.planning import plans_of
    from ..training.several import benches
    from .gate import of_plans
    from .refusals import Objection

    assert case.base is not None
    listener = _Listener()
    job = _job(document, home, backend, case.base, case.recipe, options, listener, manager())
    cases: list[Case] = []
    with benches(job) as lanes:
        quiet = [Unasked(lane.bench) for lane in lanes]
        try:
            for lane, asks in zip(lanes, quiet, strict=True):
                here = replace(case, recipe=lane.job.recipe, base=lane.job.base)
                cases += of_plans(here, plans_of(lane.job, asks, None), backend, home)
        except TrainingRefused as refusal:
            return replace(empty, objections=(Objection("plan", "refuse", str(refusal)),), notes=listener.notes)
        hungriest = _hungriest(cases).plan
        own = next(lane for lane in lanes if hungriest and lane.job.adapter == hungriest.adapter)
        measured = own.bench.measure(hungriest) if measure and hungriest else None
    notes = (*listener.notes, *dict.fromkeys(note for asks in quiet for note in asks.notes))
    filled = _filled(empty, cases, manager())
    first = cases[0].plan
    return replace(filled, notes=notes, measured=measured, vocabulary=first.vocabulary if first else None)


def _job(
    document: Document,
    home: Path,
    backend: Backend,
    base: LocalBase,
    recipe: Recipe,
    options: TrainOptions,
    listener: _Listener,
    plugins: PluginManager,
) -> Job:
    """A run that is planned and goes no further."""
    from ..locking.taking import take
    from ..training.job import Job
    from ..training.lanes import parts_of, with_lanes
    from ..training.material import collect

    material = collect(document, home, recipe.seed)
    for note in material.notes:
        listener.say(note)
    # Nothing that could be kept for the next run is: whoever asks a question wants to find no trace of it.
    options = replace(options, cache=False)
    lock = take(document, base, recipe, options, material, plugins)
    job = Job(
        document,
        home,
        options,
        listener,
        plugins,
        backend,
        base,
        None,
        recipe,
        material,
        None,
        None,
        (),
        lock,
        0.0,
        0.0,
    )
    return with_lanes(job, parts_of(document, base, options, material))


def _filled(empty: Forecast, cases: Sequence[Case], plugins: PluginManager) -> Forecast:
    """``empty`` with what the plans say."""
    from .gate import all_objections

    hungriest = _hungriest(cases)
    plans = [case.plan for case in cases if case.plan is not None]
    pace, tokens = cases[0].pace, sum(plan.tokens for plan in plans)
    return replace(
        empty,
        parts=tuple(
            Part(plan.phase, len(plan.steps), plan.recipe.batch_rows, plan.tokens, plan.adapter) for plan in plans
        ),
        estimate=hungriest.estimate,
        seconds=tokens / pace.rate if pace else None,
        pace_measured=pace is not None and pace.measured,
        objections=tuple(all_objections(cases, plugins)),
    )


def _part(plan: Plan) -> Part:
    return Part(plan.phase, len(plan.steps), plan.recipe.batch_rows, plan.tokens, plan.adapter)


def _hungriest(cases: Sequence[Case]) -> Case:
    return max(cases, key=lambda case: case.estimate.peak if case.estimate else 0)


class _Listener(Observer):
    """Keeps what a run would say."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(self._lines)

    def say(self, line: str) -> None:
        self._lines.append(line)


class Unasked(Workbench):
    """A bench whose base is asked nothing: where a run would ask it, kept answers are taken, else :data:`STAND_IN`.

    So the plan of a document that was never trained may differ from the run's by some tokens, and a base that is to
    teach itself is not examined.
    """

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self._stood_in = 0
        self._untested = False

    @property
    def notes(self) -> tuple[str, ...]:
        """What a run would still find out."""
        found = []
        if self._stood_in:
            found.append(
                f"the base has not yet been asked {self._stood_in} of its general questions: their answers are counted "
                f"as {len(STAND_IN.split())} words each"
            )
        if self._untested:
            found.append("recipe distill: training first measures whether the base reads well enough to teach itself")
        return tuple(found)

    def complete(
        self, records: Sequence[Record], cache_folder: Path | None = None, say: Callable[[str], None] | None = None
    ) -> list[Record]:
        from ..training.completion import kept

        known = kept(self._bench, cache_folder)
        return [self._completed(record, known) for record in records if known.get(record.messages, STAND_IN)]

    def _completed(self, record: Record, known: dict[tuple[Message, ...], str]) -> Record:
        if not record.messages or record.messages[-1].role != "user":
            return record
        if record.messages not in known:
            self._stood_in += 1
        answer = known.get(record.messages, STAND_IN)
        return replace(record, messages=(*record.messages, Message("assistant", answer)))

    def open_book_gap(self, records: Sequence[Record]) -> BookGap:
        self._untested = True
        return BookGap(closed=-inf, opened=0.0)

    @property
    def answers_scope(self) -> str:
        return self._bench.answers_scope

    def vocabulary(self, texts: Iterable[str]) -> Vocabulary | None:
        return self._bench.vocabulary(texts)

    def encode(self, records: Sequence[Record], cache: TokenCache | None = None) -> list[Row]:
        return self._bench.encode(records, cache)

    def own_answers(self, conversations: Sequence[Sequence[Message]]) -> Iterator[list[OwnAnswer]]:
        raise CouldNotTell("a forecast asks the base nothing: train the document, or give --measure")

    def train(self, *_: Any, **__: Any) -> Outcome:
        raise CouldNotTell("a forecast trains nothing: use `dlm train`")

    def save(self, folder: Path) -> None:
        raise CouldNotTell("a forecast has nothing to save: use `dlm train`")
