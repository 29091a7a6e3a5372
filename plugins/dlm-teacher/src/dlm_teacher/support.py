"""Whether a text says what a question and its answer claim it says: by words, names and numbers, not by another model.

Precise rather than greedy: a wrong record teaches a falsehood, a dropped one costs little.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from dlm.corpus import sentences

from .source import POINTERS
from .source import Source as Source
from .spans import is_content, missing, negated, plain, spans, stem, stems, tokens

if TYPE_CHECKING:
    from .source import Unit

SAID = 0.6
"""Least share of an answer's content words that the text holds."""
TOGETHER = 0.8
"""Of those, the least share that one sentence holds: words of several sentences can be put together to anything."""
ASKED_TOGETHER = 0.7
"""The same of question and answer together. Questions use other words, and words of the whole text."""
ASKED = 0.3
"""Least share of a question's content words that the text holds."""
_POINTS_AT_TEXT = re.compile(
    r"\b(?:according to|in|by|from|based on) (?:the|this|that)(?: (?:above|given|provided|following|study))? "
    r"(?:text|passage|paragraph|excerpt|article|document|section|snippet|material|context)\b"
    r"|\bthe (?:text|passage|author) (?:say|mention|state|describe|suggest)|\bmentioned above\b",
    re.I,
)
_NO_ANSWER = re.compile(
    r"\b(?:not|never|no|nothing)\b.{0,30}\b(?:mention|specif|state|provid|say|said|known|know|given|inform|clear)"
    r"|n't\b.{0,30}\b(?:mention|specif|state|provide|say|know)|\b(?:unknown|unclear|unspecified)\b",
    re.I,
)
_CLAUSE = re.compile(r"[,;:()—–]|\bbut\b|\band\b|\binstead\b", re.I)


def fault(question: str, answer: str, source: Source) -> str | None:
    """Why ``source`` does not bear out ``question`` with ``answer``, as a reason to count; ``None`` when it does."""
    if (reason := _unclear(question, source) or _empty(question, answer, source)) is not None:
        return reason
    if missing(spans(answer).all, source.tokens):
        return "names or numbers not in the text"
    for claim in sentences.sentences(answer):
        if (reason := _unsupported(question, claim, source)) is not None:
            return reason
    return None


def _unclear(question: str, source: Source) -> str | None:
    if _POINTS_AT_TEXT.search(question) and not _POINTS_AT_TEXT.search(source.text):
        return "points at the text"
    if missing(spans(question).all, source.tokens):
        return "names or numbers not in the text"
    content = stems(question)
    if not content & source.stems or (not POINTERS.isdisjoint(tokens(question)) and not _anchored(question, source)):
        return "unclear what it is about"
    return "not said by the text" if len(content & source.stems) < ASKED * len(content) else None


def _anchored(question: str, source: Source) -> bool:
    """Whether a question with a pronoun names something all the same."""
    return bool(spans(question).all or source.title_stems & stems(question))


def _empty(question: str, answer: str, source: Source) -> str | None:
    new = stems(answer) - stems(question)
    if answer.endswith("?") or not (new or negated(answer) != negated(question)):
        return "no answer"
    absent = _NO_ANSWER.search(answer) and not _NO_ANSWER.search(source.text)
    return "no answer" if absent or _POINTS_AT_TEXT.search(answer) else None


def _unsupported(question: str, claim: str, source: Source) -> str | None:
    """Why no sentence of the text makes ``claim``."""
    if missing((word for _, word in _counted(claim)), source.tokens):
        return "not said by the text"
    content = stems(claim)
    if len(content & source.stems) < SAID * len(content):
        return "not said by the text"
    bearing = [unit for unit in source.units if _bears(unit, question, claim, source)]
    if not bearing:
        return "not said in one place"
    return None if any(not _turned(question, claim, unit.text) for unit in bearing) else "the other way round"


def _bears(unit: Unit, question: str, claim: str, source: Source) -> bool:
    """Whether one sentence holds all names and numbers, and nearly all words of the claim that the text holds.

    What the headings say need not be said again.
    """
    if missing(spans(claim).all | spans(question).all, unit.tokens | source.title_tokens) or _miscounted(claim, unit):
        return False
    said = (stems(claim) & source.stems) - source.title_stems
    asked = said | (stems(question) & source.stems) - source.title_stems
    return _share(said, unit) >= TOGETHER and _share(asked, unit) >= ASKED_TOGETHER


def _share(words: frozenset[str], unit: Unit) -> float:
    return len(words & unit.stems) / len(words) if words else 1.0


def _counted(text: str) -> list[tuple[str, str]]:
    """Every number with the plain word right after it: what it counts."""
    names = spans(text).names
    after = [(one, two) for one, two in pairwise(tokens(text)) if one[-1].isdigit()]
    return [(number, word) for number, word in after if word.isalpha() and is_content(word) and word not in names]


def _miscounted(claim: str, unit: Unit) -> bool:
    """Whether the claim counts with another number what ``unit`` counts."""
    there = {(number, stem(word)) for number, word in _counted(unit.text)}
    counts = {word for _, word in there}
    return any(stem(word) in counts and (number, stem(word)) not in there for number, word in _counted(claim))


def _turned(question: str, claim: str, text: str) -> bool:
    """Whether the claim affirms what a clause of ``text`` denies, or denies what none of its clauses denies."""
    claimed, asked = stems(claim), stems(question)
    clauses = [(negated(clause), stems(clause)) for clause in _CLAUSE.split(text) if plain(clause)]
    if negated(claim):
        return not any(denies and claimed & words for denies, words in clauses)
    affirmed = [words for denies, words in clauses if not denies]
    return any(
        denies and words and words <= claimed | asked and words & claimed and not any(words <= one for one in affirmed)
        for denies, words in clauses
    )
