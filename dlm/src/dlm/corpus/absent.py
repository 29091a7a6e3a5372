"""Questions that the document does not answer, each with the answer that it does not.

Without them a small model that has learned a document answers every question of the document's form with one of its
values. Two near misses are made: a question of the document about another name, and, of few properties, a question
about something in the document that the document leaves open. Every answer says what it is that the document does not
hold: of ordinary nouns none is made, since from those a model learns to refuse whatever is put in other words. Nothing
is written that the document could hold: names are looked up in all of its text, properties by every word that is used
to speak of them.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from random import Random
from typing import TYPE_CHECKING

from . import nouns
from .known import Known
from .makers import question
from .names import RESERVED_NAMES as RESERVED_NAMES
from .names import replacements
from .records import Message, Record
from .sentences import FUNCTION_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .makers import Block

OTHERS = 2
"""Questions about another name made of one wording."""
MOST_OTHERS = 8
"""Made of one pair or block, however often it is worded."""
MOST_ASKED = 500
"""Pairs or blocks, and as many things, about which absent records are made: no budget has room for those of more."""
LEFT_OPEN = 2
"""Properties asked of each thing that the document leaves open: of more a model learns to refuse."""
_NOT_MENTIONED = (
    "{T} does not mention {n}.",
    "{T} says nothing about {n}.",
    "{n} is not mentioned in {t}.",
)
_NOT_SAID = ("{T} does not say {c}.", "{T} does not mention {c}.")
_LETTERS = re.compile(r"[^\W\d_]+")
_TASK = re.compile(r"[\"“”:`]|\S\n")
"""A question that brings something to work on, which can be done whatever it is about."""


@dataclass(frozen=True)
class Attribute:
    """A property that a document may leave open."""

    person: bool
    """Of somebody rather than of something."""
    clause: str
    """With ``{s}`` for the thing: ``what colour {s} is``."""
    ask: tuple[str, ...]
    held: tuple[str, ...]
    """Words that a text about it would use; with ``*``, every word that begins so."""


def absent(
    questions: Sequence[Record], blocks: Sequence[Block], title: str, seed: int, known: Known | None = None
) -> list[Record]:
    """Near misses of the questions: kind ``absent``, with the group and section of the question they were made from.

    Questions and blocks are all that the document has: what stands in one that is left out would be called missing.
    A question's own depend on the seed, on the question, and on whether the document holds what they ask about.
    ``known`` is what they all say, for who has it already.
    """
    known = known or Known.of(questions, blocks, title)
    return [*_about_others(questions, known, title, seed), *_left_open(questions, blocks, known, title, seed)]


def called(title: str) -> str:
    """The document as a sentence names it: ``the Kittiwake runbook``, else ``the document``."""
    words = title.removeprefix("The ").split()
    plain = all(word.isalnum() and word not in FUNCTION_WORDS for word in words)
    return f"the {' '.join(words)}" if plain and words and words[-1].casefold() in nouns.counted() else "the document"


def _about_others(questions: Sequence[Record], known: Known, title: str, seed: int) -> Iterator[Record]:
    """Questions of the document about a name or code that it does not hold."""
    said = {"t": called(title), "T": _opening(called(title))}
    for record in _chosen((record for record in questions if known.names(question(record))), seed):
        random = Random(f"{seed}\nabsent\n{record.group}\n{question(record)}")
        for wording, missing in _reworded(question(record), known, random):
            answer = random.choice(_NOT_MENTIONED).format(n=missing, **said)
            yield _record(record, wording, answer)


def _chosen(questions: Iterable[Record], seed: int) -> Iterator[Record]:
    """Of each group some wordings: questions that stand alone and ask for something of the document."""
    groups: dict[str, list[Record]] = {}
    for record in questions:
        if len(record.messages) == 2 and not _TASK.search(question(record)):
            groups.setdefault(record.group, []).append(record)
    for group in _lucky(groups, seed):
        records, most = groups[group], MOST_OTHERS // OTHERS
        chosen = set(Random(f"{seed}\nabsent\n{group}").sample(range(len(records)), min(most, len(records))))
        yield from (record for at, record in enumerate(records) if at in chosen)


def _lucky(names: Iterable[str], seed: int) -> list[str]:
    """At most :data:`MOST_ASKED` of the names, in their order; the luck of each is its own."""
    listed = list(names)
    if len(listed) <= MOST_ASKED:
        return listed
    best = set(sorted(listed, key=lambda name: Random(f"{seed}\nlucky\n{name}").random())[:MOST_ASKED])
    return [name for name in listed if name in best]


def _reworded(asked: str, known: Known, random: Random) -> list[tuple[str, str]]:
    """The question with one of its names replaced, and the name that it has instead."""
    name = random.choice(known.names(asked))
    pattern = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
    return [(pattern.sub(new, asked), new) for new in replacements(name, known, random, OTHERS)]


def _left_open(
    questions: Sequence[Record], blocks: Sequence[Block], known: Known, title: str, seed: int
) -> Iterator[Record]:
    """Properties that nothing in the document speaks of, asked of each of its things."""
    open_ones = {attribute.clause for attribute in _attributes() if not _spoken_of(attribute, known)}
    things = _things(questions, blocks, known)
    for thing in _lucky(things, seed):
        random = Random(f"{seed}\nleft open\n{thing}")
        # Drawn from all, so that an edit that closes one leaves the others as they were.
        order = random.sample(_attributes(), len(_attributes()))
        fitting = [one for one in order if one.clause in open_ones and one.person == known.is_person(thing)]
        for attribute in fitting[:LEFT_OPEN]:
            own = Random(f"{seed}\nleft open\n{thing}\n{attribute.clause}")
            said = {"T": _opening(called(title)), "c": attribute.clause.format(s=thing)}
            yield _record(
                things[thing], own.choice(attribute.ask).format(s=thing), own.choice(_NOT_SAID).format(**said)
            )


def _things(questions: Sequence[Record], blocks: Sequence[Block], known: Known) -> dict[str, Record]:
    """What the document is about, with the first question about it: names in headings or in more than one question.

    Only what is plainly a name counts, and nothing of which nobody asks what it weighs: no ``Opening Hours``, no
    ``Section 9``, no ``TLS``.
    """
    headed = {name for block in blocks for name in known.names(block.record.title)}
    groups: dict[str, set[str]] = {}
    first: dict[str, Record] = {}
    for record in questions:
        for name in known.names(question(record)):
            groups.setdefault(name, set()).add(record.group)
            first.setdefault(name, record)
    asked = {name: record for name, record in first.items() if name in headed or len(groups[name]) > 1}
    return {name: record for name, record in asked.items() if name in known.standing_alone and _is_plain(name)}


def _is_plain(name: str) -> bool:
    """Whether ``name`` is a code, or has a word that is neither an ordinary noun nor an abbreviation."""
    return name.islower() or any(
        not word.isupper() and not nouns.singular(word.casefold()) for word in _LETTERS.findall(name)
    )


def _spoken_of(attribute: Attribute, known: Known) -> bool:
    words = known.in_order
    for held in attribute.held:
        at = bisect_left(words, held.rstrip("*"))
        if at < len(words) and (words[at].startswith(held[:-1]) if held.endswith("*") else words[at] == held):
            return True
    return False


def _record(record: Record, asked: str, answer: str) -> Record:
    turns = (Message("user", asked), Message("assistant", answer))
    return replace(record, kind="absent", objective="answer", messages=turns, value="")


def _opening(phrase: str) -> str:
    return phrase[0].upper() + phrase[1:]


@cache
def _attributes() -> tuple[Attribute, ...]:
    lines = files(__package__).joinpath("attributes.jsonl").read_text(encoding="utf-8").splitlines()
    entries = [json.loads(line) for line in lines]
    return tuple(
        Attribute(e["of"] == "person", e["clause"], tuple(e["ask"]), tuple(e["held"].split())) for e in entries
    )
