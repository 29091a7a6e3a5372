"""What, how many, how much, which: questions about what a verb takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import phrases, verbs
from .order import inverted, kept, told
from .words import ADVERB, DETERMINERS, PART, PRONOUNS, is_plural, tag

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .parts import Clause

_PUTTING = frozenset("keep store hold put place leave lay add bring carry send give hand pour write enter".split())
_TWO_OBJECTS = frozenset("show offer lend sell pay teach bring make serve feed read give hand send tell ask".split())
_STATE = frozenset(
    "become remain stay seem appear look sound feel smell taste go turn get run stand lie sit keep fall grow".split()
)
_ADJECTIVES = frozenset(
    "free well open early late as more less upright only closed shut dry wet clean dirty full empty cold hot warm "
    "long short fast slow high low hard loud quiet home out up down visible available ready able possible necessary "
    "safe straight far near enough much little most least sooner earlier later faster slower longer further nearer "
    "higher lower good bad better worse best worst alone clear true false".split()
)
_NO_OBJECT = frozenset("let stand lie sit stay remain live go come be".split())
_PRICED = frozenset("cost weigh pay charge owe".split())
_LASTING = frozenset("take last wait run stay need".split())
_OF = frozenset("consist dispose think approve".split())
_CLOSE = frozenset("in on at to for from under inside onto into behind above below near of through".split())
"""Prepositions whose phrase is hardly ever part of the object before them."""
_HOLDING = frozenset("have contain include be show mean comprise involve offer".split())


def about_object(clause: Clause) -> Iterator[list[str]]:
    group, words = clause.group, clause.object
    if group.passive:
        yield from _called(clause)
    elif words[:1] == ("of",):
        if group.base in _OF:
            yield [_who(clause, words[1:]), *inverted(clause), "of"]
    elif not words:
        yield from _listed(clause) if clause.listed else _meant(clause)
    elif group.base in _PRICED and phrases.is_money(words):
        yield ["How much", *inverted(clause, _after(clause))]
    else:
        yield from _listed(clause) if clause.listed else ()
        yield from _asked_for(clause)


def _asked_for(clause: Clause) -> Iterator[list[str]]:
    words, after = clause.object, _after(clause)
    purpose = [w for c in clause.chunks[:1] if c.prep == "to" and verbs.is_base(c.words[0]) for w in c.all]
    timed = phrases.is_duration(words)
    if timed and clause.group.base in _LASTING:
        yield ["How long", *inverted(clause), *purpose]
    if found := phrases.amount(words):
        yield ["How many", *found.noun, *inverted(clause, purpose if timed else after)]
    elif found_name := phrases.named(words):
        yield ["Which", *found_name.noun, *inverted(clause, after)]
    elif _is_object(clause) and (after or clause.subject != ("I",) or clause.front):
        yield [_who(clause, words), *inverted(clause, after)]


def _who(clause: Clause, words: tuple[str, ...]) -> str:
    return "Who" if phrases.is_person(words, clause.people) else "What"


def _listed(clause: Clause) -> Iterator[list[str]]:
    if clause.group.base not in {"", "?"} and not clause.chunks:
        yield ["What", *inverted(clause)]


def _meant(clause: Clause) -> Iterator[list[str]]:
    """``E1 means that the sensor is disconnected``."""
    if clause.group.base == "mean" and clause.cut in {"that", "how", "what"} and not clause.chunks:
        yield ["What", *inverted(clause)]


def _after(clause: Clause) -> list[str]:
    """What the question keeps of the phrases after the object: the sure ones, and times when they are short."""
    words: list[str] = []
    closed = clause.object and "of" not in clause.object and clause.group.base not in _HOLDING
    for at, chunk in enumerate(clause.chunks):
        fits = chunk.prep in _CLOSE and (at or closed or clause.group.base in _PUTTING)
        if chunk.prep == "to" and verbs.is_base(chunk.words[0]):
            fits = False
        if chunk.words[0] in {"this", "these", "that", "those"}:
            continue
        if told(chunk) or fits or (not chunk.prep and len(chunk.words) == 1):
            words += chunk.all
        elif chunk.prep:
            break
    return words


def _called(clause: Clause) -> Iterator[list[str]]:
    group = clause.group
    if (
        group.base in {"call", "name"}
        and group.rest in {("called",), ("named",)}
        and clause.object
        and not group.negative
    ):
        yield ["What", *inverted(clause)]
        if group.helper == "is":
            yield ["What is the name of", *clause.subject]
    elif group.base in {"give", "pay", "send", "show", "charge", "offer", "award", "grant"} and _is_object(clause):
        if phrases.is_money(clause.object):
            yield ["How much", *inverted(clause, kept(clause._replace(object=()), len(clause.chunks)))]
        elif found := phrases.amount(clause.object):
            yield ["How many", *found.noun, *inverted(clause)]
        else:
            yield ["What", *inverted(clause)]


def _is_object(clause: Clause) -> bool:
    """Whether the words after the verb are one noun phrase that it takes."""
    words, base = clause.object, clause.group.base
    if not words or base in _NO_OBJECT:
        return False
    if base == "mean":
        return True
    first, last = words[0].lower(), words[-1].lower()
    if first in PRONOUNS - {"nothing", "everything"} or base in {"", "?", "say"} or "to" in words:
        return False
    second_article = any(word in {"the", "a", "an"} for word in words[1:])
    if base in _TWO_OBJECTS and second_article and not {"and", "of", ","} & set(words):
        return False
    if first in DETERMINERS:
        return first not in {"this", "that", "these", "those", "no"} and len(words) > 1
    if len(words) == 1 and tag(first) & (ADVERB | PART):
        return False
    if words in {("one",), ("some",), ("all",), ("both",)}:
        return False
    if first in _ADJECTIVES or last in _ADJECTIVES or base in _STATE - {"become", "keep", "run"}:
        return False
    noun = last[0] in '`"“#' or words[-1][0].isupper() or last.replace("-", "").isalpha() or last[0].isdigit()
    return noun and (base != "become" or is_plural(last) or last[0] in '`"“')
