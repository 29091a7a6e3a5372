"""The text under a heading, sentence by sentence: the records of what it answers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..records import Message
from .document import Surroundings, surroundings, told_apart
from .lists import passages
from .naming import Context, named, names_in
from .sentence import Asked, Known, Statement
from .sentence import ask as ask_sentence

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..makers import Block
    from ..records import Record


def ask(block: Block) -> list[Record]:
    """A record for every question that a sentence of ``block`` surely answers, in the order of the text."""
    return ask_all([block])


def ask_all(blocks: Sequence[Block]) -> list[Record]:
    """As :func:`ask`, of a whole document: what one block says of a name helps in the others.

    A question that two blocks answer differently says which of them is meant.
    """
    around = surroundings(blocks)
    titles = {block.record.group: block.record.title for block in blocks}
    return list(told_apart((record for block in blocks for record in _records(block, around)), titles))


def _records(block: Block, around: Surroundings) -> Iterator[Record]:
    for asked in dict.fromkeys(_asked(block, around)):
        if len(asked.answer.encode()) <= block.room:
            turns = (Message("user", asked.question), Message("assistant", asked.answer))
            yield replace(block.record, kind="asked", objective="answer", messages=turns, text="", title="")


def _asked(block: Block, around: Surroundings) -> Iterator[Asked]:
    start = Context(around.thing(block), kinds=around.kinds)
    names = {*start.thing.split(), *around.people, *" ".join(names_in(block.text)).split()}
    known = Known(frozenset(names), around.people, tuple((name, kind) for kind, name in around.kinds))
    for passage in passages(block.paragraphs):
        context = start
        for sentence in passage:
            statement = Statement.read(named(sentence, context))
            yield from ask_sentence(statement, known)
            context = context.after(statement) if statement.said else start
