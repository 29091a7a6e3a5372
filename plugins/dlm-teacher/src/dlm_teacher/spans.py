"""Words, names and numbers of a text, so that two texts can be compared. English in its word lists only."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from dlm.corpus.frames import OPENERS
from dlm.corpus.sentences import FUNCTION_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterable

KEPT = 4096
"""Texts whose words are remembered: each is compared with many others."""
_TOKEN = re.compile(r"[$€£]?\d+(?:[.,:]\d+)*%?(?![^\W_])|[^\W_](?:[\w'’.@/:-]*[\w])?|[#@][\w-]*\w")
_CODE = re.compile(r"`([^`\n]+)`")
_NUMBER = re.compile(r"[$€£]?\d+(?:[.,:]\d+)*%?")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_POSSESSIVE = re.compile(r"['’](?:s|S)?$")
_ENDINGS = ("ations", "ation", "ions", "ion", "ings", "ing", "ers", "ies", "ed", "er", "es", "ly", "s", "e", "y")
_NUMBER_WORDS = {
    word: str(number)
    for number, word in enumerate(
        "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
        "eighteen nineteen twenty".split(),
        start=2,
    )
} | {"thirty": "30", "forty": "40", "fifty": "50", "sixty": "60", "ninety": "90", "hundred": "100", "thousand": "1000"}
_POLITE = (
    "i i'm i'd i'll i've please hi hello hey any anyone anybody someone give let yes no could would may might also one "
    "somebody whoever whichever whatever regarding concerning speaking remind name identify state provide specify say "
    "find get explain describe list point check need want looking curious happen wondering thanks ok okay english"
)
_PLAIN = OPENERS | FUNCTION_WORDS | frozenset(_POLITE.split())
"""Words that are no names though a sentence starts with them."""
NEGATIONS = frozenset(
    "not no never none neither nor without nobody nothing nowhere cannot can't don't doesn't didn't won't isn't aren't "
    "wasn't weren't shouldn't mustn't couldn't wouldn't hasn't haven't hadn't except unless".split()
)


class Spans(NamedTuple):
    """What a statement may not get wrong, normalised."""

    numbers: frozenset[str]
    names: frozenset[str]
    """Names, code, tags and addresses, one word each."""

    @property
    def all(self) -> frozenset[str]:
        return self.numbers | self.names


@lru_cache(maxsize=KEPT)
def tokens(text: str) -> tuple[str, ...]:
    """Words and numbers in order, normalised so that spellings of one thing are equal."""
    return tuple(_normal(match[0]) for match in _TOKEN.finditer(_folded(text)))


def plain(text: str) -> str:
    """``text`` as it is compared with another: its tokens."""
    return " ".join(tokens(text))


@lru_cache(maxsize=KEPT)
def spans(text: str) -> Spans:
    """Names, code and numbers of ``text``. The first word of a sentence counts when no plain word starts one so."""
    found: tuple[set[str], set[str]] = set(), set()
    text = _folded(text)
    code = {token for match in _CODE.finditer(text) for token in tokens(match[1])}
    for match in _TOKEN.finditer(text):
        token = _normal(match[0])
        if _NUMBER.fullmatch(token):
            found[0].add(token)
        elif token in code or _is_name(match[0]):
            found[1].add(token)
    return Spans(frozenset(found[0]), frozenset(found[1]))


@lru_cache(maxsize=KEPT)
def stems(text: str) -> frozenset[str]:
    """Content words without their endings: ``restarts`` and ``restarting`` are one."""
    return frozenset(stem(token) for token in tokens(text) if is_content(token))


def is_content(token: str) -> bool:
    """Whether a word says what something is about: no function word, no denial, no yes."""
    return token not in FUNCTION_WORDS and token not in NEGATIONS and token != "yes"


@lru_cache(maxsize=8 * KEPT)
def stem(token: str) -> str:
    """Enough to bring the forms of an English word together; other words keep their shape."""
    if not token.isalpha():
        return token
    for ending in _ENDINGS:
        if token.endswith(ending) and len(token) - len(ending) >= 3:
            token = token[: -len(ending)]
            break
    return token[:-1] if len(token) > 3 and token[-1] == token[-2] else token


def negated(text: str) -> bool:
    return any(token in NEGATIONS for token in tokens(text))


def likeness(one: frozenset[str], other: frozenset[str]) -> float:
    """Share of the words of two texts that both have, 0 to 1."""
    return len(one & other) / len(one | other) if one or other else 1.0


def missing(wanted: Iterable[str], present: Iterable[str]) -> list[str]:
    """Those of ``wanted`` that are not among ``present``, also not in another number or case."""
    there = present if isinstance(present, frozenset) else frozenset(present)
    absent = {word for word in wanted if word not in there}
    roots = {stem(token) for token in there} if absent else ()
    return sorted(word for word in absent if stem(word) not in roots)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).replace("’", "'").replace("‘", "'")


def _normal(token: str) -> str:
    token = _POSSESSIVE.sub("", token.casefold())
    if _NUMBER.fullmatch(token):
        return _THOUSANDS.sub("", re.sub(r"^([$€£]?)0+(?=\d)", r"\1", token))
    return _NUMBER_WORDS.get(token, token)


def _is_name(token: str) -> bool:
    """A capital, a digit or a sign inside a word. Function words and openers are none, wherever they stand."""
    bare = _POSSESSIVE.sub("", token)
    if bare.casefold() in _PLAIN or token.casefold() in _PLAIN:
        return False
    return bare[0] in "#@" or any(c.isupper() or c.isdigit() or c in "_@/" for c in bare)
