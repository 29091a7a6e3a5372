"""Facts to study records: each asked in every way that its property is asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..records import Message, Record
from .attributes import Attribute, Match, Way
from .pairs import OPEN
from .templates import VALUE, Template
from .words import ANY, ARTICLES, stems

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .facts import Known

MOST_WAYS = 12
"""Questions for one fact."""
MOST_READ = 100
"""Ways to ask for a property that are looked at."""
MOST_FORMS = 3
"""Answers in the words of sentences, beside the one of a pair."""


def records(fact: Known, forms: Sequence[Template], room: int) -> Iterator[Record]:
    """Every question about ``fact`` with its answers; ``forms`` are the sentences that state its property."""
    if not fact.value:
        return
    source = next((source for source in fact.sources if source.match), fact.sources[0])
    stated = list(_sentences(fact, forms))
    asked = [way for way in fact.attribute.ways[:MOST_READ] if way.general or fact.thing in way.things]
    for turn, way in enumerate(asked[:MOST_WAYS]):
        question = way.question.fill(fact.thing)
        # The first question takes every form of the answer, the others one each in turn.
        more = stated[turn % len(stated) :][:1] if turn and stated else stated
        for answer in dict.fromkeys([*_usual(way, fact), *more]):
            if len(question.encode()) + len(answer.encode()) <= room:
                turns = (Message("user", question), Message("assistant", answer))
                yield replace(source.record, kind="analogy", objective="answer", messages=turns, text="", title="")


def _usual(way: Way, fact: Known) -> list[str]:
    """The most usual answer to ``way`` of which everything beside the value holds for the thing as well."""
    said = [way.question.text, *(source.match.statement.text for source in fact.sources if source.match)]
    for template, look in way.answers:
        holds = template.key in way.shared or stems(template.text) <= frozenset().union(*map(stems, said))
        if holds and look.fits(fact.value) and not _doubled(template, fact.value):
            return [template.fill(fact.thing, fact.value)]
    return []


def _doubled(template: Template, value: str) -> bool:
    """Whether the value repeats the word beside its slot."""
    before, _, after = template.text.partition(VALUE)
    said, left, right = (part.lower().strip(" .").split() for part in (value, before, after))
    articles = ARTICLES.issuperset([*left[-1:], said[0]])
    return left[-1:] == said[:1] or right[:1] == said[-1:] or (bool(left) and articles)


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


def _sentences(fact: Known, forms: Sequence[Template]) -> Iterator[str]:
    """The fact as its own sentence says it, then as others would."""
    for source in fact.sources:
        if source.match and source.match.statement.template:
            yield source.match.statement.template.fill(fact.thing)
    spelled = [template for template in forms if not _doubled(template, fact.value)]
    start = sum(map(len, fact.thing.lows)) % len(spelled) if spelled else 0
    for template in (spelled[start:] + spelled[:start])[: MOST_FORMS - 1]:
        yield template.fill(fact.thing, fact.value)
