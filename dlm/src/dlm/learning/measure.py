"""The examination: what is asked, both models asked, the report written beside the version.

All questions go to a model as one list, in one order, with one sampling: on the same machine, ``dlm prompt --file``
with that list gives the same answers, whatever batches the backend makes of it.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..answering import OPEN_BOOK
from ..corpus.makers import Block
from ..corpus.records import Message
from ..training.backend import Sampling
from ..training.heard import Heard, unheard
from . import report as reports
from .base_answers import BaseAnswers
from .paper import Paper, paper
from .questions import LeftOut, own_questions, questions
from .report import Conflict
from .scoring import Answers, concluded, marked, of_adapter
from .shelf import Shelf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ..bases import LocalBase
    from ..corpus.records import Record, StudySet
    from ..document import Document, Section
    from ..store.version import Version
    from ..training.backend import Answerer, Backend
    from ..training.observer import Observer, TrainReport
    from .questions import Own
    from .report import Item, LearningReport

ANSWER_TOKENS = 40
"""Of each answer: enough to say a value in a sentence."""
LIMIT = 60
"""Questions from the study set; the user's own are all asked."""
OPEN_LIMIT = 16
"""Questions that the base is also asked with the passage in its context, which costs ten times as much."""


@dataclass(frozen=True)
class LearnOptions:
    """What is asked."""

    questions: Path | None = None
    """The user's own questions; left out, those of a file beside the document, if there is one."""
    limit: int | None = LIMIT
    """Questions from the study set at most; ``None`` for all."""


class Exam(NamedTuple):
    """What is asked of a version, and what is not."""

    paper: Paper
    left_out: tuple[LeftOut, ...]
    conflicts: tuple[Conflict, ...]
    """Contradictions in the document: no model can learn both."""


def exam_of(
    document: Document,
    study: StudySet,
    seed: int,
    options: LearnOptions,
    more: Iterable[Section] = (),
    heard: Heard | None = None,
    own: Sequence[Own] | None = None,
) -> Exam:
    """The questions about ``document``, trained as ``study`` on itself and the sections ``more``.

    None is asked that the version was trained on, nor the one it went on from: those it has ``heard``. ``own`` are the
    user's; left out, all of them.

    Raises:
        UsageProblem: the user's own questions cannot be read.
    """
    from ..corpus.known import Known
    from ..corpus.preferred import is_pair
    from ..corpus.study import primary_records
    from ..document.model import probes

    primary = [record for record in primary_records(document, more) if not is_pair(record)]
    own = own_questions(document, options.questions) if own is None else own
    heard = heard or Heard()
    study, probed = unheard(study, heard), bool(probes(document))
    found = questions(study, own, Shelf(primary), seed, options.limit, probed=probed, heard=heard)
    trained = frozenset(turn.content.casefold() for record in study.train for turn in record.messages)
    pairs, blocks = _laid_out(primary)
    known = Known.of(pairs, blocks, document.title)
    return Exam(paper(found, known, trained, seed), found.left_out, _conflicts(pairs, blocks))


def _laid_out(primary: Sequence[Record]) -> tuple[list[Record], list[Block]]:
    """The pairs, and the text under each heading."""
    from ..corpus.study import LONGEST_DERIVED

    texts = [record for record in primary if not record.messages]
    blocks = [Block(record, record.title.rsplit(" > ", 1)[-1], LONGEST_DERIVED) for record in texts]
    return [record for record in primary if record.messages], blocks


def _conflicts(pairs: Sequence[Record], blocks: Sequence[Block]) -> tuple[Conflict, ...]:
    from ..corpus.contradictions import find

    return tuple(Conflict(one.what, one.first.text, one.second.text) for one in find(pairs, blocks))


def examine_version(
    document: Document,
    base: LocalBase,
    backend: Backend,
    version: Version,
    exams: Mapping[str | None, Exam],
    observer: Observer,
    at_hand: Mapping[str, str] | None = None,
) -> LearningReport:
    """Ask ``version`` and its base, and keep the report beside the version. Each of its adapters has its own exam, see
    :func:`.sittings.exams_of`.

    The base is not asked again what it has answered to an earlier report on the document; ``at_hand`` are such answers
    that the store holds no more, as :attr:`TrainReport.base_answers` gives them.

    Raises:
        UsageProblem: a question is too long for the base.
        AdapterMismatch: the version was trained on another base.
        StoreError: the report cannot be written.
    """
    started = time.perf_counter()
    system = document.frontmatter.system_prompt
    scope = backend.answers_scope(base, system)
    kept = BaseAnswers(version.layout.base_answers, f"{scope} {ANSWER_TOKENS}" if scope else None, at_hand or {})
    answers = _asked(exams, system, base, backend, version, kept, observer.say)
    items: list[Item] = []
    for name, exam in exams.items():
        items += of_adapter(marked(exam.paper, answers[name]), name, max((one.fact for one in items), default=0))
    about = {
        "dlm_id": document.frontmatter.dlm_id,
        "version": version.number,
        "document_digest": document.digest,
        "base": base.key,
        "seed": seed_of(version),
        "max_new_tokens": ANSWER_TOKENS,
        "seconds": round(time.perf_counter() - started, 1),
    }
    left_out = [one for exam in exams.values() for one in exam.left_out]
    conflicts = tuple(dict.fromkeys(one for exam in exams.values() for one in exam.conflicts))
    found = concluded(tuple(items), left_out, conflicts, document.location, about)
    reports.save(found, version.path)
    return found


def seed_of(version: Version, adapter: str | None = None) -> int:
    """The seed that ``version``, or the one adapter of it, was trained with."""
    recipe = version.facts_of(adapter).get("recipe")
    return int(recipe.get("seed") or 0) if isinstance(recipe, dict) else 0


def learn_report(trained: TrainReport, options: LearnOptions, observer: Observer) -> LearningReport:
    """Examine what a training has just made.

    Raises:
        DlmError: as :func:`examine_version`; or the user's own questions cannot be read.
    """
    from ..store.version import read_version
    from ..training.choose import choose
    from .sittings import exams_of

    version = read_version(trained.path, trained.version)
    # Augmenters wrote records too, and a question that one of them trained is none in other words.
    records = {name: trained.trained_for(name) for name in dict.fromkeys(plan.adapter for plan in trained.plans)}
    more = trained.material.more
    exams = exams_of(trained.document, more, version, trained.plan.recipe.seed, options, records)
    backend, at_hand = choose("generate"), trained.base_answers
    return examine_version(trained.document, trained.base, backend, version, exams, observer, at_hand)


def _asked(
    exams: Mapping[str | None, Exam],
    system: str | None,
    base: LocalBase,
    backend: Backend,
    version: Version,
    kept: BaseAnswers,
    say: Callable[[str], None],
) -> dict[str | None, Answers]:
    """One model after the other, since all need memory; the base only when there is something new to ask, and all that
    it is asked at once."""
    from ..bases.quantised import for_version
    from ..store.using import using

    def ask(texts: Sequence[str]) -> list[str]:
        with backend.answerer(base, None, system) as answerer:
            return _answers(answerer, texts)

    opened = {name: _open_book(exam.paper) for name, exam in exams.items()}
    of_base = {name: (*exam.paper.questions, *opened[name].values()) for name, exam in exams.items()}
    texts = [text for asked in of_base.values() for text in asked]
    new, count = len(kept.missing(texts)), sum(len(exam.paper.questions) for exam in exams.values())
    before = ", which answered the others before" if new < len(set(texts)) else ""
    say(f"asking {count} questions of {version.name} and {new} of the base{before}")
    said, answers = iter(kept.to(texts, ask, say)), dict[str | None, Answers]()
    for name, exam in exams.items():
        own = [next(said) for _ in of_base[name]]
        trained_on = for_version(base, replace(version, facts=version.facts_of(name)))
        with using(version), backend.answerer(trained_on, version.folder_of(name), system) as answerer:
            after = _answers(answerer, exam.paper.questions)
        ends = len(exam.paper.questions)
        answers[name] = Answers(own[:ends], after, dict(zip(opened[name], own[ends:], strict=True)))
    return answers


def _answers(answerer: Answerer, asked: Sequence[str]) -> list[str]:
    conversations = [[Message("user", question)] for question in asked]
    return [answer.text for answer in answerer.answer(conversations, Sampling(max_new_tokens=ANSWER_TOKENS))]


def _open_book(paper: Paper) -> dict[int, str]:
    """Prompts with the passage, by the number of the question, for some of those whose passage is known.

    Which ones depends on each question alone: an edit elsewhere changes few.
    """

    def luck(index: int) -> bytes:
        return hashlib.sha256(f"open book\n{paper.facts[index].question}".encode()).digest()

    known = [index for index, one in enumerate(paper.facts) if one.passage]
    chosen = sorted(sorted(known, key=luck)[:OPEN_LIMIT])
    return {i: OPEN_BOOK.format(text=paper.facts[i].passage, question=paper.facts[i].question) for i in chosen}
