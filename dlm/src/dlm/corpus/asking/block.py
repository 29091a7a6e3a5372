"""The text under a heading, sentence by sentence: the records of what it answers."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from ..records import Message, Record
from .lists import passages
from .naming import Context, named, people_of, thing_of
from .sentence import Asked, Statement
from .sentence import ask as ask_sentence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..makers import Block

_NAME = re.compile(r"(?<=[a-z,;] )[A-Z][\w-]*")
"""A capital inside a sentence."""


def ask(block: Block) -> list[Record]:
    """A record for every question that a sentence of ``block`` surely answers, in the order of the text."""
    made = dict.fromkeys(_asked(block))
    return [_record(block, asked) for asked in made if len(asked.answer.encode()) <= block.room]


def _asked(block: Block) -> Iterator[Asked]:
    titles = block.record.title.split(" > ")
    start = Context(thing_of(reversed(titles), block.text))
    known = {*start.thing.split(), *_NAME.findall(block.text)}
    people = people_of(block.text)
    for passage in passages(block.paragraphs):
        context = start
        for sentence in passage:
            statement = Statement.read(named(sentence, context))
            yield from ask_sentence(statement, known, people)
            context = context.after(statement) if statement.said else start


def _record(block: Block, asked: Asked) -> Record:
    turns = (Message("user", asked.question), Message("assistant", asked.answer))
    return replace(block.record, kind="asked", objective="answer", messages=turns, text="", title="")
