"""Facts to study records: each asked in every way that its property is asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..records import Message, Record
from .attributes import Attribute, Match, Way, fits
from .pairs import OPEN
from .templates import VALUE, Template
from .words import ANY, ARTICLES, stems, words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .facts import Known

MOST_WAYS = 12
"""Questions for one fact."""
MOST_FORMS = 3
"""Answers in the words of sentences, beside the one of a pair."""


def records(fact: Known, forms: Sequence[Template], room: int) -> Iterator[Record]:
    """Every question about ``fact`` with its answers; ``forms`` are the sentences that state its property."""
    value = fact.value
    if not value:
        return
    source = next((source for source in fact.sources if source.match), fact.sources[0])
    sentences = [said for said in _sentences(fact, forms, value) if said]
    ways = sorted(fact.attribute.ways, key=lambda way: -way.things)
    asked = 0
    for way in ways:
        if asked == MOST_WAYS:
            break
        if not _general(way, fact):
            continue
        question = way.question.fill(fact.thing)
        own = _answer(way, fact, value)
        answers = (
            [own, *sentences] if asked == 0 else [own, *sentences[asked % len(sentences) :][:1]] if sentences else [own]
        )
        for answer in dict.fromkeys(filter(None, answers)):
            if len(question.encode()) + len(answer.encode()) <= room:
                turns = (Message("user", question), Message("assistant", answer))
                yield replace(source.record, kind="analogy", objective="answer", messages=turns, text="", title="")
        asked += 1


def _general(way: Way, fact: Known) -> bool:
    """Whether the question says nothing that may hold for the one thing only that it was asked about."""
    own = any(
        lesson.asked.thing == fact.thing and lesson.asked.question == way.question for lesson in fact.attribute.lessons
    )
    if way.things > 1 or own:
        return True
    text = way.question.text
    return not any(
        any(sign.isdigit() for sign in word.low) or (word.start and text[word.start].isupper()) or word.low[0] in "`#@"
        for word in words(text)
    )


def _answer(way: Way, fact: Known, value: str) -> str:
    """The usual answer to ``way``, if all it says beside the value holds for the thing as well."""
    stated = [source.match for source in fact.sources if source.match]
    backed = stems(way.question.text).union(*(stems(match.statement.text) for match in stated))
    for template, taught in way.answers:
        backing = template.key in way.shared or stems(template.text) <= backed
        if backing and fits(value, taught) and not _doubled(template, value):
            return template.fill(fact.thing, value)
    return ""


def _doubled(template: Template, value: str) -> bool:
    """Whether the value repeats the word beside its slot."""
    before, _, after = template.text.partition(VALUE)
    said, left, right = words(value), words(before), words(after)
    first = bool(left) and left[-1].low == said[0].low
    articles = bool(left) and left[-1].low in ARTICLES and said[0].low in ARTICLES
    return first or articles or (bool(right) and right[0].low == said[-1].low)


def forms(attribute: Attribute) -> list[Template]:
    """How sentences state the property: those forms that several things share, with slots."""
    found = []
    for pattern, matches in attribute.patterns.items():
        whole = pattern.after != OPEN and ANY not in (*pattern.before, *pattern.after)
        if whole and len({match.statement.thing for match in matches}) > 1:
            found += [slotted for match in matches if (slotted := _slotted(match))][:1]
    return found


def _slotted(match: Match) -> Template | None:
    template = match.statement.template
    if template is None:
        return None
    text = template.text.replace(match.value, VALUE)
    return replace(template, text=text) if text.count(VALUE) == 1 else None


def _sentences(fact: Known, forms: Sequence[Template], value: str) -> Iterator[str]:
    """The fact as its own sentence says it, then as others would."""
    for source in fact.sources:
        if source.match and source.match.statement.template:
            yield source.match.statement.template.fill(fact.thing)
    spelled = [template for template in forms if not _doubled(template, value)]
    start = sum(map(len, fact.thing.lows)) % len(spelled) if spelled else 0
    for template in (spelled[start:] + spelled[:start])[: MOST_FORMS - 1]:
        yield template.fill(fact.thing, value)
