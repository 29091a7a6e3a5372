"""Sentences around an indirect question or around the name of what is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .clause import sentence

if TYPE_CHECKING:
    from collections.abc import Iterator

INDIRECT = (
    "Could you tell me {e}?",
    "I would like to know {e}.",
    "Do you know {e}?",
    "I need to know {e}.",
    "Tell me {e}.",
    "Can you say {e}?",
    "I wonder {e}.",
    "Do you happen to know {e}?",
    "I am trying to find out {e}.",
    "Please tell me {e}.",
    "Can you look up {e}?",
    "I have to find out {e}.",
)
THING = (
    "What is {n}?",
    "Tell me {n}.",
    "I need {n}.",
    "Do you know {n}?",
    "Give me {n}.",
    "I am looking for {n}.",
    "Can you give me {n}?",
    "I would like to know {n}.",
    "{n} is what?",
    "Please look up {n}.",
)
PERSON = (
    "Who is {n}?",
    "Name {n}.",
    "What is the name of {n}?",
    "Tell me who {n} is.",
    "I am looking for {n}.",
    "Do you know who {n} is?",
    "{n} is who?",
    "I would like to know who {n} is.",
)


MOST = 6
"""Sentences around one phrase: beyond that they say little new."""


def indirect(embedded: str, turn: int) -> Iterator[str]:
    """Sentences with ``embedded`` in them, a different one first for each ``turn``."""
    for frame in turned(INDIRECT, turn)[:MOST]:
        yield frame.format(e=embedded)


def named(phrase: str, turn: int, *, person: bool, many: bool, short: bool = True) -> Iterator[str]:
    """Sentences that ask for what ``phrase`` names."""
    chosen = [
        frame for frame in (PERSON if person else THING) if short or ("{n}" in frame[5:] and "who {n}" not in frame)
    ]
    for frame in turned(tuple(chosen), turn)[:MOST]:
        frame = _plural(frame) if many else frame
        yield sentence(frame.format(n=phrase)[:-1], end=frame[-1])


def turned(frames: tuple[str, ...], turn: int) -> tuple[str, ...]:
    at = turn % len(frames)
    return frames[at:] + frames[:at]


def _plural(frame: str) -> str:
    return frame.replace("is {n}", "are {n}").replace("{n} is", "{n} are").replace("the name of", "the names of")
