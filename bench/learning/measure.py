"""The part of the bench that loads models: sit an exam open or closed book, train, and compare with the base.

Training is dlm's own, from a document on disk to a committed version in a store of its own; answers are greedy. How the
prior trainer did it: :mod:`.prior`.
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from dlm.answering import OPEN_BOOK, book_text
from dlm.bases.cache import ensure
from dlm.bases.resolve import resolve
from dlm.corpus.records import Message
from dlm.document import read
from dlm.document.model import Block
from dlm.document.starter import scalar
from dlm.errors import UsageProblem
from dlm.learning.judging import content_of, right
from dlm.store import Store
from dlm.training.backend import Sampling
from dlm.training.choose import choose
from dlm.training.observer import Observer, Preview
from dlm.training.resolve import TrainOptions
from dlm.training.run import train

from .exam import accuracy

if TYPE_CHECKING:
    from collections.abc import Callable

    from dlm.bases import LocalBase
    from dlm.document import Document
    from dlm.training.backend import Answerer
    from dlm.training.resolve import Effort

    from .exam import Asked, Exam

Arm = Literal["base", "prior", "ours", "document", "section"]
ANSWER = Sampling(max_new_tokens=48)
CHAT = Sampling(max_new_tokens=64)


@dataclass(frozen=True)
class Amount:
    """How much is trained: an effort of the product, or a number of tokens."""

    effort: Effort | None = None
    tokens: int | None = None

    @property
    def name(self) -> str:
        return f"{self.tokens:,} tokens" if self.tokens is not None else str(self.effort)

    @property
    def options(self) -> list[str]:
        """The same for ``dlm train``."""
        return ["--budget", str(self.tokens)] if self.tokens is not None else ["--effort", str(self.effort)]


class AlreadyMeasuredError(Exception):
    """The same plan has been trained and asked before."""


@dataclass(frozen=True)
class Desk:
    """Where exams are sat: the base, and a folder for the document and the store of its versions."""

    base: Path
    home: Path

    def document(self, exam: Exam) -> Path:
        """``exam``'s document on disk, with this base as its own; sources beside the original are not taken along."""
        path = self.home / f"{exam.name}.dlm"
        self.home.mkdir(parents=True, exist_ok=True)
        lines = exam.document.splitlines(keepends=True)
        named = [f"base_model: {scalar(self.key)}\n" if line.startswith("base_model:") else line for line in lines]
        path.write_text("".join(named), encoding="utf-8", newline="\n")
        return path

    def forget(self, exam: Exam) -> None:
        """Remove what was trained of the document, so that no measurement depends on the one before."""
        identity = read(self.document(exam)).frontmatter.dlm_id
        shutil.rmtree(Store(self.home, identity).layout.root, ignore_errors=True)

    @property
    def key(self) -> str:
        return f"path:{self.base.absolute()}"

    def local(self, say: Callable[[str], None]) -> LocalBase:
        """The base with its digest."""
        return ensure(resolve(self.key), self.home, choose("train"), say)


def sit(desk: Desk, exam: Exam, arm: Arm, *, full: bool, adapter: Path | None = None) -> dict[str, Any]:
    """What ``arm`` answers. ``full`` asks about more than the facts; ``section`` has nothing to read for those.

    A book that does not fit the base's context gives ``{"skipped": why}``.
    """
    document = read(desk.document(exam))
    base = desk.local(lambda _: None)
    with choose("generate").answerer(base, adapter, document.frontmatter.system_prompt) as answerer:
        try:
            found: dict[str, Any] = {"facts": _facts(answerer, exam, arm, document)}
            if full and arm != "section":
                found["bleed"] = _slips(answerer, exam.near, (*exam.names, *exam.values), arm, document)
                found["confabulation"] = _slips(answerer, exam.missing, exam.values, arm, document)
        except UsageProblem as problem:
            return {"skipped": str(problem)}
        if full and arm == "base":
            found["chats"] = _answers(answerer, list(exam.chats), CHAT)
    return found


def learn(
    desk: Desk, exam: Exam, seed: int, amount: Amount, known: Callable[[str], bool], say: Callable[[str], None]
) -> tuple[str, Path, dict[str, Any]]:
    """Train the default recipe on the document: the plan's digest, the adapter's folder, and how training went.

    Raises:
        AlreadyMeasuredError: ``known`` says so of the plan's digest, before any weights are loaded.
    """
    desk.forget(exam)
    watch = _Watch(known, say)
    options = TrainOptions(seed=seed, effort=amount.effort, token_budget=amount.tokens, cache=False)
    report = train(desk.document(exam), home=desk.home, options=options, observer=watch)
    outcome = {key: value for key, value in asdict(report.outcome).items() if key != "non_finite"}
    return (
        watch.plan,
        report.path,
        {**outcome, "seconds": round(report.outcome.seconds, 1), "passes": report.plan.passes},
    )


def compare(desk: Desk, exam: Exam, adapter: Path, spoken: list[str]) -> dict[str, Any]:
    """How far the tuned model is from its base: on general chats, in nats a token, and on multiple-choice items.

    ``spoken`` is what the base answered to the chats; the divergence KL(base || tuned) is taken over these tokens.
    Everything is scored in fp32: bf16 rounds by more than what a good adapter changes.
    """
    from dlm_hf.scoring import HfScoring
    from dlm_sway.scoring.types import FT, Item
    from dlm_sway.spec.models import ModelSpec, SuiteDefaults
    from dlm_sway.suite.target import ModelPair

    plain = ModelSpec(base=str(desk.base), dtype="fp32")
    system = read(desk.document(exam)).frontmatter.system_prompt
    defaults = SuiteDefaults(system_prompt=system)
    backend = HfScoring(ModelPair(base=plain, ft=plain.model_copy(update={"adapter": adapter})), defaults)
    try:
        talk = [Item(prompt, answer) for prompt, answer in zip(exam.chats, spoken, strict=True)]
        found = backend.compare(talk, FT)
        items = exam.general
        choices = backend.compare([Item(item.question, answer) for item in items for answer in item.answers], FT)
    finally:
        backend.close()
    width = len(items[0].answers)
    rows = [choices[at : at + width] for at in range(0, len(choices), width)]
    return {
        "kl": sum(c.reverse_kl * c.positions for c in found) / sum(c.positions for c in found),
        "general_before": 100 * accuracy([[c.base_logprob for c in row] for row in rows]),
        "general_after": 100 * accuracy([[c.view_logprob for c in row] for row in rows]),
    }


class _Watch(Observer):
    """Takes the digest of the plan, and ends a run that need not be made."""

    def __init__(self, known: Callable[[str], bool], say: Callable[[str], None]) -> None:
        self._known, self._say = known, say
        self.plan = ""

    def say(self, line: str) -> None:
        self._say(line)

    def planned(self, preview: Preview) -> None:
        plan = preview.plan
        # Everything that decides the weights but the code of the loop.
        whole = repr((plan.recipe, plan.records, plan.steps, plan.warmup_steps, plan.decay_steps))
        self.plan = hashlib.sha256(whole.encode()).hexdigest()[:16]
        if self._known(self.plan):
            raise AlreadyMeasuredError(self.plan)


def _facts(answerer: Answerer, exam: Exam, arm: Arm, document: Document) -> list[dict[str, Any]]:
    prompts = [_prompt(fact.question, _book(arm, document, fact)) for fact in exam.facts]
    answers = _answers(answerer, prompts, ANSWER)
    return [
        {**asdict(fact), "answer": answer, "right": right(answer, fact.values)}
        for fact, answer in zip(exam.facts, answers, strict=True)
    ]


def _slips(
    answerer: Answerer, questions: tuple[str, ...], content: tuple[str, ...], arm: Arm, document: Document
) -> list[dict[str, Any]]:
    """Each question with its answer and what of the document's content it brings up."""
    answers = _answers(answerer, [_prompt(question, _book(arm, document)) for question in questions], ANSWER)
    return [
        {"question": question, "answer": answer, "said": content_of(answer, question, content)}
        for question, answer in zip(questions, answers, strict=True)
    ]


def _answers(answerer: Answerer, prompts: list[str], sampling: Sampling) -> list[str]:
    """Answers in the order of ``prompts``; those of about one length are given together."""
    order = sorted(range(len(prompts)), key=lambda index: len(prompts[index]))
    found = answerer.answer([[Message("user", prompts[index])] for index in order], sampling)
    by_index = {index: answer.text for index, answer in zip(order, found, strict=True)}
    return [by_index[index] for index in range(len(prompts))]


def _prompt(question: str, book: str | None) -> str:
    return question if book is None else OPEN_BOOK.format(text=book, question=question)


def _book(arm: Arm, document: Document, fact: Asked | None = None) -> str | None:
    """What lies open: nothing, the whole document, or the text under the heading where the fact stands."""
    if arm == "document":
        return book_text(document)
    if arm == "section" and fact is not None:
        return section_text(document, fact.section)
    return None


def section_text(document: Document, heading: str) -> str:
    """A heading of the document with the text under it.

    Raises:
        SystemExit: there is no such heading.
    """
    for section in document.sections:
        for block in section.body if isinstance(section.body, tuple) else ():
            if isinstance(block, Block) and block.headings and block.headings[-1] == heading:
                return f"{heading}\n\n{block.text.strip()}"
    raise SystemExit(f"{document.location}: the exam names the heading {heading!r}, which is not there")
