"""Fragments of a sentence, as somebody who half remembers it would ask, each with the sentence as the answer.

Most prose fits no rule that turns a sentence into a good question. A small model learns to find a sentence all the same
from many rough ones: a question word that suits something in the sentence, and a few of its words, of its heading's and
of the sentence before.
"""

from __future__ import annotations

import re
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from . import sentences
from .records import Message, Record
from .similar import NONE, swap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .makers import Block
    from .similar import Similar

MOST_EACH, LEAST_EACH = 16, 2
"""Fragments of one sentence, in a short and in a long document."""
LONGEST = 600
"""Characters of a sentence that is asked for."""
WORDS = (2, 5)
"""Words of the sentence in one fragment."""
_ANY = ("What", "Which", "How", "Who", "Where", "When", "Why", "What about", "Tell me about", "Is it true that", "")
_WHO = ("Who", "Which person", "Where", "What")
_SMALL = ("the", "a", "of", "to", "in", "for", "is", "do", "my")
_ENDS = ("?", "?", "", ".")
_REFERS = re.compile(r"(?:It|They|He|She|This|That|These|Those|There|Its|Their|His|Her)\b")
_NUMBER = re.compile(r"\d[\d,.:]*\d|\d")
_PERSON = re.compile(r"(?<!^)\b[A-ZÀ-ÖØ-Þ][\w'-]+ [A-ZÀ-ÖØ-Þ][\w'-]+")
_ITEM = re.compile(r"(?m)^\s*(?:[-*+]|\d+[.)]) ")


class Unit(NamedTuple):
    """A sentence, with the one before it in the same paragraph."""

    text: str
    before: str

    @property
    def whole(self) -> str:
        """The sentence; with the one before when it refers to that."""
        return f"{self.before} {self.text}" if self.refers else self.text

    @property
    def refers(self) -> bool:
        """Whether it begins with a word that stands for something said before."""
        return bool(self.before and _REFERS.match(self.text))


def units(block: Block) -> Iterator[Unit]:
    """Sentences of running text and of list items, and rows of tables, in order."""
    for paragraph in block.paragraphs:
        if paragraph.running:
            yield from _sentences(paragraph.text)
        elif paragraph.text.lstrip().startswith("|"):
            yield from _rows(paragraph.text)
        elif _ITEM.match(paragraph.text) and "```" not in paragraph.text:
            for item in _ITEM.split(paragraph.text):
                yield from _sentences(" ".join(item.split()))


def queries(block: Block, seed: int, each: int = MOST_EACH, similar: Similar = NONE) -> Iterator[Record]:
    """At most ``each`` fragments of every unit of ``block``, each word now and then replaced by a similar one."""
    around = content(block.record.title)
    for unit in units(block):
        words = content(unit.text)
        if len(words) < 2 or len(unit.whole) > min(LONGEST, block.room):
            continue
        random = Random(f"{seed}\nquery\n{block.record.group}\n{unit.text}")
        for asked in dict.fromkeys(_fragment(unit, words, around, random, similar) for _ in range(each)):
            turns = (Message("user", asked), Message("assistant", unit.whole))
            yield replace(block.record, kind="query", objective="answer", messages=turns, text="", title="")


def content(text: str) -> list[str]:
    """The words of ``text`` that say something, as they are written."""
    found = re.findall(r"\w[\w'’-]*", text)
    return [word for word in found if word.lower() not in sentences.FUNCTION_WORDS]


def _sentences(text: str) -> Iterator[Unit]:
    before = ""
    for sentence in sentences.sentences(text):
        yield Unit(sentence, before)
        before = sentence


def _rows(table: str) -> Iterator[Unit]:
    head, *rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in table.splitlines()]
    for row in rows:
        if any(cell.strip("-: ") for cell in row):
            yield Unit("; ".join(f"{name}: {cell}" for name, cell in zip(head, row, strict=False)), "")


def _fragment(unit: Unit, words: list[str], around: list[str], random: Random, similar: Similar) -> str:
    opening, hidden = random.choice(_ANY), frozenset[str]()
    if (spans := list(_spans(unit.text))) and random.random() < 0.5:
        span, openings = random.choice(spans)
        opening, hidden = random.choice(openings), frozenset(content(span))
    left = [word for word in words if word not in hidden] or words
    at = sorted(random.sample(range(len(left)), min(len(left), random.randint(*WORDS))))
    chosen = [left[index] for index in at]
    before = content(unit.before)
    if before and (unit.refers or random.random() < 0.2):
        chosen.insert(0, random.choice(before))
    if around and random.random() < 0.5:
        chosen.insert(random.choice((0, len(chosen))), random.choice(around))
    if random.random() < 0.2:
        random.shuffle(chosen)
    said = [swap(word, similar, random) if random.random() < 0.25 else word for word in chosen]
    if random.random() < 0.4:
        said = [part for word in said for part in ([random.choice(_SMALL)] if random.random() < 0.4 else []) + [word]]
    asked = " ".join((opening, *said)).strip()
    return asked[0].upper() + asked[1:] + random.choice(_ENDS)


def _spans(sentence: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What could be asked for, with the words that ask for it."""
    for match in _NUMBER.finditer(sentence):
        unit = re.match(r"\s+([a-z]+)", sentence[match.end() :])
        yield match[0], ("How much", "What", f"How many {unit[1]}" if unit else "How many", "When")
    for match in _PERSON.finditer(sentence):
        yield match[0], _WHO
