"""The words of a question, and what a noun phrase tells: its head, its number, whether it is somebody."""

from __future__ import annotations

import re

from ..asking import nouns

PREPOSITIONS = frozenset(
    "in on at by with from to for under into onto through after before until till about over behind within between "
    "during near beside below above against across along around inside outside without via per since towards "
    "throughout opposite beneath beyond as like".split()
)
DETERMINERS = frozenset("the a an its their his her my our your this that these those each every no some any".split())
_ENDING = PREPOSITIONS | frozenset("of such that which who whose where".split())
"""What the noun of a noun phrase stands before."""
_PLURAL_WORDS = frozenset("these those many few several both all two three four five six seven eight nine ten".split())
_SINGULAR_WORDS = frozenset("a an one each every this".split())
_PLURALS = frozenset("people children men women feet teeth mice geese oxen".split())
_SINGULARS = frozenset(
    "news gas bus lens series physics mathematics economics ethics headquarters species means gps".split()
)
_COLLECTIVE = frozenset("staff police crew data team".split())
_CHUNK = re.compile(r"(?:`[^`\n]*`|\"[^\"\n]*\"|“[^”\n]*”|[^\s`\"“])+")


def split(text: str) -> list[str]:
    """Words and punctuation marks; code, quotations and numbers stay whole."""
    found: list[str] = []
    for piece in _CHUNK.findall(text):
        word = piece.rstrip(",;:")
        if word:
            found.append(word)
        found.extend(piece[len(word) :])
    return found


def is_plural(word: str) -> bool:
    low = word.lower()
    if low in _PLURALS:
        return True
    return (
        low.isalpha()
        and len(low) > 2
        and low not in _SINGULARS
        and low.endswith("s")
        and not low.endswith(("ss", "us", "is"))
    )


def head(words: tuple[str, ...]) -> str:
    """The noun that a noun phrase is about: the last word before its first preposition."""
    for at, word in enumerate(words):
        if at and (word.lower() in _ENDING):
            return words[at - 1]
    return words[-1] if words else ""


def number(words: tuple[str, ...]) -> str:
    """``singular``, ``plural`` or ``either``."""
    first, noun = words[0].lower(), head(words)
    if first in _SINGULAR_WORDS or noun[0] in '`"“':
        return "singular"
    before = words[: next((at for at, word in enumerate(words) if word.lower() in _ENDING), len(words))]
    if first in _PLURAL_WORDS or first in {"we", "they", "you"} or "and" in before:
        return "plural"
    if noun.lower() in _COLLECTIVE or (first.isdigit() and len(words) > 1):
        return "either"
    if noun[0].isupper() and is_plural(noun):
        return "either"
    return "plural" if is_plural(noun) else "singular"


def is_somebody(words: tuple[str, ...]) -> bool:
    """Whether a noun phrase stands for people or for what acts as people do."""
    return bool(words) and head(words).lower() in nouns.PERSONS | nouns.ORGANISATIONS
