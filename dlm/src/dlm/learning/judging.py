"""Whether an answer is right: by the value that it must say, or loosely, by its words. No model and no record here.

A value is said when it stands in the answer whole and as a value of its own: 7413 is not said by 17413 or 7413.5. Case,
markup, kinds of hyphen and thousands separators do not matter.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..corpus.sentences import content_words

if TYPE_CHECKING:
    from collections.abc import Iterable

ENOUGH_WORDS = 0.6
"""Share of an answer's own words that make it right where no value stands out."""
_MARKUP = re.compile(r"[`*_\"“”„«»]")
_HYPHENS = str.maketrans("\u2010\u2011\u2012\u2013\u00a0\u202f\u2019", "----  '")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")


def says(answer: str, value: str) -> bool:
    """Whether ``value`` stands in ``answer``; an empty value never does."""
    text, wanted = _plain(answer), _plain(value)
    if not wanted:
        return False
    before, after = _edge(wanted[0], r"(?<!\w)", r"(?<!\d[.:])"), _edge(wanted[-1], r"(?!\w)", r"(?![.:]\d)")
    return re.search(before + re.escape(wanted) + after, text) is not None


def right(answer: str, values: Iterable[str]) -> bool:
    """Whether ``answer`` says every one of ``values``."""
    return all(says(answer, value) for value in values)


def content_of(answer: str, question: str, content: Iterable[str]) -> list[str]:
    """Which of the document's ``content`` the answer brings up that the question did not."""
    return [piece for piece in content if says(answer, piece) and not says(question, piece)]


def own_words(answer: str, question: str) -> tuple[str, ...]:
    """The content words of an expected answer that its question does not give away, each once."""
    given = stems(question)
    return tuple(dict.fromkeys(word for word in content_words(answer) if _stem(word) not in given))


def roughly(answer: str, words: Iterable[str]) -> bool:
    """Whether ``answer`` holds at least :data:`ENOUGH_WORDS` of ``words``, in whatever form and order."""
    wanted = {_stem(word) for word in words}
    return bool(wanted) and len(wanted & stems(answer)) >= ENOUGH_WORDS * len(wanted)


def stems(text: str) -> frozenset[str]:
    """The content words of ``text`` without their endings."""
    return frozenset(_stem(word) for word in content_words(text))


def _plain(text: str) -> str:
    """Lower case, one blank between words, no markup, no thousands separators, plain hyphens."""
    bare = _MARKUP.sub("", text.casefold().translate(_HYPHENS))
    return " ".join(_THOUSANDS.sub("", bare).split())


def _edge(character: str, word: str, number: str) -> str:
    """What may not stand beside a value that begins or ends with ``character``."""
    if character.isdigit():
        return word + number
    # Chinese and Japanese put no blanks between words.
    return word if character.isalnum() and character < "\u3000" else ""


def _stem(word: str) -> str:
    """A word without what English adds to it: crude, and the same on both sides of a comparison."""
    word = word.removesuffix("'s")
    for ending in ("ing", "ies", "es", "ed", "s", "e", "y"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word.removesuffix(ending)
    return word
