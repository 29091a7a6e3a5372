"""What a sentence says in passing: ``Ann Roe, who runs the bar, keeps the keys`` also says who runs the bar."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import NamedTuple

from . import phrases
from .words import AND, AUX, CAPITAL, DET, FINITE, MARK, PREP, Sentence, tagged

_OPENING = frozenset(
    "also called named formerly now which who known or including usually the a an our my his her their".split()
)
_COMMENTING = frozenset("means makes made is was lets leads explains shows".split())
"""After ``which``, words that often comment on the whole sentence."""
_TITLE = re.compile(r"(?:Dr|Mrs?|Ms|Prof|St)\.")
LONGEST = 6
"""Words of what an aside is about."""


class Passing(NamedTuple):
    main: tuple[str, ...]
    """The sentence without the aside that parts its subject from its verb."""
    said: tuple[tuple[str, ...], ...]
    """What the asides say, each as a sentence of its own."""


def taken_out(words: list[str]) -> Passing:
    s = tagged(words)
    commas = [at for at, word in enumerate(words) if word == ","]
    said = [made for at in commas if (made := _relative(s, at))]
    for first, second in pairwise(commas):
        if second == first + 1 or second + 1 >= len(words) or not _opens(s, first + 1, second):
            continue
        after = s.tags[second + 1]
        if first and after & (AUX | FINITE | PREP) and not after & (DET | AND):
            said += _apposition(s, first, second)
            return Passing((*words[:first], *words[second + 1 :]), tuple(said))
    return Passing(tuple(words), tuple(said))


def _opens(s: Sentence, start: int, end: int) -> bool:
    return s.words[start].lower() in _OPENING or phrases.is_name(s.words[start:end])


def _relative(s: Sentence, comma: int) -> tuple[str, ...]:
    """``..., which hangs in the porch`` with what hangs there in its place; empty when that is not sure."""
    start = comma + 1
    if s.words[start : start + 1] not in {("who",), ("which",)} or start + 1 >= len(s.words):
        return ()
    if s.words[start] == "which" and s.words[start + 1] in _COMMENTING:
        return ()
    about = _noun_before(s, comma)
    end = next((at for at in range(start, len(s.words)) if s.tags[at] & MARK), len(s.words))
    return (*about, *s.words[start + 1 : end]) if about else ()


def _noun_before(s: Sentence, at: int) -> tuple[str, ...]:
    """The name, or the noun with its article, that ends before ``at``."""
    start = at
    while (
        start > 0
        and s.tags[start - 1] & CAPITAL
        and (s.words[start - 1][-1].isalpha() or _TITLE.fullmatch(s.words[start - 1]))
        and not s.tags[start - 1] & DET
    ):
        start -= 1
    if start < at and (start == 0 or not s.tags[start - 1] & DET):
        return s.words[start:at]
    for back in range(at - 1, max(-1, at - LONGEST), -1):
        if s.tags[back] & (PREP | AND | MARK) or s.words[back] == "of":
            return ()
        if s.tags[back] & DET:
            return s.words[back:at] if at - back > 1 else ()
    return ()


def _apposition(s: Sentence, first: int, second: int) -> list[tuple[str, ...]]:
    """``Runa Solheim, the mate,`` as who is the mate."""
    about, inside = s.words[:first], s.words[first + 1 : second]
    article = s.tags[first + 1] & DET and not any(tag & (AUX | MARK) for tag in s.tags[first + 1 : second])
    named = phrases.is_name(inside) and s.tags[0] & DET and phrases.is_role(about)
    return [(*about, "is", *inside)] if named or (article and phrases.is_name(about)) else []
