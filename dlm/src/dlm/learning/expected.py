"""What an answer must say to be right, taken from the answer that the document gives.

A pair's value is what stands out in its answer (a time, an amount, a name, code) and does not stand in its question;
the form of the question tells which of several is meant. English in its word lists, schema-free otherwise.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, NamedTuple

from ..corpus import sentences
from .judging import own_words, right, roughly, says

if TYPE_CHECKING:
    from collections.abc import Iterator

SHORT = 4
"""Words of an answer that is itself the value."""
MOST_SENTENCES = 2
"""Of an answer with more, nobody can tell which value is asked for: any of them counts."""
_AMOUNT = re.compile(
    r"\b(?:how (?:long|many|much|often|far|old|big|large|high|tall|deep|wide|heavy|fast|late|early|soon|hot|cold|"
    r"frequently|quickly)|what (?:time|hour|year|age|price|temperature|percentage|number)|"
    r"which (?:hour|year|number|port)|the number of|at what|at which|when)\b",
    re.I,
)
_DAY = re.compile(r"\b(?:which|what)\b.{0,20}\b(?:weekday|day|month|date)s?\b", re.I)
_NAMED = re.compile(r"\b(?:who|whose|whom|where)\b", re.I)
_EXPLAIN = re.compile(
    r"\b(?:why|how (?:do|does|did|can|could|should|would|is|are|was|were|to)|what happen(?:s|ed)|"
    r"what (?:does|do|did|should|must|can|may) .*\b(?:do|mean|know|answer))\b",
    re.I,
)
_WHO_IS = re.compile(r"(?:who|what) (?:is|are|was|were) ([^'’]+?)\?*$", re.I)
_YES_NO = re.compile(
    r"(?:is|are|was|were|do|does|did|can|could|may|must|should|will|would|has|have|had) (?!you\b)"
    r"(?!.*\b(?:or|who|whom|whose|what|which|when|where|why|how)\b)",
    re.I,
)
_NUMBER = re.compile(
    r"\W{0,2}(?:\d|(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|\w+ty)\b)", re.I
)
_DATE = re.compile(
    r"\b(?:(?:mon|tues|wednes|thurs|fri|satur|sun)days?|january|february|march|april|may|june|july|august|september|"
    r"october|november|december)\b",
    re.I,
)
_COUNTED = re.compile(r"(\S+) (\S+)")
_OPENING = re.compile(r"(?:The|An?|Our|Its|Their|This|That) ([A-ZÀ-ÖØ-Þ][\w-]+(?: [A-ZÀ-ÖØ-Þ][\w-]+)*)")
_JOINT = re.compile(r"`?\s*(?:,|,?\s(?:and|to|&)\s(?:then\s)?(?:the\s|on\s|in\s|at\s)?|,\s)\s*`?", re.I)
_AND = re.compile(r" and ")


Judged = Literal["all", "any", "words"]
"""By all of the values, by any of them, or by most of the words."""


class Expected(NamedTuple):
    """What a right answer says."""

    values: tuple[str, ...]
    """All of them; or any one, if judged loosely. Empty: ``words`` decide."""
    words: tuple[str, ...] = ()
    """The answer's own words, where no value stands out."""
    loose: bool = False

    def met(self, answer: str) -> bool:
        """Whether ``answer`` is right."""
        if not self.values:
            return roughly(answer, self.words)
        return any(says(answer, value) for value in self.values) if self.loose else right(answer, self.values)

    @property
    def judged(self) -> Judged:
        """How an answer is judged."""
        return ("any" if self.loose else "all") if self.values else "words"


def expected(question: str, answer: str) -> Expected | None:
    """What an answer to ``question`` must say when the document answers ``answer``; ``None`` when nobody can tell."""
    said = " ".join(answer.split())
    bare = said.strip(" .!;:,")
    words = own_words(bare, question)
    if len(bare.split()) <= SHORT and (_NUMBER.match(bare) or len(words) == len(sentences.content_words(bare)) > 0):
        return None if says(question, bare) else Expected((bare,))
    parts = [part for paragraph in sentences.paragraphs(answer) for part in _sentences(paragraph)]
    if len(parts) > MOST_SENTENCES:
        values = tuple(dict.fromkeys(span.text for part in parts for span in _spans(part, question)[:1]))
        return Expected(values, loose=True) if values else _by_words(words)
    if not _YES_NO.match(question):
        for part in parts:
            if values := _values(part, question):
                return Expected(values)
    return _by_words(words)


def _sentences(paragraph: sentences.Paragraph) -> list[str]:
    return sentences.sentences(paragraph.text) if paragraph.running else [paragraph.text]


class _Span(NamedTuple):
    start: int
    end: int
    text: str
    kind: str
    """The pattern that found it."""
    firm: bool
    """Code, a tag or an address: to be said as it is written, whatever is asked."""

    @property
    def amount(self) -> bool:
        return _NUMBER.match(self.text) is not None or self.text[:1] in "$€£"


def _values(sentence: str, question: str) -> tuple[str, ...]:
    """The span that ``question`` asks for, with those it is listed together with."""
    spans = _spans(sentence, question)
    if (best := _asked_for(spans, sentence, question)) is None:
        return ()
    texts = [text for span in _listed(sentence, spans, best) for text in _AND.split(span.text)]
    return tuple(dict.fromkeys(_uncounted(text, question) for text in texts))


def _asked_for(spans: list[_Span], sentence: str, question: str) -> _Span | None:
    """The one of ``spans`` that answers, by what comes first in ``question``; ``None`` when none of them does."""
    forms = {"amount": _AMOUNT, "day": _DAY, "named": _NAMED, "explain": _EXPLAIN}
    starts = {form: match.start() for form, pattern in forms.items() if (match := pattern.search(question))}
    form = min(starts, key=starts.__getitem__, default="")
    about = _WHO_IS.match(question)
    if form == "explain" or (about and about[1][:1].isupper() and sentence.startswith(about[1])):
        return next((span for span in spans if span.firm), None)
    if form == "named":
        return next((span for span in spans if not span.amount), None)
    if form == "day":
        return next((span for span in spans if _DATE.search(span.text)), spans[0] if spans else None)
    if form == "amount":
        return next((span for span in spans if span.amount), spans[0] if spans else None)
    return spans[0] if spans else None


def _uncounted(text: str, question: str) -> str:
    """``45`` of ``45 days`` where the question names the days."""
    counted = _COUNTED.fullmatch(text)
    return counted[1] if counted and _NUMBER.match(text) and says(question, counted[2]) else text


def _spans(sentence: str, question: str) -> list[_Span]:
    """What stands out in ``sentence`` and is not in ``question``, the most telling first; none inside another."""
    known = frozenset(sentences.content_words(question))
    found: list[_Span] = []
    opening = [match for match in (_OPENING.match(sentence),) if match and match[1].lower() not in known]
    for match in (*sentences.candidates(sentence, known), *opening):
        text = match[1].strip()
        firm = sentence[: match.start(1)].endswith("`") or text[:1] == "#" or "@" in text or "://" in text
        span = _Span(match.start(1), match.end(1), text, match.re.pattern, firm)
        apart = all(span.end <= other.start or span.start >= other.end for other in found)
        if apart and span.text and not says(question, span.text):
            found.append(span)
    return found


def _listed(sentence: str, spans: list[_Span], best: _Span) -> Iterator[_Span]:
    """``best`` among the spans of its sort that only a comma or an ``and`` parts from it, in the order of the text."""
    alike = sorted(span for span in spans if span.kind == best.kind)
    first = last = alike.index(best)
    while first > 0 and _JOINT.fullmatch(sentence[alike[first - 1].end : alike[first].start]):
        first -= 1
    while last + 1 < len(alike) and _JOINT.fullmatch(sentence[alike[last].end : alike[last + 1].start]):
        last += 1
    yield from alike[first : last + 1]


def _by_words(words: tuple[str, ...]) -> Expected | None:
    """A single word of its own is a value; of several, most must be said."""
    return Expected((), words, loose=True) if len(words) > 1 else Expected(words) if words else None
