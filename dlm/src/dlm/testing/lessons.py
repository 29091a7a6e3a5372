"""Lessons written by hand, for tests of augmenters. Needs no pytest."""

from __future__ import annotations

from ..corpus.lesson import Lesson
from ..corpus.makers import Block
from ..corpus.records import Message, Record

ROOM = 1500


def pair(question: str, answer: str, group: str = "pair", before: tuple[Message, ...] = ()) -> Record:
    """A question with its answer, as the document gives it; ``before`` are the turns of the conversation so far."""
    turns = (*before, Message("user", question), Message("assistant", answer))
    return Record("qa", "answer", group, f"section of {group}", turns)


def block(title: str, text: str, group: str = "block") -> Block:
    """Text under a heading; ``title`` is the heading after those above it: ``Kittiwake runbook > Ports``."""
    record = Record("prose", "text", group, f"section of {group}", text=text, title=title, weight=2.0)
    return Block(record, title.split(" > ")[-1], ROOM)


def lesson(*parts: Record | Block, title: str = "Handbook", reserved: tuple[str, ...] = (), seed: int = 1) -> Lesson:
    """A document of these pairs and blocks."""
    questions = tuple(part for part in parts if isinstance(part, Record))
    blocks = tuple(part for part in parts if isinstance(part, Block))
    return Lesson(title, questions, blocks, reserved, seed, ROOM)
