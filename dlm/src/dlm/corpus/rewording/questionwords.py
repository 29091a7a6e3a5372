"""Other question words for the same thing: *when*, *at what time*, *on which day*."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from . import lexicon
from .clause import joined

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .clause import Clause
    from .facts import Meaning

_WHEN = {
    "time": ("at what time", "what time", "at which time", "at what hour"),
    "date": ("on which day", "on what date", "on which date"),
    "weekday": ("on which day", "on what day", "on which weekday", "on what day of the week"),
    "moment": ("on which day and at what time",),
    "year": ("in which year", "in what year"),
}
_WHERE = {
    "channel": ("in which channel", "in what channel"),
    "email": ("at which address", "at what address"),
    "url": ("at which address", "at what address"),
}
_PLACE = ("in which place", "at what place")
_PREPOSITION = re.compile(r"\b(in|on|at|under|behind|inside)\b (?:the|a|an|its|their|room|[A-Z`#\"])", re.I)
_SUBJECTS = {"group": ("which {n}", "what {n}"), "person": ("which person",)}
_ACTIVE_LONG = frozenset("take last need have go".split())


def alternates(meaning: Meaning) -> Iterator[Clause]:
    """The clause with each other question word that fits the answer."""
    clause = meaning.clause
    first, _, more = clause.wh.partition(" ")
    if meaning.compound or not first:
        return
    if first == "when" or meaning.facts >= {"when"}:
        yield from _when(meaning, first)
    elif first == "where" and not clause.prep:
        yield from _where(meaning)
    elif first == "who":
        yield from _who(meaning)
    elif first == "how":
        yield from _how(meaning, more)
    elif first == "why":
        yield from (replace(clause, wh=wh, prep="for") for wh in ("what reason", "which reason"))
    if first in {"which", "what"} and more and first != "whose":
        other = "what" if first == "which" else "which"
        if more not in {"person", "people", "time"} and not more.startswith("of "):
            yield replace(clause, wh=f"{other} {more}")
    if clause.subject and (moved := clause.fronted()) != clause:
        yield moved
    if clause.prep and clause.subject and first in {"which", "what", "whom"} and meaning.facts.isdisjoint({"when"}):
        yield replace(clause.stranded(), wh="who" if first == "whom" else clause.wh)


def _when(meaning: Meaning, first: str) -> Iterator[Clause]:
    clause = replace(meaning.clause, prep="")
    if first == "when" and meaning.answer.kind == "every" and clause.subject and clause.verb:
        yield replace(clause, wh="how often")
    asked = joined(meaning.clause.prep, meaning.clause.wh)
    if first != "when" and clause.subject and not clause.rest.endswith((" on", " at", " in")):
        yield replace(clause, wh="when")
    for phrase in _WHEN.get(meaning.answer.kind, ()):
        if phrase != asked and clause.subject and not (phrase == "what time" and clause.copular and not clause.rest):
            yield _phrased(clause, phrase)


def _where(meaning: Meaning) -> Iterator[Clause]:
    clause, answer = meaning.clause, meaning.answer
    if clause.rest.split()[-1:] in (["from"], ["to"]):
        return
    found = _PREPOSITION.search(meaning.said)
    at = found[1].lower() if found else "in"
    if answer.kind in {"place", "channel"} and answer.noun:
        yield _phrased(clause, f"{at} which {answer.noun}")
        yield _phrased(clause, f"{at} what {answer.noun}")
    elif answer.kind == "place" and at in {"in", "at"}:
        for phrase in _PLACE:
            yield _phrased(clause, phrase)
    for phrase in _WHERE.get(answer.kind, ()):
        yield _phrased(clause, phrase)


def _who(meaning: Meaning) -> Iterator[Clause]:
    clause = meaning.clause
    if clause.subject and clause.copular and not clause.rest:
        if meaning.answer.kind == "person" and meaning.attribute:
            yield replace(clause, wh="which person")
        return
    for frame in _SUBJECTS.get(meaning.answer.kind, ()):
        yield replace(clause, wh=frame.format(n=meaning.answer.noun))


def _how(meaning: Meaning, more: str) -> Iterator[Clause]:
    clause, answer = meaning.clause, meaning.answer
    word, _, noun = more.partition(" ")
    if word == "often":
        yield replace(clause, wh="how frequently")
        if answer.kind == "every":
            yield from (replace(clause, wh=wh, prep="at") for wh in ("what intervals", "which interval"))
    elif word == "frequently":
        yield replace(clause, wh="how often")
    elif word == "long" and not noun:
        yield from _how_long(meaning)
    elif word == "much" and noun and answer.kind == "measure" and " of " not in noun:
        many = {"does": "do", "is": "are", "was": "were"}.get(clause.helper, clause.helper)
        yield replace(clause, wh=f"how many {answer.noun} of {noun}", helper=clause.helper if clause.subject else many)
        yield replace(clause, wh=f"what amount of {noun}")
    elif word == "much" and not noun and answer.kind == "money" and answer.noun and clause.verb == "cost":
        yield replace(clause, wh=f"how many {answer.noun}")
    elif not more:
        yield from (replace(clause, wh=wh, prep="in") for wh in ("what way", "which way") if not clause.generic)
    elif clause.copular and not clause.rest:
        yield from _degree(meaning, word)


def _how_long(meaning: Meaning) -> Iterator[Clause]:
    clause, unit = meaning.clause, meaning.answer.noun
    lasting = clause.verb in _ACTIVE_LONG or (clause.copular and not clause.rest)
    if clause.copular and not clause.rest and meaning.answer.kind == "duration":
        do = {"is": "does", "are": "do", "was": "did", "were": "did"}.get(clause.helper)
        if do:
            yield replace(clause, helper=do, verb="last")
        return
    if clause.prep:
        yield replace(clause, prep="")
    elif not lasting:
        yield replace(clause, prep="for")
    if unit and meaning.answer.kind == "duration":
        yield replace(clause, wh=f"how many {unit}", prep="" if lasting else "for")
    if clause.verb in {"take", "need"}:
        yield replace(clause, wh="how much time")


def _degree(meaning: Meaning, adjective: str) -> Iterator[Clause]:
    for degree in lexicon.degrees():
        if adjective in degree.adjectives and degree.condition.holds(meaning.facts):
            for other in (*degree.adjectives, *degree.others):
                if other != adjective:
                    yield replace(meaning.clause, wh=f"how {other}")


def _phrased(clause: Clause, phrase: str) -> Clause:
    prep, _, wh = phrase.partition(" ")
    return (
        replace(clause, wh=wh, prep=prep)
        if prep in {"at", "on", "in", "under", "behind", "inside"}
        else replace(clause, wh=phrase)
    )
