"""Active to passive and back: *who owns it*, *by whom is it owned*."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from ..asking import verbs
from . import tokens
from .clause import DO, Clause, be_for, joined

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .facts import Meaning

PARTICLES = frozenset("up out off down away back over through together".split())
_NO_PASSIVE = frozenset(
    "have be mean cost weigh need like want get become tell inform take last belong live lie go come work happen fit "
    "know look stay remain contain travel wait sound seem let make cause hold prefer wear suit resemble equal "
    "lack do walk run".split()
)
_NO_OBJECT = (
    tokens.PREPOSITIONS
    | PARTICLES
    | frozenset("to that whether how if it free well not more less very too so and or when why as open public".split())
)
_SETTING = re.compile(
    r" (?=(?:in|during|before|after|when|if|while|without|every|into|onto|out of|at the end of|at the same time|"
    r"at once|in a row) |on (?:\d|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day))"
)


def flipped(meaning: Meaning) -> Iterator[Clause]:
    """The clause in the other voice."""
    clause = meaning.clause
    if meaning.compound:
        return
    if clause.passive:
        yield from _to_active(meaning)
    elif (not clause.subject and clause.helper in DO and meaning.facts & {"who"}) or _acting(clause):
        yield from _by_whom(clause)
    elif clause.generic:
        yield from impersonal(clause)


def impersonal(clause: Clause) -> Iterator[Clause]:
    """``How often is the filter cleaned`` for ``How often do I clean the filter``."""
    parts = parted(clause.verb, clause.rest)
    if not parts or clause.form != "base" or clause.opener not in {"how", "when", "where"} or clause.prep:
        return
    particle, thing, setting = parts
    if re.search(r"\b(?:my|our|your|myself)\b", thing):
        return
    passive = replace(clause, subject=thing, form="participle", rest=joined(particle, setting))
    first, _, more = clause.helper.partition(" ")
    if first in DO:
        yield replace(passive, helper=joined(be_for(first, thing), more))
        if first != "did" and not more and clause.wh != "how":
            yield replace(passive, helper="should be")
            yield replace(passive, helper="must be")
    elif first in verbs.MODALS:
        yield replace(passive, helper=f"{clause.helper} be")


def parted(verb: str, rest: str) -> tuple[str, str, str] | None:
    """Particle, object and what follows: ``out``, ``photosynthesis``, ``in plants``."""
    words = rest.split()
    particle = words.pop(0) if words and words[0] in PARTICLES else ""
    if not words or verb in _NO_PASSIVE or words[0].lower() in _NO_OBJECT:
        return None
    if {"that", "which", "who", "whose", "where"} & {*words}:
        return None
    thing, *more = _SETTING.split(" ".join(words), maxsplit=1)
    if " to " in f"{thing} ":
        return None
    if " and " in thing and any(verbs.finite(word) for word in thing.split(" and ", 1)[1].split()[:1]):
        return None
    return particle, thing, " ".join(more)


def _acting(clause: Clause) -> bool:
    """``Which company handles the payments``: the wh-phrase is somebody who does something."""
    first, _, noun = clause.wh.partition(" ")
    named = first in {"which", "what"} and tokens.is_somebody(tuple(noun.split()))
    return named and not clause.subject and clause.helper in DO


def _by_whom(clause: Clause) -> Iterator[Clause]:
    parts = parted(clause.verb, clause.rest)
    if not parts or parts[1].split()[0].lower() in {"a", "an", "every", "his", "her", "their", "its"}:
        return
    particle, thing, setting = parts
    passive = replace(
        clause, subject=thing, helper=be_for(clause.helper, thing), form="participle", rest=joined(particle, setting)
    )
    wh = "whom" if clause.wh == "who" else clause.wh
    yield replace(passive, wh=wh, prep="by")
    if not setting:
        yield replace(passive, rest=joined(particle, "by"))


def _to_active(meaning: Meaning) -> Iterator[Clause]:
    clause = meaning.clause
    helper = {"is": "do", "are": "do"}.get(clause.helper)
    by = clause.stranded()
    if by.subject and by.rest == "by":
        past = clause.helper in {"was", "were"}
        wh = "who" if clause.wh == "whom" else clause.wh
        yield Clause(wh, "", "did" if past else "does", clause.verb, rest=clause.subject)
    elif clause.subject and helper and _anybody(clause):
        yield replace(clause, subject="we", helper=helper, form="base", rest=_after_verb(clause))


def _anybody(clause: Clause) -> bool:
    """Whether *we* may do what is done: ``Where are the spare keys kept``."""
    if clause.opener not in {"when", "where", "how"} or clause.wh in {"how long", "how"} or clause.verb == "call":
        return False
    return " by " not in f" {clause.rest} " and not _split_by_particle(clause)


def _split_by_particle(clause: Clause) -> bool:
    return clause.rest.split()[:1] != [] and clause.rest.split()[0] in tokens.PREPOSITIONS - PARTICLES


def _after_verb(clause: Clause) -> str:
    words = clause.rest.split()
    if words and words[0] in PARTICLES:
        return joined(words[0], clause.subject, " ".join(words[1:]))
    return joined(clause.subject, clause.rest)
