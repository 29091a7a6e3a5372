"""The name of what is asked for: *the owner of Kittiwake*, *the port that Kittiwake listens on*; and back to a verb."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from . import lexicon, predicates, synonyms
from .answers import is_group, read
from .clause import Attribute, Clause, be_for, do_for, joined

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .facts import Meaning
    from .lexicon import Relation

_HAVING = frozenset({("have", ""), ("use", ""), ("listen", "on"), ("own", "")})
_HAD = frozenset(
    "port address number colour color code version channel shape size length weight height capacity password deadline "
    "id limit budget database name".split()
)
_FOR = frozenset(
    "price deadline contact address password command channel limit fee number code rule reason date budget person "
    "database price fare penalty".split()
)
_DONE_ONCE = frozenset("write found invent discover design build paint compose win create translate make".split())
_QUESTIONS = {
    "who": "who", "when": "when", "howmuch": "how much", "howmany": "how many", "howlong": "how long", "where": "where",
    "what": "what",
}  # fmt: skip
_TIMES = {"moment": "date and time", "time": "time", "date": "date", "weekday": "day", "year": "year"}


def attributes(meaning: Meaning) -> Iterator[Attribute]:
    """What is asked for as a noun with its owner, in other words than the question's own."""
    if meaning.compound:
        return
    if own := meaning.attribute:
        yield from (replace(own, noun=noun) for noun in synonyms.swapped(own.noun))
        if own.prep == "of" and own.noun.split()[-1] in _FOR:
            yield replace(own, prep="for")
        return
    yield from _of_relations(meaning)
    yield from _of_degree(meaning)
    clause = meaning.clause
    first, _, noun = clause.wh.partition(" ")
    if noun in predicates.PROPERTIES and clause.copular and not clause.rest and clause.subject and not clause.prep:
        yield Attribute(noun, clause.subject)
    if noun and first in {"which", "what"} and clause.subject and not clause.generic and " of " not in noun:
        rest = clause.stranded().rest
        if (clause.verb, rest) in _HAVING or (clause.verb == "run" and rest == "on" and noun.startswith("port")):
            yield Attribute(noun, clause.subject)


def verbal(meaning: Meaning) -> Iterator[Clause]:
    """``How much does X cost`` for ``What is the price of X``."""
    own = meaning.attribute
    if not own or own.prep not in {"of", "for"} or meaning.clause.helper not in {"is", "are", "was", "were"}:
        return
    for relation in lexicon.relations():
        if relation.to_verb and any(_same(own.noun, noun, meaning) for noun in relation.nouns):
            yield from _with_verb(relation, own, meaning)
    yield from _how(own, meaning)
    if own.noun.split()[-1] in _HAD and " " not in own.noun:
        yield Clause(f"which {own.noun}", own.owner, do_for("does", own.owner), "have")


def relative(meaning: Meaning) -> Iterator[str]:
    """``the port that Kittiwake listens on``, ``the person who owns it``, ``the day on which it opens``."""
    clause = meaning.clause
    first, _, noun = clause.wh.partition(" ")
    if meaning.compound or (clause.copular and not clause.rest and not clause.helper.startswith("must")):
        return
    if first in {"which", "what"} and noun in {"time", "day", "date"} and not clause.prep and clause.subject:
        link = "at which" if noun == "time" else "on which"
        yield joined("the", noun, link, clause.subject, clause.finite, clause.rest)
    elif first in {"which", "what"} and noun and not noun.startswith("of "):
        yield _that(clause, noun, "who" if is_group(noun) and noun != "team" else "that")
    elif clause.wh == "who" and not clause.subject and meaning.answer.kind in {"person", "group"}:
        person = meaning.answer.kind == "person"
        yield joined("the", meaning.answer.noun or "person", "who" if person else "that", clause.finite, clause.rest)
    elif clause.wh == "why":
        yield joined("the reason why", clause.subject, clause.finite, clause.rest)
    elif clause.wh == "when" and meaning.answer.kind in _TIMES:
        unit = {"time": "time at which", "moment": "date and time at which", "year": "year in which"}.get(
            meaning.answer.kind, "day on which"
        )
        yield joined("the", unit, clause.subject, clause.finite, clause.rest)
    elif clause.wh == "where" and meaning.answer.kind == "place":
        yield joined("the", meaning.answer.noun or "place", "where", clause.subject, clause.finite, clause.rest)
    elif clause.wh.startswith("how many ") and clause.subject != "there":
        yield _that(clause, f"number of {clause.wh.removeprefix('how many ')}", "that")
    elif clause.wh.startswith("how much ") and clause.subject:
        yield _that(clause, f"amount of {clause.wh.removeprefix('how much ')}", "that")


def _that(clause: Clause, noun: str, pronoun: str) -> str:
    link = f"{clause.prep} which" if clause.prep else pronoun
    if clause.prep and pronoun == "who":
        link = f"{clause.prep} whom"
    return joined("the", noun, link, clause.subject, clause.finite, clause.rest)


def _of_relations(meaning: Meaning) -> Iterator[Attribute]:
    for relation in lexicon.relations():
        if relation.to_noun and relation.condition.holds(meaning.facts) and (owner := _owner(relation, meaning.clause)):
            for noun in relation.nouns:
                if named := _timed(noun, meaning):
                    yield Attribute(named, owner)


def _owner(relation: Relation, clause: Clause) -> str:
    """Whom the noun belongs to; empty where the clause does not say what the relation says."""
    if clause.helper.split()[-1] == "not" or clause.prep:
        return ""
    phrase = relation.phrase.split()
    verb = "be" if clause.copular else clause.verb
    words = [verb, *clause.rest.split()]
    if clause.passive:
        words = ["be", clause.inflected, *clause.rest.split()]
    if words[: len(phrase)] != phrase:
        return ""
    left = " ".join(words[len(phrase) :])
    if clause.subject:
        if clause.generic or clause.subject in {"there", "that", "this"}:
            return ""
        return joined(clause.subject, left) if left.split()[:1] in ([], ["on"], ["in"], ["about"], ["for"]) else ""
    return "" if not left or left.split()[0] in {"to", "for", "in", "that", "on", "about"} else left


def _timed(noun: str, meaning: Meaning) -> str:
    if "{t}" not in noun:
        return noun
    unit = _TIMES.get(meaning.answer.kind)
    return noun.format(t=unit) if unit else ""


def _of_degree(meaning: Meaning) -> Iterator[Attribute]:
    clause = meaning.clause
    if "degree" not in meaning.facts or not clause.copular or clause.rest or not clause.subject or clause.generic:
        return
    adjective = clause.wh.split()[1]
    if len(clause.wh.split()) == 2 and clause.helper in {"is", "are", "was", "were"}:
        for degree in lexicon.degrees():
            if adjective in (*degree.adjectives, *degree.others) and degree.condition.holds(meaning.facts):
                yield from (Attribute(noun, clause.subject) for noun in degree.nouns)
                return


def _same(noun: str, other: str, meaning: Meaning) -> bool:
    if "{t}" in other:
        return any(noun == other.format(t=unit) for unit in ("time", "date", "day", "year"))
    return noun == other


def _with_verb(relation: Relation, own: Attribute, meaning: Meaning) -> Iterator[Clause]:
    facts = next(iter(relation.condition.needed))
    if "which" in facts:
        yield Clause(
            f"which {own.noun}",
            own.owner,
            do_for("does", own.owner),
            relation.phrase.split()[0],
            rest=relation.phrase.partition(" ")[2],
        )
        return
    wh = next(_QUESTIONS[fact] for fact in sorted(facts) if fact in _QUESTIONS)
    first, _, more = relation.phrase.partition(" ")
    past = first in _DONE_ONCE or meaning.clause.past
    if "subject" in facts:
        yield Clause(wh, "", "did" if past else "does", first, rest=joined(more, own.owner))
    elif first == "be":
        yield Clause(wh, own.owner, be_for("was" if past else "is", own.owner), rest=more)
    else:
        yield Clause(wh, own.owner, do_for("did" if past else "does", own.owner), first, rest=more)


def _how(own: Attribute, meaning: Meaning) -> Iterator[Clause]:
    for degree in lexicon.degrees():
        if own.noun in degree.nouns:
            adjective = degree.adjectives[0]
            answer = read(f"how {adjective}", meaning.said)
            if answer.kind and degree.condition.holds(frozenset({answer.kind})):
                yield Clause(f"how {adjective}", own.owner, be_for("is", own.owner))
                return
