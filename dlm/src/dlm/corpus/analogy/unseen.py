"""Sentences of a form that no pair shows, read by what else is known: their words, their value, and what is missing.

A thing that lacks a property which the others have, and has one sentence that speaks of it in the property's own words
and holds one value of its kind, states it. A form in words of its own is trusted when it stands in for the property
with several things, never beside it, and does not narrow the property's own words.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from .attributes import Attribute, Match, fitting, matched
from .looks import Look
from .pairs import Pattern
from .words import TURNING, Shape, agree, shape, stem, stems

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .statements import Statement
    from .things import Thing

LEAST_TAUGHT = 3
"""Things with the property before a form is guessed."""


class Guess(NamedTuple):
    """A statement that may be of a property."""

    attribute: Attribute
    pattern: Pattern
    thing: Thing
    statement: Statement


def extended(found: Sequence[Attribute], statements: Sequence[Statement]) -> list[Attribute]:
    """``found`` with the forms that can be told without a pair."""
    explained = {id(match.statement) for one in found for matches in one.patterns.values() for match in matches}
    free = [statement for statement in statements if id(statement) not in explained and _plain(statement)]
    guesses = [guess for one in found for guess in _guesses(one, free)]
    claims = Counter(id(guess.statement) for guess in guesses)
    lacking = Counter((guess.attribute, guess.thing) for guess in guesses)
    by_form: dict[tuple[Attribute, Pattern], list[Guess]] = defaultdict(list)
    for guess in guesses:
        by_form[guess.attribute, guess.pattern].append(guess)
    read = matched(statements, {pattern: None for _, pattern in by_form})
    added: dict[Attribute, dict[Pattern, list[Match]]] = defaultdict(dict)
    for (attribute, pattern), group in by_form.items():
        clear = all(claims[id(one.statement)] == 1 == lacking[attribute, one.thing] for one in group)
        if clear and _trusted(attribute, pattern, group) and not _beside(attribute, read[pattern]):
            added[attribute][pattern] = fitting(pattern, read[pattern], _taught(attribute))
    return [replace(one, patterns={**one.patterns, **added.get(one, {})}) for one in found]


def _plain(statement: Statement) -> bool:
    """Whether it is a sentence that says something of its thing alone, as it is now."""
    return not statement.row and not statement.others and not any(said.low in TURNING for said in statement.said)


def _taught(attribute: Attribute) -> Look:
    values = [lesson.value for lesson in attribute.lessons]
    return Look([*values, *(match.value for found in attribute.patterns.values() for match in found)])


def _guesses(attribute: Attribute, free: Sequence[Statement]) -> Iterator[Guess]:
    """The statements with one value of the property's kind, about things that lack it."""
    holders = {lesson.asked.thing for lesson in attribute.lessons}
    holders |= {match.statement.thing for found in attribute.patterns.values() for match in found}
    shapes = {one for one in _taught(attribute).shapes if one.kind != "words"}
    if len(holders) < LEAST_TAUGHT or not shapes or not attribute.lessons:
        return
    for statement in free:
        if statement.thing not in holders:
            patterns = list(_of_shape(statement, shapes))
            if len(patterns) == 1:
                yield Guess(attribute, patterns[0], statement.thing, statement)


def _of_shape(statement: Statement, shapes: set[Shape]) -> Iterator[Pattern]:
    """Where ``statement`` has a value of just one of ``shapes``, with no more of its kind beside it."""
    said = statement.said
    lengths = {one.length for one in shapes}
    for length in sorted(lengths):
        for first in range(len(said) - length + 1):
            last = first + length
            if length == len(said) or shape(statement.text[said[first].start : said[last - 1].end]) not in shapes:
                continue
            around = [said[at] for at in (first - 1, last) if 0 <= at < len(said)]
            if not any(_capital(statement, word.start) for word in around):
                forms = tuple(word.form for word in said)
                yield Pattern(forms[:first], said[first].preposition, forms[last:])


def _capital(statement: Statement, start: int) -> bool:
    return start > 0 and statement.text[start].isupper()


def _trusted(attribute: Attribute, pattern: Pattern, group: Sequence[Guess]) -> bool:
    known = _vocabulary(attribute)
    if {stem(low) for low in (*pattern.before, *pattern.after)} <= known:
        return True
    return len({guess.thing for guess in group}) > 1 and not any(_narrowed(guess.statement, known) for guess in group)


def _narrowed(statement: Statement, known: frozenset[str]) -> bool:
    """Whether a new word stands right before a known one: a *deputy* warden is no warden."""
    return any(
        stem(one.low) not in known and stem(other.low) in known and not statement.text[one.end : other.start].strip()
        for one, other in pairwise(statement.said)
    )


def _vocabulary(attribute: Attribute) -> frozenset[str]:
    """Words in which the property is asked for, answered and stated."""
    asked = [stems(way.question.text) for way in attribute.ways if len(way.things) > 1]
    answered = [stems(answer.text) for way in attribute.ways for answer, _ in way.answers if answer.key in way.shared]
    stated = [{stem(low) for low in (*one.before, *one.after)} for one in attribute.patterns]
    return frozenset().union(*asked, *answered, *stated)


def _beside(attribute: Attribute, found: Sequence[Match]) -> bool:
    """Whether the form stands with another value beside the property of some thing."""
    values: dict[Thing, list[str]] = defaultdict(list)
    for lesson in attribute.lessons:
        values[lesson.asked.thing].append(lesson.value)
    for matches in attribute.patterns.values():
        for match in matches:
            values[match.statement.thing].append(match.value)
    return any(not agree(match.value, value) for match in found for value in values.get(match.statement.thing, ()))
