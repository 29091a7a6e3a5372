"""Other wordings of a question, made by rule from a word list; every one asks for the same thing.

English. What cannot be parsed is left alone: a wrong wording teaches worse than none.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from . import answers, parsing, strategies
from .facts import Meaning

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST = 24
"""Wordings of one question."""
LONGEST = 400
"""Characters of a question that is looked at."""
_NAME = re.compile(r"`[^`]+`|[\"“][^\"”]+[\"”]|[^\s`\"“]*[\dA-Z_#@/\\][^\s`\"“]*")
_DOUBLED = re.compile(r"\b(\w+) \1\b", re.I)
_OPENERS = frozenset(
    "who whom whose what which when where why how is are was were do does did can could should would will has have had "
    "may must might at in on for from to with by of if after before during about under tell give name please explain "
    "describe show state say and so but then i the a an my our".split()
)


def reword(question: str, answer: str) -> list[str]:
    """At most ``MOST`` other wordings of ``question``, which ``answer`` answers; the first are the most different."""
    meaning = understood(question, answer)
    if meaning is None:
        return []
    kept: dict[str, str] = {_key(question): ""}
    names = _names(question)
    for wording in _alternating([strategy(meaning) for strategy in strategies.STRATEGIES]):
        said = _placed(meaning.before, wording)
        key = _key(said)
        if key not in kept and _fit(said, question, names):
            kept[key] = said
            if len(kept) > MOST:
                break
    return [said for said in kept.values() if said]


def understood(question: str, answer: str) -> Meaning | None:
    """``question`` in its parts, with what the answer tells about it."""
    if len(question) > LONGEST or "\n" in question.strip():
        return None
    asked = parsing.parse(question, answer)
    if asked is None:
        return None
    return Meaning(question, asked.before, asked.clause, answers.read(asked.clause.wh, answer, question), answer)


def _alternating(sources: list[Iterator[str]]) -> Iterator[str]:
    """One of each source in turn, until all are used up."""
    while sources:
        left = []
        for source in sources:
            for item in islice(source, 1):
                yield item
                left.append(source)
        sources = left


def _placed(before: str, wording: str) -> str:
    """The wording behind what was said before the question."""
    text = " ".join(wording.split())
    if before.endswith(", ") and text.split()[0].lower() in _OPENERS and text[:2] != "I ":
        text = text[:1].lower() + text[1:]
    return f"{before}{text}"


def _names(question: str) -> tuple[str, ...]:
    """What must stand in every wording: names, numbers, code, quotations."""
    found = []
    for match in _NAME.finditer(question):
        word = match[0].strip("?.,;:!()'").removesuffix("'s")
        if word and word != "I" and not (match.start() == 0 and word.lower() in _OPENERS):
            found.append(word)
    return tuple(dict.fromkeys(found))


def _fit(said: str, question: str, names: tuple[str, ...]) -> bool:
    if len(said) > 2 * len(question) + 60 or _DOUBLED.search(said):
        return False
    return all(name in said for name in names if name.lower() not in _OPENERS)


def _key(text: str) -> str:
    return " ".join(re.sub(r"[?.!]+$", "", text.strip()).casefold().split())


__all__ = ["MOST", "reword"]
