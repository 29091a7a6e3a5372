"""The whole examination: questions about the document, and those that show what became of the rest of the model.

The general questions are dlm's own and are used nowhere else: what guards against forgetting is never practised.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from random import Random
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from ..corpus import sentences
from ..corpus.names import replacements
from .judging import content_of, says
from .questions import as_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..corpus.known import Known
    from .questions import Asked, Questions

Kind = Literal["fact", "general", "near", "missing"]
NOUNS = 4
"""Nouns of the document about which a general question is asked."""
MISSING = 10
"""Questions about things that the document does not know."""
_NOUN = re.compile(
    r"\b(?:the|a|an|each|every|its|this|that) ([a-z]{4,})"
    r"(?= (?:is|are|was|has|of|in|on|at|for|to|and|or|from|with|by|that|which)\b|[.,;:])"
)
_FRAMES = ("What does the word {noun} mean to most people?", "Explain the word {noun} in one sentence.")


class General(NamedTuple):
    """A question of general knowledge; any one of the answers is right."""

    question: str
    answers: tuple[str, ...]

    def met(self, answer: str) -> bool:
        """Whether ``answer`` is right."""
        return any(says(answer, one) for one in self.answers)


@dataclass(frozen=True)
class Paper:
    """Everything that both models are asked, in this order: facts, general, near, missing."""

    facts: tuple[Asked, ...]
    general: tuple[General, ...]
    near: tuple[str, ...]
    """General questions, some of them about words that the document uses."""
    missing: tuple[str, ...]
    """The document's questions about a thing that it does not know."""
    content: tuple[str, ...]
    """Values and names of the document, which no answer to the last two may bring up by itself."""
    values: tuple[str, ...]

    @property
    def questions(self) -> tuple[str, ...]:
        """All of them, in the order in which they are asked."""
        facts, general = (one.question for one in self.facts), (one.question for one in self.general)
        return (*facts, *general, *self.near, *self.missing)

    def lines(self) -> Iterator[dict[str, Any]]:
        """One object a question, in the order of :attr:`questions`: what ``dlm prompt --file`` can ask."""
        yield from as_lines(self.facts)
        for one in self.general:
            yield {"question": one.question, "kind": "general", "expected": list(one.answers), "judged": "any"}
        for question in self.near:
            yield {"question": question, "kind": "near", "content": list(self.content)}
        for question in self.missing:
            yield {"question": question, "kind": "missing", "content": list(self.values)}

    def slip(self, kind: Kind, question: str, answer: str) -> list[str]:
        """What of the document an answer to a near or missing question brings up."""
        return content_of(answer, question, self.content if kind == "near" else self.values)


def paper(found: Questions, known: Known, trained: frozenset[str], seed: int) -> Paper:
    """Put together what is asked; ``trained`` are the questions of the study set, in lower case."""
    values = tuple(dict.fromkeys(v for one in found.asked for v in one.expected.values if _telling(v)))
    names = [name for text in known.texts for name in known.names(text) if _telling(name)]
    near = [question for question in (*packaged_near(), *_about_nouns(known)) if question.casefold() not in trained]
    return Paper(
        found.asked,
        general_items(),
        tuple(near),
        tuple(_missing(found, known, seed)),
        tuple(dict.fromkeys((*values, *names))),
        values,
    )


@cache
def general_items() -> tuple[General, ...]:
    """Forty short questions of general knowledge."""
    rows = map(json.loads, _lines("general.jsonl"))
    return tuple(General(row["question"], tuple(row["answers"])) for row in rows)


@cache
def packaged_near() -> tuple[str, ...]:
    """General questions of the sort that handbooks answer for one place."""
    return tuple(_lines("near.txt"))


def _lines(name: str) -> list[str]:
    return (files(__package__) / name).read_text(encoding="utf-8").splitlines()


def _telling(piece: str) -> bool:
    """Whether nobody says ``piece`` by chance: not a small number, not a short word."""
    return len(piece) >= 4 or (len(piece) >= 3 and piece.isdigit())


def _about_nouns(known: Known) -> list[str]:
    """General questions about the nouns that the document uses most, found by what stands around them."""
    counts = Counter(noun for text in known.texts for noun in _NOUN.findall(text))
    nouns = sorted(counts, key=lambda noun: (-counts[noun], noun))
    chosen = [noun for noun in nouns if noun not in sentences.FUNCTION_WORDS][:NOUNS]
    return [_FRAMES[index % len(_FRAMES)].format(noun=noun) for index, noun in enumerate(chosen)]


def _missing(found: Questions, known: Known, seed: int) -> Iterator[str]:
    """Questions with the name of their thing replaced by one of its shape that the document does not hold.

    Such names come from the half that training never uses.
    """
    made = 0
    for one in found.asked:
        random = Random(f"{seed}\nmissing\n{one.question}")
        for name in known.names(one.question)[:1] if made < MISSING else ():
            for stranger in replacements(name, known, random, 1, use="evaluation"):
                made += 1
                yield re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", stranger, one.question)
