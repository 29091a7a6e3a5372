"""Is an answer supported: every sentence of it, by a passage that is about what was asked."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from .agreement import agrees, same_thing
from .evidence import Evidence, stands
from .index import Index, plain
from .passages import Passage, passages, units
from .reading import PICKING, TELLING, Reading, Word

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..document import Document, Section

CANDIDATES = 60
"""Passages that are compared with one sentence of an answer."""
ENOUGH = 0.5
"""Of a question's words, by rarity, that a passage must share when the answer is no sentence of its own."""
SOME = 0.3
"""The same of those words that the document knows, when the answer is one, and names nothing that was asked for."""
BETTER = 0.34
"""How much more of the question another passage may share before it is the one that answers."""
CLEAR = 0.6
"""Of a question, by rarity, that a passage must share to be shown as the nearest."""
_YES_NO = re.compile(r"\s*(yes|no)(?:[,.;:!]+\s*|$)", re.I)
_HOW_MANY = re.compile(r"\bhow many (?:[a-z]+ (?:of )?)??([a-z]+)\b", re.I)
_AMOUNT = re.compile(
    r"\b(?:how (?:many|much|long|often|old|far|big|large)|(?:what|which) (?:time|hour|number))\b", re.I
)
_FRAME = frozenset(
    (
        "please tell know need want say give name call exactly current currently many much long often there any some "
        "document text handbook what which question answer explain describe list mention happen"
    ).split()
)
"""Words of a question that only ask."""


class Grounded(NamedTuple):
    """What the document says about an answer."""

    supported: bool
    passages: tuple[Passage, ...] = ()
    """Those that support it, in the order of its sentences; of an unsupported answer, the one that answers the
    question, if there is one."""

    @property
    def passage(self) -> Passage | None:
        """The first of them."""
        return self.passages[0] if self.passages else None


class Grounds:
    """A document to hold answers against. Made once, asked often."""

    def __init__(self, document: Document, more: Iterable[Section] = ()) -> None:
        """``more`` are the sections of the document's sources."""
        self._index = Index(passages(document, more), document.title)
        self._evidence: dict[int, Evidence] = {}

    def check(self, question: str, answer: str) -> Grounded:
        """Whether every sentence of ``answer`` is said by a passage that is about ``question``.

        Made to err towards no: what cannot be matched, in other words or by another number or name, is not supported.
        """
        asked, found = Asked(question, self._index), list[Passage]()
        verdict = _YES_NO.match(answer)
        for claim in _claims(answer[verdict.end() :] if verdict else answer):
            passage = self._support(asked, claim, found)
            if passage is None or (verdict and not found and _denies(claim) != (verdict[1].lower() == "no")):
                return Grounded(False, tuple(self._nearest(asked)))
            found.append(passage)
        return Grounded(True, tuple(dict.fromkeys(found))) if found else Grounded(False, tuple(self._nearest(asked)))

    def _support(self, asked: Asked, text: str, earlier: list[Passage]) -> Passage | None:
        claim = Reading(text, self._index.vocabulary)
        best: tuple[float, Passage] | None = None
        for passage in self._candidates(asked, text):
            evidence = self._read(passage)
            if not self._says(claim, asked, evidence) or not self._about(claim, asked, evidence, earlier):
                continue
            score = asked.shared(evidence) + (plain(passage.text) == plain(text))
            if best is None or score > best[0]:
                best = score, passage
        return best[1] if best else None

    def _candidates(self, asked: Asked, text: str) -> Iterator[Passage]:
        words = (*asked.words, *self._index.words(text))
        found = [passage for _, passage in self._index.search(words, CANDIDATES)]
        yield from dict.fromkeys((*self._index.saying(text), *found))

    def _says(self, claim: Reading, asked: Asked, evidence: Evidence) -> bool:
        if evidence.passage.kind == "list":
            return _lists(claim, evidence)
        if plain(evidence.passage.text) == plain(claim.text):
            return same_thing(claim, asked.reading, evidence)
        return agrees(claim, asked.reading, evidence)

    def _about(self, claim: Reading, asked: Asked, evidence: Evidence, earlier: list[Passage]) -> bool:
        """Whether the passage is about what was asked; one beside the passage of an earlier sentence is."""
        if not asked.fits(claim, evidence):
            return False
        passage, shared = evidence.passage, asked.shared(evidence)
        if _states(claim) or (len(claim.words) > 3 and plain(claim.text) == plain(passage.text)):
            if asked.heads(evidence) or any(
                (one.section, one.above) == (passage.section, passage.above) for one in earlier
            ):
                return True
            near = asked.names_it(evidence) or asked.shared(evidence, known=True) >= SOME
            return near and self._rival(asked, claim) <= shared + BETTER
        if not asked.adds(claim) or not asked.touches(evidence):
            return False
        return shared >= ENOUGH and self._rival(asked, claim) <= shared + 1e-9

    def _rival(self, asked: Asked, claim: Reading) -> float:
        """How much of the question the best passage shares that says something else."""
        values = {word.number or word.low for word in claim.words if word.number or word.name or word.content}
        shares = (
            asked.shared(evidence)
            for evidence in map(self._read, asked.best)
            if not values & {word.number or word.low for word in evidence.own.words}
        )
        return max(shares, default=0.0)

    def _nearest(self, asked: Asked) -> Iterator[Passage]:
        """The passage that clearly answers the question, if one does."""
        fitting = [evidence for evidence in map(self._read, asked.best) if asked.homed(evidence)]
        best = max(fitting, key=asked.shared, default=None)
        if best is not None and asked.shared(best) >= CLEAR:
            yield best.passage

    def _read(self, passage: Passage) -> Evidence:
        found = self._evidence.get(id(passage))
        if found is None:
            found = self._evidence[id(passage)] = Evidence(passage, self._index)
        return found


class Asked:
    """One question to a document."""

    def __init__(self, question: str, index: Index) -> None:
        self.reading = Reading(question, index.vocabulary)
        self._index = index
        self.words = tuple(index.words(question))
        telling = {word.stem: index.rarity(word.stem) for word in self.reading.words if _tells(word)}
        # What the whole document is about tells no passage from another.
        self._weights = {stem: rarity for stem, rarity in telling.items() if stem not in index.titled.stems}
        counted = _HOW_MANY.search(question)
        self._counted = Reading(counted[1]).words[0].stem if counted else ""

    @cached_property
    def best(self) -> tuple[Passage, ...]:
        """The passages that are most like the question."""
        return tuple(passage for _, passage in self._index.search(self.words, CANDIDATES) if passage.kind != "list")

    def shared(self, evidence: Evidence, *, known: bool = False) -> float:
        """Share of the question's words, by rarity, that stand in or over the passage; of those ``known`` at all."""
        weights = {w: x for w, x in self._weights.items() if not known or self._index.knows(w)}
        whole = sum(weights.values())
        here = sum(weight * evidence.weight(word) for word, weight in weights.items())
        return here / whole if whole else 0.0

    def touches(self, evidence: Evidence) -> bool:
        """Whether the passage itself has a word of the question."""
        return not evidence.itself.isdisjoint(self._weights)

    def heads(self, evidence: Evidence) -> bool:
        """Whether the question names a heading above the passage in full."""
        return any(reading.lows and reading.lows <= self.reading.lows for reading in evidence.above)

    def names_it(self, evidence: Evidence) -> bool:
        """Whether the passage or its heading has a name of the question.

        What all of the document is about counts only when nothing else is asked about, and in the passage itself.
        """
        names = self.reading.names
        if self._weights:
            return any(evidence.home(run) in (0, 1) for run in names if not stands(run, self._index.subject))
        return any(stands(run, evidence.own) or stands(run, evidence.before) for run in names)

    def homed(self, evidence: Evidence) -> bool:
        """Whether all names of the question stand in the passage or over it."""
        return all(evidence.home(run) is not None for run in self.reading.names)

    def adds(self, claim: Reading) -> bool:
        """Whether the claim says what the question does not."""
        told = {word.number or word.stem for word in claim.words if word.content or word.number or word.denies}
        return not self.reading.stems.issuperset(told)

    def fits(self, claim: Reading, evidence: Evidence) -> bool:
        """Whether the passage has the question's days and colours, and counts what the question counts."""
        telling = {word.stem for word in self.reading.words if word.stem in PICKING}
        if not telling <= evidence.near | evidence.around:
            return False
        wanted, said = self._counted, {number.value for number in claim.numbers}
        if not said:
            full = _states(claim) or any(word.denies or word.stem in TELLING for word in claim.words)
            return full or not _AMOUNT.search(self.reading.text)
        if not wanted:
            return True
        counts = {number.after: number.value for number in evidence.own.numbers}
        if wanted in counts:
            return counts[wanted] in said
        return wanted not in TELLING or not any(value in said for unit, value in counts.items() if unit)


def _tells(word: Word) -> bool:
    return word.low not in _FRAME and (word.content or bool(word.number))


def _claims(answer: str) -> Iterator[str]:
    """The sentences, items and rows of ``answer``."""
    for unit in units(answer):
        if unit.kind != "list" and unit.text.strip():
            yield unit.text


def _denies(claim: str) -> bool:
    return any(word.denies for word in Reading(claim).words)


def _states(claim: Reading) -> bool:
    """Whether the claim is a sentence that says what it is about."""
    return claim.asserts and len(claim.content) > 1 and len(claim.words) > 3


def _lists(claim: Reading, evidence: Evidence) -> bool:
    """Whether the claim only names items of a list: two at least, and nothing that is not in them or over them."""
    rest, said = claim.text, 0
    for item in evidence.passage.items:
        at = plain(rest).find(plain(item))
        if at >= 0:
            rest, said = plain(rest).replace(plain(item), " ; ", 1), said + 1
    left = Reading(rest, claim.vocabulary)
    words = [word for word in left.words if word.content or word.number or word.name]
    over = frozenset().union(*(reading.stems for reading in evidence.above))
    whole = not any(word.denies for word in left.words)
    return whole and said > 1 and all((word.number or word.stem) in over for word in words)
