"""Search over passages by their words (BM25 with one count a word, Robertson and Zaragoza 2009), headings included."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from functools import cached_property
from heapq import nlargest
from typing import TYPE_CHECKING

from ..corpus.sentences import FUNCTION_WORDS
from .reading import Reading, Vocabulary, stem

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .passages import Passage

SATURATION = 1.2
"""BM25's k1."""
LENGTH = 0.5
"""BM25's b: how much a long passage is held back. Passages are sentences, so their lengths tell little."""
ABOVE = 0.5
"""What a word of a heading counts, beside one of the passage itself."""
_WORD = re.compile(r"[^\W_]+(?:[’'][^\W_]+)*")
_INSIDE = re.compile(r"(?<=[a-zß-öø-ÿ,;:] )[A-ZÀ-ÖØ-Þ][^\W_]+(?: [A-ZÀ-ÖØ-Þ][^\W_]+)*")
_SMALL = re.compile(r"(?<![^\W_])[^\W\dA-ZÀ-ÖØ-Þ_][^\W_]*")
_NO_PROSE = re.compile(r"`[^`\n]*`|\S*[@/\\_=][^\s]*|\S+\.\w\S*|(?<!\S)[#-]\S+")
"""Code, addresses and file names, which write names small."""
_CALLED = re.compile(r"\b(?:called|named|titled|codenamed) ([a-z][\w-]+)(?: and ([a-z][\w-]+))?")


class Index:
    """Every passage of a document, and where each word stands."""

    def __init__(self, passages: Iterable[Passage], title: str = "") -> None:
        self.passages = tuple(passages)
        self.title = title
        self._stems: dict[str, str] = {}
        self._own: dict[str, list[int]] = defaultdict(list)
        self._above: dict[str, list[int]] = defaultdict(list)
        self._lengths: list[int] = []
        above: dict[tuple[str, ...], tuple[str, ...]] = {}
        for number, passage in enumerate(self.passages):
            own = self.words(passage.text)
            if passage.above not in above:
                above[passage.above] = self.words("\n".join(passage.above))
            for word in own:
                self._own[word].append(number)
            for word in above[passage.above]:
                self._above[word].append(number)
            self._lengths.append(len(own))
        self._average = sum(self._lengths) / max(len(self._lengths), 1)

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """How the document writes its words."""
        texts = [passage.text for passage in self.passages]
        inside = {word for text in texts for run in _INSIDE.findall(text) for word in run.split(" ")}
        terms = {word for text in texts for match in _CALLED.finditer(text) for word in match.groups() if word}
        prose = (_NO_PROSE.sub(" ", passage.text) for passage in self.passages if passage.kind != "code")
        small = frozenset(word for text in prose for word in _SMALL.findall(text))
        ordinary = {word for word in terms if word in FUNCTION_WORDS or word.endswith("ly")}
        return Vocabulary(
            frozenset(word.casefold() for word in inside) - small, small - terms, frozenset(terms - ordinary)
        )

    @cached_property
    def titled(self) -> Reading:
        """The document's title."""
        return Reading(self.title, self.vocabulary)

    @cached_property
    def subject(self) -> Reading:
        """The document's title with its first sentence: what all of it is about."""
        first = next((passage.text for passage in self.passages if passage.kind == "text"), "")
        return Reading(f"{self.title}. {first}" if self.title else first, self.vocabulary)

    def rarity(self, word: str) -> float:
        """The inverse document frequency of a stem; the highest for one that nowhere stands."""
        count = len(self._own.get(word, ())) or (len(self._above.get(word, ())) and 1)
        return math.log(1 + (len(self.passages) - count + 0.5) / (count + 0.5))

    def knows(self, word: str) -> bool:
        """Whether a stem stands anywhere."""
        return word in self._own or word in self._above

    def together(self, one: str, other: str) -> bool:
        """Whether two stems stand in one passage."""
        return not set(self._own.get(one, ())).isdisjoint(self._own.get(other, ()))

    def search(self, words: Iterable[str], most: int) -> list[tuple[float, Passage]]:
        """The passages that are most like ``words``, which are stems, with their scores; the first of equals first."""
        scores: dict[int, float] = defaultdict(float)
        for word in dict.fromkeys(words):
            rarity = self.rarity(word)
            own = self._own.get(word, ())
            for number in own:
                length = 1 - LENGTH + LENGTH * self._lengths[number] / self._average
                scores[number] += rarity * (SATURATION + 1) / (1 + SATURATION * length)
            for number in self._above.get(word, ()):
                scores[number] += ABOVE * rarity
        best = nlargest(most, scores, key=lambda number: (scores[number], -number))
        return [(scores[number], self.passages[number]) for number in best]

    def saying(self, text: str) -> Sequence[Passage]:
        """The passages that say exactly ``text``, whatever its case, blanks and end marks."""
        return self._verbatim.get(plain(text), ())

    @cached_property
    def _verbatim(self) -> dict[str, list[Passage]]:
        found: dict[str, list[Passage]] = defaultdict(list)
        for passage in self.passages:
            found[plain(passage.text)].append(passage)
        return found

    def words(self, text: str) -> tuple[str, ...]:
        """The stems of ``text``, each once, function words left out."""
        found = []
        for raw in _WORD.findall(text):
            word = self._stems.get(raw)
            if word is None:
                low = raw.casefold().replace("’", "'").removesuffix("'s")
                word = self._stems[raw] = "" if low in FUNCTION_WORDS else stem(low)
            if word:
                found.append(word)
        return tuple(dict.fromkeys(found))


def plain(text: str) -> str:
    """``text`` for comparison: lower case, single blanks, no emphasis, no end mark."""
    return " ".join(re.sub(r"\*\*|__|[*“”\"]", "", text.casefold()).split()).rstrip(" .!?;:,")
