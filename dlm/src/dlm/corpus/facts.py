"""Facts: what the document answers, each with every wording it is asked in. Nothing here knows shares or steps.

A fact comes from a pair, or from a sentence that a question could be made of. Its wordings are those of the document,
those that parallel sections lend each other, and those that rules make of them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING

from . import analogy, asking, rewording, similar
from .makers import asked, question
from .sentences import content_words, key_span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .makers import Block
    from .records import Record
    from .similar import Similar

MOST_WORDINGS = 24
MOST_REWORDED = 24_000
"""Made wordings of one document: each fact of a long one gets fewer. No budget has room for more."""
MOST_SWAPPED = {"qa": 8, "analogy": 4, "asked": 3}
"""Wordings with a similar word, by the kind of the question they are made of."""
LEAST_LEFT = 3
"""Wordings that a fact must keep for training before one is held out."""


@dataclass(frozen=True)
class Fact:
    """One thing to know."""

    given: tuple[Record, ...]
    """Its questions as the document words them, or as they were made of its text: kinds ``qa``, ``analogy``,
    ``asked``. Never empty; all have the same answer."""
    made: tuple[str, ...]
    """Further wordings, the most useful first."""

    @property
    def paired(self) -> bool:
        """Whether the document itself asks for it."""
        return self.given[0].kind == "qa"

    def worded(self, kind: str, wording: str) -> Record:
        """The fact asked as ``wording``."""
        return asked(self.given[0], kind, wording)


def swapped(fact: Fact, words: Similar, seed: int) -> Iterator[Record]:
    """The fact's questions, each with one word replaced by a similar one."""
    for record in fact.given:
        random = Random(f"{seed}\nswapped\n{record.group}\n{question(record)}")
        for wording in similar.swapped(question(record), words, random, MOST_SWAPPED[record.kind]):
            yield fact.worded("swapped", wording)


def facts(questions: Sequence[Record], blocks: Sequence[Block]) -> list[Fact]:
    """Every fact of the document: those of its pairs in their order, then those that stand in its text only."""
    pairs = [replace(record, kind="qa", objective="answer") for record in questions]
    by_answer: dict[object, list[Record]] = {}
    for record in (*pairs, *_derived(questions, blocks)):
        by_answer.setdefault(_key(record), []).append(record)
    most = max(2, min(MOST_WORDINGS, MOST_REWORDED // max(1, len(by_answer))))
    return [_fact(given, most) for given in by_answer.values()]


def value(record: Record) -> str:
    """What an answer to the record's question must say to be right; empty when nothing stands out."""
    gap = key_span(record.messages[-1].content, frozenset(content_words(question(record))))
    return gap.span if gap else ""


def set_apart(facts: Iterable[Fact], seed: int, turns: int) -> tuple[list[Fact], list[list[Record]]]:
    """The facts without the wordings that are held out, and ``turns`` lists of those: at most one a fact in each.

    Which wording it is depends on the seed and on the fact alone.
    """
    left: list[Fact] = []
    apart: list[list[Record]] = [[] for _ in range(turns)]
    for fact in facts:
        chosen = _chosen(fact, seed, turns) if len(fact.given) + len(fact.made) >= LEAST_LEFT + turns else []
        left.append(replace(fact, made=tuple(wording for wording in fact.made if wording not in chosen)))
        for turn, wording in zip(apart, chosen, strict=False):
            record = fact.worded("held_out", wording)
            turn.append(replace(record, value=value(record)))
    return left, apart


def _chosen(fact: Fact, seed: int, turns: int) -> list[str]:
    # A wording of few words is contained in many others, which would all have to go with it.
    long = [wording for wording in fact.made if len(wording.split()) > 4]
    about = f"{seed}\napart\n{fact.given[0].group}\n{question(fact.given[0])}"

    def luck(wording: str) -> bytes:
        return hashlib.sha256(f"{about}\n{wording}".encode()).digest()

    return sorted(long, key=luck)[:turns]


def _derived(questions: Sequence[Record], blocks: Sequence[Block]) -> Iterator[Record]:
    yield from analogy.by_analogy(questions, blocks)
    yield from asking.ask_all(blocks)


def _key(record: Record) -> tuple[object, str]:
    return record.messages[:-2], " ".join(record.messages[-1].content.casefold().split())


def _fact(given: list[Record], most: int) -> Fact:
    first = given[0]
    known = {_plain(question(record)) for record in given}
    distinct = list({_plain(question(record)): record for record in reversed(given)}.values())[::-1]
    made: dict[str, str] = {}
    # Wordings of each question in turn: what is made of one is more alike than what is made of two.
    lists = [rewording.reword(question(record), first.messages[-1].content) for record in distinct[:4]]
    for rank in range(max(map(len, lists), default=0)):
        for wordings in lists:
            if rank < len(wordings) and _plain(wordings[rank]) not in known:
                made.setdefault(_plain(wordings[rank]), wordings[rank])
    return Fact(tuple(distinct), tuple(made.values())[:most])


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
