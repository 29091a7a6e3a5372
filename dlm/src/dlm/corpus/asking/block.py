"""The text under a heading, sentence by sentence: what each is about, and the records of what it answers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .. import sentences
from ..records import Message, Record
from .sentence import Asked, subject_of
from .sentence import ask as ask_sentence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..makers import Block


def ask(block: Block) -> list[Record]:
    """A record for every question that a sentence of ``block`` surely answers, in the order of the text."""
    made = dict.fromkeys(_asked(block))
    return [_record(block, asked) for asked in made if len(asked.answer.encode()) <= block.room]


def _asked(block: Block) -> Iterator[Asked]:
    titles = block.record.title.split(" > ")
    for paragraph in block.paragraphs:
        subject = titles[-1]
        for sentence in sentences.sentences(paragraph.text) if paragraph.running else ():
            hints = dict.fromkeys([subject, *reversed(titles)])
            yield from next((made for hint in hints if (made := ask_sentence(sentence, hint))), [])
            subject = subject_of(sentence, subject) or subject


def _record(block: Block, asked: Asked) -> Record:
    turns = (Message("user", asked.question), Message("assistant", asked.answer))
    return replace(block.record, kind="asked", objective="answer", messages=turns, text="", title="")
