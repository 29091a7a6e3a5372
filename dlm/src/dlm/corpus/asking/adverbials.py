"""When, how often, how long, how, why, by whom: questions about what is said around a verb."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import phrases, verbs, whereabouts
from .order import active, inverted, kept, told
from .words import POSSESSIVES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .parts import Chunk, Clause

_THINGS_DO = frozenset(
    "heat power drive cover protect cause control trigger start stop limit close lock hold support connect feed "
    "light cool generate produce replace separate surround define determine reflect absorb follow precede open "
    "activate monitor carry fill block lift move pull push turn operate regulate destroy damage kill prevent mean "
    "describe form".split()
)
"""What things do by themselves, without anybody who uses them."""
_MEANS = frozenset("hand train bus ferry boat car bicycle bike plane post email mail phone telephone tram text".split())
_BESIDE = frozenset("door window gate entrance wall river sea lake road fire pool stairs exit station".split())
"""What is stood by, not acted by."""
_PURPOSEFUL = frozenset("allow expect require suppose use need seem tend have want know ask tell remind teach".split())
"""Verbs after which ``to`` and a verb say no purpose."""
_CONDITIONS = frozenset({"when", "if", "whenever", "as soon as", "once"})
_MOMENTS = _CONDITIONS | {"after", "before", "only if", "only when", "provided that", "as long as"}
_REASONS = frozenset({"because", "since", "so that", "as"})
_STATES = frozenset({"", "have", "mean", "count"})


def about_tail(clause: Clause) -> Iterator[list[str]]:
    """What a subordinate clause answers."""
    tail = clause.tail
    if tail is None or (clause.subject == ("I",) and not clause.object and not clause.chunks):
        return
    words = [word for chunk in clause.chunks for word in chunk.all]
    asked = inverted(clause, [*clause.object, *words])
    timed = any(told(chunk) for chunk in clause.chunks)
    if tail.word in _REASONS and not (tail.word == "since" and timed):
        yield ["Why", *asked]
    elif tail.word in _MOMENTS and not timed:
        yield ["When", *asked]
    elif tail.word in {"until", "till"} and not clause.group.negative:
        yield ["Until when", *asked]
    if tail.word in _CONDITIONS and clause.group.base not in _STATES and not timed and _stands_alone(tail.words):
        yield _what_then(clause, [tail.word, *tail.words])


def _what_then(clause: Clause, condition: list[str]) -> list[str]:
    if clause.subject == ("I",) and clause.group.helper == "should":
        return ["What should I", *(["not"] if clause.group.negative else []), "do", *condition]
    return ["What happens", *condition]


def _stands_alone(words: tuple[str, ...]) -> bool:
    """Whether a condition is understood without the sentence that it is taken out of."""
    return not {"it", "they", "them", "its", "their", "he", "she", "this", "that"} & {word.lower() for word in words}


def about_chunks(clause: Clause) -> Iterator[list[str]]:
    if clause.object[:1] == ("no",) or clause.subject[0].lower() == "no":
        return
    for at, chunk in enumerate(clause.chunks):
        if phrases.is_frequency(chunk):
            yield ["How often", *inverted(clause, kept(clause, at))]
            if at + 1 == len(clause.chunks) and not clause.tail and phrases.has_weekday(chunk):
                yield ["When", *inverted(clause, kept(clause, at))]
        elif not chunk.prep and (chunk.words in {("twice",), ("once",)} or chunk.words[1:] == ("times",)):
            yield ["How many times", *inverted(clause, [*kept(clause, at), *_later_time(clause, at)])]
        elif phrases.is_time(chunk):
            yield from _times(clause, at, chunk)
        elif phrases.is_duration(chunk.words):
            yield from _durations(clause, at, chunk)
        elif chunk.prep == "by":
            yield from _by(clause, at, chunk)
        else:
            yield from _others(clause, at, chunk)


def _later_time(clause: Clause, at: int) -> list[str]:
    return [word for chunk in clause.chunks[at + 1 :] if told(chunk) for word in chunk.all]


def _others(clause: Clause, at: int, chunk: Chunk) -> Iterator[list[str]]:
    if phrases.is_manner(chunk) and chunk.words[0].lower() not in {"directly", "separately", "only", "immediately"}:
        sure = clause.group.passive or clause.object or clause.subject == ("I",)
        yield ["How", *inverted(clause, kept(clause, at))] if sure and not clause.group.negative else []
    elif chunk.prep in {"because of", "due to"}:
        yield ["Why", *inverted(clause, kept(clause, at))]
    elif chunk.prep in {"to", "in order to", "so as to"} and verbs.is_base(chunk.words[0]):
        sure = chunk.prep != "to" or (clause.group.base not in _PURPOSEFUL and (clause.group.passive or clause.object))
        amount = phrases.amount(clause.object) or phrases.is_duration(clause.object)
        if sure and not amount and not clause.group.negative:
            yield ["Why", *inverted(clause, kept(clause, at))]
    else:
        yield from whereabouts.about(clause, at)


def _times(clause: Clause, at: int, chunk: Chunk) -> Iterator[list[str]]:
    asked = inverted(clause, kept(clause, at))
    if chunk.prep in {"by", "until", "since", "no later than"}:
        yield ["By when" if chunk.prep == "no later than" else f"{chunk.prep.capitalize()} when", *asked]
        return
    if chunk.prep == "from" and not {"to", "until", "till"} & set(chunk.words):
        yield ["From when", *asked]
        return
    yield ["When", *asked]
    if chunk.prep == "after" and (found := phrases.amount(chunk.words)) and len(found.noun) == 1:
        yield ["After how many", *found.noun, *asked]
    if phrases.has_clock(chunk) and chunk.prep == "at":
        yield ["At what time", *asked]
        yield ["What time", *asked]
    elif phrases.has_weekday(chunk) and chunk.prep == "on" and len(chunk.words) == 1:
        yield ["On which day", *asked]


def _durations(clause: Clause, at: int, chunk: Chunk) -> Iterator[list[str]]:
    asked = inverted(clause, kept(clause, at))
    found = phrases.amount(chunk.words)
    if chunk.prep == "for":
        yield ["How long", *asked]
        yield ["For how long", *asked]
    if chunk.prep == "within":
        yield ["How soon", *asked]
    if found and len(found.noun) == 1 and chunk.prep in {"for", "within", "after"}:
        yield [f"{chunk.prep.capitalize()} how many", *found.noun, *asked]


def _by(clause: Clause, at: int, chunk: Chunk) -> Iterator[list[str]]:
    first = chunk.words[0]
    reached = clause.group.base in {"reach", "pay", "book", "contact"} and not phrases.can_act(
        chunk.words, clause.people
    )
    if verbs.gerund_base(first) or (len(chunk.words) == 1 and first in _MEANS) or reached:
        yield ["How", *inverted(clause, kept(clause, at))]
        return
    own = POSSESSIVES & {word.lower() for word in (*clause.object, *clause.group.rest)}
    if not clause.group.passive or own or not clause.group.helper:
        return
    who = first == "whoever" or phrases.can_act(chunk.words, clause.people)
    other = any(before.prep and before.prep != "in" for before in clause.chunks[:at])
    beside = bool(_BESIDE & set(chunk.words)) or other
    thing = first.lower() in {"the", "a", "an"} and chunk.words[-1].islower() and not who and not beside
    if who or thing:
        yield from _agents(clause, at, chunk, who="Who" if who else "What")


def _agents(clause: Clause, at: int, chunk: Chunk, who: str) -> Iterator[list[str]]:
    rest = kept(clause, at)
    if (
        not clause.group.negative
        and clause.group.base not in {"?", ""}
        and (who == "Who" or clause.group.base in _THINGS_DO)
    ):
        doing = [*active(clause), *clause.subject, *rest]
        yield [who, *doing]
        if chunk.words[-1] == "team" and chunk.words[0].lower() == "the":
            yield ["Which team", *doing]
    yield [who, *inverted(clause, rest), "by"]
