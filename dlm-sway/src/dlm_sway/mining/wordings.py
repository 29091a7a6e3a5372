"""Other wordings of a question, by frames that keep its meaning. No model and no word list is asked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_FRAMES: Final = (
    "Can you tell me: {asked}",
    "I have a question. {asked}",
    "Please answer: {asked}",
    "Somebody wants to know: {asked}",
    "Hello! {asked} Thank you.",
)
_COPULA: Final = re.compile(
    r"(?P<wh>(?:what|who|where|when|why|how|which(?: \w+)?|whose \w+))"
    r" (?P<be>is|are|was|were) (?P<rest>[^,;?]+)\?",
    re.IGNORECASE,
)
_INDIRECT: Final = (
    "Tell me {wh} {rest} {be}.",
    "Do you know {wh} {rest} {be}?",
    "I would like to know {wh} {rest} {be}.",
)
_SHORT: Final = {"what is ": "what's ", "who is ": "who's ", "where is ": "where's "}


def rewordings(question: str) -> list[str]:
    """Other wordings of ``question``, each once, in a fixed order."""
    asked = " ".join(question.split())
    return [one for one in dict.fromkeys(_all(asked)) if one and one != question]


def _all(asked: str) -> Iterator[str]:
    if found := _COPULA.fullmatch(asked):
        words = {**found.groupdict(), "wh": found["wh"].lower()}
        yield from (frame.format(**words) for frame in _INDIRECT)
    for long, short in _SHORT.items():
        if asked.lower().startswith(long):
            yield short.capitalize() + asked[len(long) :]
    yield from (frame.format(asked=asked) for frame in _FRAMES)
    yield (asked[:1].lower() + asked[1:]).rstrip("?.! ")
