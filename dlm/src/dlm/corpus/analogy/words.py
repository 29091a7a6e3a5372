"""Text as words with places, and what a value looks like. Nothing here knows about documents."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from ..sentences import FUNCTION_WORDS

_WORD = re.compile(
    r"`[^`\n]+`|https?://[^\s)>\]]*[^\s)>\].,;:!?]|[#@$€£]?\w+(?:[-.,:/+&@]\w+|['’](?!s\b)\w+)*%?|['’]s\b|[^\w\s]"
)
_EMPHASIS = re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1")
_NUMBER = re.compile(r"[$€£]?\d+(?:[.,]\d+)*%?")
_TIME = re.compile(r"\d{1,2}:\d{2}(?::\d{2})?")
_NUMBER_WORDS = (
    "two three four five six seven eight nine ten eleven twelve fifteen twenty thirty forty fifty sixty ninety"
).split()
ARTICLES = frozenset({"a", "an", "the"})
PREPOSITIONS = frozenset("by from to at on in with for of into under over as".split())
ANY = "0"
"""The form of a number."""
TURNING = frozenset(
    "not no never nobody only if unless until except without than before after when while but was were had been could "
    "would should might may former formerly previous previously last once soon".split()
)
"""Small words that turn what is said into something else."""
GREY = (FUNCTION_WORDS | PREPOSITIONS) - TURNING
"""Words that say little by themselves."""


class Word(NamedTuple):
    """A word, a number, a code span or one sign of ``text``, which lies at ``start:end``."""

    low: str
    start: int
    end: int

    @property
    def grey(self) -> bool:
        return self.low in GREY or not (self.low[0].isalnum() or self.low[0] in "`#@$€£" or len(self.low) > 2)


def words(text: str) -> list[Word]:
    """Every word and sign of ``text``, in lower case."""
    return [Word(match[0].lower(), *match.span()) for match in _WORD.finditer(text)]


def plain(text: str) -> str:
    """``text`` without marks of emphasis."""
    return _EMPHASIS.sub(r"\2", text)


def stem(low: str) -> str:
    """A rough stem: enough to see that ``owner`` and ``ownership`` speak of the same."""
    for ending in ("ership", "ing", "ers", "ies", "er", "ed", "es", "s", "y", "e"):
        if low.endswith(ending) and len(low) - len(ending) >= 3:
            return low[: -len(ending)]
    return low


@lru_cache(maxsize=1 << 14)
def stems(text: str) -> frozenset[str]:
    """Stems of the words in ``text`` that say something."""
    return frozenset(stem(word.low) for word in words(text) if not word.grey)


class Shape(NamedTuple):
    """What kind of thing a value is, and how long: values of one property look alike."""

    kind: str
    """``code``, ``tag``, ``address``, ``time``, ``number``, ``id`` (letters with digits), ``name`` or ``words``."""
    length: int
    """In words that say something."""
    unit: str
    """Of a number: the words after it."""


@lru_cache(maxsize=1 << 16)
def shape(value: str) -> Shape:
    """The shape of ``value``."""
    said = [word for word in words(value) if not word.grey]
    kinds = [_kind(value[word.start : word.end]) for word in said]
    if not kinds or kinds[0] == "words":
        return Shape("words", len(said), "")
    for kind in ("code", "tag", "address", "time", "id"):
        if kind in kinds:
            return Shape(kind, len(said), "")
    if kinds[0] == "number":
        return Shape("number", len(said), " ".join(word.low for word in said[1:]))
    if "number" in kinds:
        return Shape("id", len(said), "")
    return Shape("name" if set(kinds) == {"name"} else "words", len(said), "")


def _kind(word: str) -> str:
    if word[0] == "`":
        return "code"
    if word[0] in "#@":
        return "tag"
    if "://" in word or "@" in word:
        return "address"
    if _TIME.fullmatch(word):
        return "time"
    if _NUMBER.fullmatch(word) or word.lower() in _NUMBER_WORDS:
        return "number"
    if any(sign.isdigit() for sign in word):
        return "id"
    return "name" if word[0].isupper() else "words"


def form(low: str) -> str:
    """``low``, or one sign for all numbers and times: a sentence has the same form whatever they are."""
    return ANY if _NUMBER.fullmatch(low) or _TIME.fullmatch(low) else low


def telling(value: str) -> bool:
    """Whether ``value`` is of a kind that is hardly repeated by chance."""
    found = shape(value)
    if found.kind == "number":
        return sum(sign.isdigit() for sign in value) > 2
    return found.kind != "words"


@lru_cache(maxsize=1 << 14)
def key(value: str) -> tuple[str, ...]:
    """What two spellings of one value share."""
    return tuple(word.low.strip("`") for word in words(value) if word.low not in ARTICLES and word.low not in ".,;:!?")


def agree(one: str, other: str) -> bool:
    """Whether two values may be the same, one of them said at greater length."""
    first, second = set(key(one)), set(key(other))
    return first <= second or second <= first
