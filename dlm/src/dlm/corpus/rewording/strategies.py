"""The ways to another wording, each an endless supply of one kind; whoever asks takes one of each in turn."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from . import frames, naming, questionwords, synonyms, tokens, told, voice, ways
from .clause import Attribute, Clause, plural, sentence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .facts import Meaning

_FRONTED = re.compile(
    r" (?=(?:when|if|while|before|after|during|without|in the) |on (?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day)"
)
_PRONOUNS = frozenset("it they he she we i you this that these those".split())
_THINGS = frozenset("own lead maintain run manage restart install start stop use store keep cost open close".split())


def synonymous(meaning: Meaning) -> Iterator[str]:
    """With another verb; then each of these inside of a longer sentence."""
    found = [*synonyms.verbs_for(meaning), *synonyms.modals_for(meaning.clause)]
    yield from (clause.direct() for clause in found)
    for at, clause in enumerate(found):
        yield next(frames.indirect(clause.embedded(), meaning.turn + at))


def named(meaning: Meaning) -> Iterator[str]:
    """As a noun with its owner: ``What is the price of X``."""
    own, clause = meaning.attribute, meaning.clause
    bare = own is None and clause.wh in {"what", "who"} and clause.copular and not clause.rest
    if bare and clause.subject.startswith("the ") and not ways.defines(meaning):
        yield from frames.named(clause.subject, meaning.turn, person=_person(meaning), many=plural(clause.subject))
    found = [attribute for attribute in naming.attributes(meaning) if attribute.owner.lower() not in _PRONOUNS]
    if own:
        found = [own, *found]
    for at, attribute in enumerate(found):
        yield from _first(meaning, attribute, at)
    for at, attribute in enumerate(found):
        yield from _more(meaning, attribute, at)


def asked_with(meaning: Meaning) -> Iterator[str]:
    """With another question word."""
    found = list(questionwords.alternates(meaning))
    yield from (clause.direct() for clause in found)
    for at, clause in enumerate(found):
        for other in synonyms.verbs_for(replace_clause(meaning, clause)):
            yield other.direct()
        yield next(frames.indirect(clause.embedded(), meaning.turn + at + 5))


def embedded(meaning: Meaning) -> Iterator[str]:
    """Inside of another sentence: ``Could you tell me which port X listens on?``"""
    long = meaning.clause.copular and not meaning.clause.rest and len(meaning.clause.subject.split()) > 7
    if not long and not re.search(r", (?:and|or) (?:do|does|is|are|can|should|must)\b", meaning.clause.rest):
        yield from frames.indirect(meaning.clause.embedded(), meaning.turn)


def other_voice(meaning: Meaning) -> Iterator[str]:
    for clause in voice.flipped(meaning):
        yield clause.direct()
        for other in synonyms.verbs_for(replace_clause(meaning, clause)):
            yield other.direct()


def verbal(meaning: Meaning) -> Iterator[str]:
    """With a verb for a noun: ``How much does X cost``."""
    found = list(naming.verbal(meaning))
    yield from (clause.direct() for clause in found)
    for at, clause in enumerate(found):
        for other in synonyms.verbs_for(replace_clause(meaning, clause)):
            yield other.direct()
        yield next(frames.indirect(clause.embedded(), meaning.turn + at + 3))


def own_way(meaning: Meaning) -> Iterator[str]:
    yield from ways.whole(meaning)


def as_told(meaning: Meaning) -> Iterator[str]:
    """In the words of the answer."""
    for clause in told.asking(meaning):
        own = replace_clause(meaning, clause)
        yield clause.direct()
        if clause.subject and (said := clause.echo()):
            yield said
        for other in (*voice.flipped(own), *synonyms.verbs_for(own), *questionwords.alternates(own)):
            yield other.direct()
        yield next(frames.indirect(clause.embedded(), meaning.turn + 2))


def echoed(meaning: Meaning) -> Iterator[str]:
    """``Kittiwake listens on which port?``"""
    clause = meaning.clause
    if clause.subject and clause.wh and not meaning.compound and clause.wh not in {"why", "how"}:
        said = "" if clause.generic else clause.echo()
        if said:
            yield said


def relative(meaning: Meaning) -> Iterator[str]:
    """``Name the port that Kittiwake listens on.``"""
    noun = meaning.clause.wh.partition(" ")[2]
    many = bool(noun) and meaning.clause.wh.startswith(("which", "what")) and plural(noun)
    person = meaning.answer.kind == "person"
    for phrase in naming.relative(meaning):
        yield from frames.named(phrase, meaning.turn + 4, person=person, many=many, short=False)


def with_nouns(meaning: Meaning) -> Iterator[str]:
    """With another noun."""
    if not meaning.attribute:
        found = list(synonyms.nouns_for(meaning.clause))
        yield from (clause.direct() for clause in found)
        for at, clause in enumerate(found):
            yield next(frames.indirect(clause.embedded(), meaning.turn + at + 7))


def fronted(meaning: Meaning) -> Iterator[str]:
    """``During a restart, how long is the service gone?``"""
    clause = meaning.clause
    parts = _FRONTED.split(f" {clause.rest}".replace("  ", " "), maxsplit=1) if not meaning.compound else []
    if (
        len(parts) == 2
        and not {"that", "which", "who"} & {*parts[0].split()}
        and (clause.subject or parts[0])
        and "," not in clause.rest
    ):
        asked = replace(clause, rest=parts[0].strip()).direct()
        yield sentence(f"{parts[1]}, {asked[:1].lower()}{asked[1:]}", end="?")


def cleft(meaning: Meaning) -> Iterator[str]:
    """``Who is it that owns X?``"""
    clause = meaning.clause
    if meaning.compound or not clause.verb or clause.prep:
        return
    if clause.wh == "what" and not clause.subject:
        return
    if clause.wh in {"who", "what"} or (clause.wh.startswith("which ") and not plural(clause.wh.split()[-1])):
        be = "was" if clause.past else "is"
        yield sentence(clause.wh, be, "it that", clause.subject, clause.finite, clause.rest, end="?")


def about_it(meaning: Meaning) -> Iterator[str]:
    """``I have a question about the booking site. When does it open?``"""
    clause, own = meaning.clause, meaning.attribute
    if own and _thing(own.owner):
        asked = f"{clause.wh} {clause.helper} {'their' if plural(own.owner) else 'its'} {own.noun}?"
        yield f"I have a question about {own.owner}. {asked[:1].upper()}{asked[1:]}"
    elif (
        clause.subject
        and (clause.verb or clause.rest)
        and _thing(clause.subject)
        and not re.search(r"\bits?\b|\bthe(?:y|m|ir)\b", clause.rest)
    ):
        asked = replace(clause, subject="they" if plural(clause.subject) else "it").direct()
        yield f"I have a question about {clause.subject}. {asked}"
    elif not clause.subject and clause.verb in _THINGS and meaning.clause.wh == "who" and len(clause.rest.split()) < 4:
        asked = replace(clause, rest="it").direct()
        if not plural(clause.rest) and " " not in clause.rest:
            yield f"I have a question about {clause.rest}. {asked}"


def replace_clause(meaning: Meaning, clause: Clause) -> Meaning:
    return replace(meaning, clause=clause)


def _thing(phrase: str) -> bool:
    """Whether *it* or *they* may stand for ``phrase``: no person, and no name that may be one."""
    parts = tuple(phrase.split())
    if not 1 < len(parts) <= 5 or parts[0].lower() != "the" or not parts[-1].islower():
        return False
    return not tokens.is_somebody(parts)


def _first(meaning: Meaning, attribute: Attribute, at: int) -> Iterator[str]:
    """The plainest sentence that the question itself is not."""
    phrase = attribute.genitive() or attribute.of()
    yield next(frames.named(phrase, at, person=_person(meaning), many=_many(meaning, attribute)))


def _more(meaning: Meaning, attribute: Attribute, at: int) -> Iterator[str]:
    person, many = _person(meaning), _many(meaning, attribute)
    phrases_ = [phrase for phrase in (attribute.of(), attribute.genitive()) if phrase]
    if not many and attribute.genitive():
        yield sentence(attribute.compound(), end="?")
    for phrase in phrases_:
        yield from frames.named(phrase, meaning.turn + at, person=person, many=many)
        yield sentence(phrase, end="?")


def _person(meaning: Meaning) -> bool:
    return bool(meaning.facts & {"who"})


def _many(meaning: Meaning, attribute: Attribute) -> bool:
    return plural(attribute.noun)


STRATEGIES: tuple[Callable[[Meaning], Iterator[str]], ...] = (
    synonymous,
    named,
    as_told,
    verbal,
    own_way,
    asked_with,
    relative,
    other_voice,
    embedded,
    with_nouns,
    fronted,
    about_it,
    echoed,
    cleft,
)
"""In the order in which each gives its first wording."""
