"""What an answer must say to be right, taken from the answer that the document gives.

A pair's value is what stands out in its answer (a time, an amount, a name, code) and does not stand in its question;
the form of the question tells which of several is meant. English in its word lists, schema-free otherwise.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from ..corpus import sentences
from .judging import own_words, says

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SHORT = 4
"""Words of an answer that is itself the value."""
MOST_SENTENCES = 2
"""Of an answer with more, nobody can tell which value is asked for: any of them counts."""
_AMOUNT = re.compile(
    r"\b(?:how (?:long|many|much|often|far|old|big|large|high|tall|deep|wide|heavy|fast|late|early|soon|hot|cold|"
    r"frequently|quickly)|what (?:time|hour|year|date|age|price|temperature|percentage|number)|"
    r"which (?:hour|year|date|number|port)|at what|at which|when)\b",
    re.I,
)
_PERSON = re.compile(r"\b(?:who|whose|whom)\b", re.I)
_YES_NO = re.compile(
    r"^(?:is|are|was|were|do|does|did|can|could|may|must|should|will|would|has|have|had)\b(?!.*\bor\b)", re.I
)
_NUMBER = re.compile(
    r"^\W{0,2}(?:\d|(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|\w+ty)\b)", re.I
)
_JOINT = re.compile(r"\s*(?:,|,?\s(?:and|or|&)\s(?:then\s)?(?:the\s|on\s|in\s|at\s)?|,\s)\s*", re.I)
_AND = re.compile(r" and ")


class Expected(NamedTuple):
    """What a right answer says."""

    values: tuple[str, ...]
    """All of them; or any one, if judged loosely. Empty: ``words`` decide."""
    words: tuple[str, ...] = ()
    """The answer's own words, where no value stands out."""
    loose: bool = False


def expected(question: str, answer: str) -> Expected | None:
    """What an answer to ``question`` must say when the document answers ``answer``; ``None`` when nobody can tell."""
    said = " ".join(answer.split())
    if len(said.split()) <= SHORT and not says(question, bare := said.strip(" .!;:,")):
        return Expected((bare,)) if own_words(bare, question) or _NUMBER.match(bare) else None
    parts = [
        part for p in sentences.paragraphs(answer) for part in (sentences.sentences(p.text) if p.running else [p.text])
    ]
    if len(parts) > MOST_SENTENCES:
        values = tuple(dict.fromkeys(span.text for part in parts for span in _spans(part, question)[:1]))
        return Expected(values, loose=True) if values else _by_words(question, said)
    if not _YES_NO.match(question):
        for part in parts:
            if values := _values(part, question):
                return Expected(values)
    return _by_words(question, said)


def names_in(text: str, known: Iterable[str] = ()) -> list[str]:
    """Names in running text, each once, in order: capitalised words that do not only start a sentence."""
    passed = frozenset(word.lower() for word in known)
    found = [
        match[1]
        for paragraph in sentences.paragraphs(text)
        for sentence in (sentences.sentences(paragraph.text) if paragraph.running else [paragraph.text])
        for match in sentences.names(sentence, passed)
    ]
    return list(dict.fromkeys(found))


class _Span(NamedTuple):
    start: int
    end: int
    text: str

    @property
    def amount(self) -> bool:
        return _NUMBER.match(self.text) is not None or self.text[:1] in "$€£"


def _values(sentence: str, question: str) -> tuple[str, ...]:
    """The span that ``question`` asks for, with those it is listed together with."""
    spans = _spans(sentence, question)
    if not spans:
        return ()
    if _AMOUNT.search(question):
        best = next((span for span in spans if span.amount), spans[0])
    elif _PERSON.search(question):
        best = next((span for span in spans if not span.amount), spans[0])
    else:
        best = spans[0]
    return tuple(dict.fromkeys(text for span in _listed(sentence, spans, best) for text in _AND.split(span.text)))


def _spans(sentence: str, question: str) -> list[_Span]:
    """What stands out in ``sentence`` and is not in ``question``, the most telling first; none inside another."""
    known = frozenset(sentences.content_words(question))
    found: list[_Span] = []
    for match in sentences.candidates(sentence, known):
        span = _Span(match.start(1), match.end(1), match[1].strip())
        apart = all(span.end <= other.start or span.start >= other.end for other in found)
        if apart and span.text and not says(question, span.text):
            found.append(span)
    return found


def _listed(sentence: str, spans: list[_Span], best: _Span) -> Iterator[_Span]:
    """``best`` among the spans of its sort that only a comma or an ``and`` parts from it, in the order of the text."""
    alike = sorted(span for span in spans if span.amount == best.amount)
    at = first = last = alike.index(best)
    while first > 0 and _JOINT.fullmatch(sentence[alike[first - 1].end : alike[first].start]):
        first -= 1
    while last + 1 < len(alike) and _JOINT.fullmatch(sentence[alike[last].end : alike[last + 1].start]):
        last += 1
    yield from alike[first : last + 1] if first <= at <= last else [best]


def _by_words(question: str, answer: str) -> Expected | None:
    words = own_words(answer, question)
    return Expected((), words, loose=True) if len(words) >= 2 else None
