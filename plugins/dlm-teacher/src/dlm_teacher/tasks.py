"""What one text or one question asks of a teacher, and which of its replies become records.

A task depends on its own text or pair alone, so that an edit elsewhere asks nothing again.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from dlm.corpus.makers import asked, question
from dlm.corpus.records import Message

from . import prompts, sameness, support
from .cleaning import cleaned, cleaned_question
from .replies import Candidate, read_facts, read_wordings
from .sameness import Asked, Rival, near_copy
from .spans import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dlm.corpus.lesson import Lesson
    from dlm.corpus.makers import Block
    from dlm.corpus.records import Record

    from .options import Options
    from .prompts import Prompt

QUESTION, PARAPHRASE = "teacher-question", "teacher-paraphrase"
LONGEST_TEXT = 6000
"""Bytes of text in one prompt; a longer block is asked about in parts."""
WORDS_OF_A_FACT = 8
"""No more facts are asked for than a text of its length may hold."""
ENOUGH = 0.75
"""Share of what was asked for from which a task is not asked a second time."""


@dataclass
class Task(ABC):
    """One thing to ask about. Reading replies fills it."""

    options: Options
    seed: int
    dropped: Counter[str] = field(default_factory=Counter, init=False)

    def luck(self, *, again: bool) -> str:
        """What a prompt's own seed is drawn from: asking the same again must not give the same."""
        return f"{self.seed}{' again' if again else ''}"

    @abstractmethod
    def prompt(self, *, again: bool) -> Prompt | None:
        """What to ask; ``None`` when there is nothing, or, the second time, when enough was kept."""

    @abstractmethod
    def read(self, reply: str) -> None:
        """Keep what can be used of ``reply`` and count the rest."""

    @abstractmethod
    def records(self) -> Iterator[Record]:
        """What was kept."""


@dataclass
class TextTask(Task):
    """Questions about one text."""

    block: Block
    text: str
    kept: list[Candidate] = field(default_factory=list, init=False)

    @cached_property
    def source(self) -> support.Source:
        return support.Source(self.block.where, self.text)

    @property
    def number(self) -> int:
        """Facts to ask for."""
        return min(self.options.questions, 1 + len(self.text.split()) // WORDS_OF_A_FACT)

    def prompt(self, *, again: bool) -> Prompt | None:
        if len(self.kept) >= self.number * (ENOUGH if again else 1):
            return None
        known = [candidate.questions[0] for candidate in self.kept]
        wanted, wordings = self.number - len(self.kept), self.options.wordings
        return prompts.for_questions(self.block.where, self.text, wanted, wordings, self.luck(again=again), known)

    def read(self, reply: str) -> None:
        reading = read_facts(reply)
        self.dropped["malformed"] += reading.malformed
        for candidate in reading.candidates:
            if len(self.kept) == self.options.questions:
                return
            if (usable := self._usable(candidate)) is not None:
                self.kept.append(usable)

    def records(self) -> Iterator[Record]:
        for candidate in self.kept:
            for wording in candidate.questions:
                turns = (Message("user", wording), Message("assistant", candidate.answer))
                yield replace(self.block.record, kind=QUESTION, objective="answer", messages=turns, text="", title="")

    def _usable(self, candidate: Candidate) -> Candidate | None:
        """The candidate with those of its wordings that the text bears out and that ask the same."""
        answer = cleaned(candidate.answer, self.source.near)
        if answer is None or len(answer.encode()) > self.block.room // 2:
            self.dropped["unfit to train on"] += len(candidate.questions)
            return None
        kept: list[str] = []
        known = {plain(question) for one in self.kept for question in one.questions}
        for written in candidate.questions[: self.options.wordings]:
            wording = cleaned_question(written, self.source.near)
            reason = "unfit to train on" if wording is None else self._fault(wording, answer, kept, known)
            if reason is not None:
                self.dropped[reason] += 1
            elif wording is not None:
                kept.append(wording)
                known.add(plain(wording))
        return Candidate(tuple(kept), answer) if kept else None

    def _fault(self, wording: str, answer: str, before: Sequence[str], known: set[str]) -> str | None:
        if plain(wording) in known:
            return "repeated"
        if (reason := support.fault(wording, answer, self.source)) is not None:
            return reason
        return sameness.fault(wording, Asked(before[0], answer, self.block.where), ()) if before else None


@dataclass
class PairTask(Task):
    """Other wordings of one question of the document."""

    wordings: tuple[Record, ...]
    """The records of the pair, one a wording that the document gives."""
    everybody: Sequence[tuple[str, Rival]]
    """The questions of all pairs, each after its group."""
    title: str
    room: int
    kept: list[str] = field(default_factory=list, init=False)

    @cached_property
    def asked(self) -> Asked:
        about = " ".join([self.title, *(message.content for message in self._before)])
        return Asked(question(self.wordings[0]), self.wordings[0].messages[-1].content, about)

    @property
    def _before(self) -> list[Message]:
        """The turns before the question."""
        return [message for message in self.wordings[0].messages[:-2] if message.role != "system"]

    @cached_property
    def given(self) -> list[str]:
        """The wordings of the document."""
        return [question(record) for record in self.wordings]

    def prompt(self, *, again: bool) -> Prompt | None:
        wanted = self.options.paraphrases - len(self.kept)
        if wanted <= 0 or (again and len(self.kept) >= self.options.paraphrases * ENOUGH):
            return None
        before = [f"{'Q' if message.role == 'user' else 'A'}: {message.content}" for message in self._before]
        known = [*self.given[1:], *self.kept]
        luck = self.luck(again=again)
        return prompts.for_paraphrases(self.asked.question, self.asked.answer, before, wanted, luck, known)

    def read(self, reply: str) -> None:
        reading = read_wordings(reply)
        self.dropped["malformed"] += reading.malformed
        for candidate in reading.candidates:
            wording = cleaned_question(candidate.questions[0], self._near)
            reason = "unfit to train on" if wording is None else self._fault(wording)
            if reason is not None:
                self.dropped[reason] += 1
            elif wording is not None and len(self.kept) < self.options.paraphrases:
                self.kept.append(wording)

    def records(self) -> Iterator[Record]:
        for wording in self.kept:
            yield asked(self.wordings[0], PARAPHRASE, wording)

    @cached_property
    def rivals(self) -> list[Rival]:
        """Questions of other pairs that name the same."""
        mine = self.wordings[0].group
        return sameness.rivals(self.asked.question, (rival for group, rival in self.everybody if group != mine))

    @property
    def _near(self) -> str:
        return "\n".join([*self.given, self.asked.answer, self.asked.about])

    def _fault(self, wording: str) -> str | None:
        if plain(wording) in {plain(one) for one in (*self.given, *self.kept)}:
            return "repeated"
        if len(wording.encode()) + len(self.asked.answer.encode()) > self.room:
            return "unfit to train on"
        return sameness.fault(wording, self.asked, self.rivals)


def reserved_out(records: Sequence[Record], lesson: Lesson, dropped: Counter[str]) -> Iterator[Record]:
    """The records but for those that ask a reserved question, or nearly one."""
    reserved = [Rival.of(one) for one in lesson.reserved]
    trained: dict[str, list[Rival]] = defaultdict(list)
    for record in lesson.questions:
        trained[record.group].append(Rival.of(question(record)))
    for record in records:
        if near_copy(question(record), reserved, trained[record.group]):
            dropped["reserved for judging"] += 1
        else:
            yield record
