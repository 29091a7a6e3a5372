"""The word lists of this package, read once when first asked for: interchangeable words and what they need to be so."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

Facts = frozenset[str]
"""What is known of a question: its question word, the kind of its answer, whether something follows the verb."""


class Condition(NamedTuple):
    """``when+alone,howlong+!passive``: any of several sets of facts, each with what must not be so."""

    needed: tuple[Facts, ...]
    barred: tuple[Facts, ...]

    def holds(self, facts: Facts) -> bool:
        return any(
            one <= facts and other.isdisjoint(facts) for one, other in zip(self.needed, self.barred, strict=True)
        )


class Group(NamedTuple):
    """Words that may stand for ``word`` where the condition holds."""

    word: str
    condition: Condition
    others: tuple[str, ...]


class Relation(NamedTuple):
    """``cost`` and ``price``."""

    condition: Condition
    phrase: str
    nouns: tuple[str, ...]
    to_noun: bool
    to_verb: bool


class Degree(NamedTuple):
    """``long`` and ``length``, ``duration``."""

    condition: Condition
    adjectives: tuple[str, ...]
    others: tuple[str, ...]
    """Adjectives that may stand for the first."""
    nouns: tuple[str, ...]


@cache
def verb_groups() -> dict[str, tuple[Group, ...]]:
    """Groups by the first word of the phrase they replace; after *be*, by the second: ``be located``."""
    found: dict[str, list[Group]] = {}
    for line in _lines("verbs.txt"):
        condition, _, members = line.partition(": ")
        phrase, _, others = members.partition(" = ")
        words = phrase.split()
        key = " ".join(words[:2]) if words[0] == "be" else words[0]
        found.setdefault(key, []).append(Group(phrase, _condition(condition), _words(others)))
    return {key: tuple(sorted(groups, key=lambda group: -len(group.word.split()))) for key, groups in found.items()}


@cache
def nouns() -> dict[str, tuple[str, ...]]:
    """What may stand for a noun at the end of its noun phrase."""
    found: dict[str, tuple[str, ...]] = {}
    for line in _lines("nouns.txt"):
        noun, _, others = line.partition(" = ")
        found[noun] = _words(others)
    return found


@cache
def relations() -> tuple[Relation, ...]:
    found = []
    for line in _lines("relations.txt"):
        condition, _, said = line.partition(": ")
        sign = next(mark for mark in (" <= ", " => ", " = ") if mark in said)
        phrase, _, names = said.partition(sign)
        found.append(Relation(_condition(condition), phrase, _words(names), sign != " <= ", sign != " => "))
    return tuple(found)


@cache
def degrees() -> tuple[Degree, ...]:
    found = []
    for line in _lines("degrees.txt"):
        condition, _, said = line.partition(": ")
        adjectives, _, names = said.partition(" = ")
        plain, _, more = adjectives.partition(" > ")
        found.append(Degree(_condition(condition), _words(plain), _words(more), _words(names)))
    return tuple(found)


def _condition(text: str) -> Condition:
    sets = [set() if one == "*" else {*one.split("+")} for one in text.split(",")]
    barred = [{fact for fact in one if fact.startswith("!")} for one in sets]
    return Condition(
        tuple(frozenset(one - other) for one, other in zip(sets, barred, strict=True)),
        tuple(frozenset(fact[1:] for fact in other) for other in barred),
    )


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split("|") if word.strip())


def _lines(name: str) -> Iterator[str]:
    text = resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
    return (line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#"))
