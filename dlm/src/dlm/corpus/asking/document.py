"""All of a document's blocks together: whom its names belong to, and questions that several of its parts answer."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ..frames import lowered
from ..records import Message
from .naming import kind_of, names_in, people_of, thing_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ..makers import Block
    from ..records import Record


@dataclass(frozen=True)
class Surroundings:
    """What the rest of the document tells about the words of a block."""

    people: frozenset[str] = frozenset()
    """Single names that are people's."""
    kinds: tuple[tuple[str, str], ...] = ()
    """A noun with the one thing of the document that is so called: ``service``, ``Kittiwake``."""
    things: Mapping[str, str] = field(default_factory=dict)
    """What the text under each heading that has others below it is about."""

    def thing(self, block: Block) -> str:
        """What ``block`` is about: a name, or empty."""
        *above, own = _paths(block)
        last = own.rsplit(" > ", 1)[-1]
        if found := thing_of(last, block.text, inner=bool(above)):
            return found
        return next((self.things[path] for path in reversed(above) if self.things[path]), "")


def surroundings(blocks: Sequence[Block]) -> Surroundings:
    people = frozenset().union(*(people_of(block.text) for block in blocks))
    kinds: dict[str, set[str]] = {}
    for block in blocks:
        for noun, name in kind_of(block.text):
            kinds.setdefault(noun, set()).add(name)
    known = {name for block in blocks for name in names_in(f"> {block.record.title}\n{block.text}")}
    alone = sorted((noun, min(names)) for noun, names in kinds.items() if len(names) == 1 and names <= known)
    return Surroundings(people, tuple(alone), _things(blocks))


def _things(blocks: Sequence[Block]) -> dict[str, str]:
    above: dict[str, list[str]] = {path: [] for block in blocks for path in _paths(block)[:-1]}
    for block in blocks:
        for path in _paths(block):
            if path in above:
                above[path].append(block.text)
    return {
        path: thing_of(path.rsplit(" > ", 1)[-1], "\n".join(texts), inner=" > " in path)
        for path, texts in above.items()
    }


def _paths(block: Block) -> list[str]:
    """The block's title and those that it stands under, outermost first."""
    titles = block.record.title.split(" > ")
    return [" > ".join(titles[:depth]) for depth in range(1, len(titles) + 1)]


def told_apart(records: Iterable[Record], titles: dict[str, str]) -> Iterator[Record]:
    """The records, those whose question several answer with the place they speak of.

    Of one place, several answers to a question become one. ``titles`` are the places by group.
    """
    merged: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        merged.setdefault((_plain(record), record.group), []).append(record)
    places = Counter(question for question, _ in merged)
    for (question, group), same in merged.items():
        together = _together(same)
        if together and places[question] > 1:
            yield _placed(together, titles[group].rsplit(" > ", 1)[-1])
        elif together:
            yield together


def _plain(record: Record) -> str:
    return " ".join(record.messages[0].content.casefold().split())


MOST_TOGETHER = 3
"""Answers to one question; more make a list that nobody would give."""


def _together(same: Sequence[Record]) -> Record | None:
    answers = list(dict.fromkeys(record.messages[1].content for record in same))
    polar = any(answer.startswith(("Yes. ", "No. ")) for answer in answers)
    if len(answers) == 1:
        return same[0]
    if polar or len(answers) > MOST_TOGETHER:
        return None
    return replace(same[0], messages=(same[0].messages[0], Message("assistant", " ".join(answers))))


def _placed(record: Record, place: str) -> Record:
    question, answer = (message.content for message in record.messages)
    return replace(
        record, messages=(Message("user", f"{place}: {lowered(question)}"), Message("assistant", f"{place}: {answer}"))
    )
