"""When, how often, how long, where, how, why, by whom: questions about the phrases around a verb."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from . import nouns, phrases, verbs
from .order import active, inverted, kept, told
from .parts import Tail
from .words import DETERMINERS, POSSESSIVES, head

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .parts import Chunk, Clause

_BEING_SOMEWHERE = frozenset(
    "lie live stand sit hang keep store hold put place park meet sing happen occur grow sleep stay locate find "
    "install mount archive hide leave take serve sell build bury record work post wait run bear lock rest lay "
    "gather assemble display exhibit dry pin stack dump empty register moor anchor practise rehearse begin start "
    "end".split()
)
_GOING = frozenset(
    "send deliver export upload copy go travel move ship forward post fly sail report bring take carry return lead "
    "run walk drive transfer migrate push".split()
)
_COMING = frozenset(
    "come buy fetch collect obtain import receive get order draw depart leave start arrive borrow take sail run".split()
)
_LEANING = frozenset(
    {(verb, "on") for verb in ("depend", "rely")}
    | {(verb, "to") for verb in ("belong", "connect", "lead", "point", "refer", "link", "respond", "apply", "attach")}
    | {(verb, "of") for verb in ("consist",)}
    | {("call", "for")}
    | {
        (verb, "to")
        for verb in ("tape", "fix", "pin", "glue", "screw", "bolt", "tie", "chain", "fasten", "nail", "clip")
    }
    | {(verb, "for") for verb in ("use", "wait", "pay", "stand", "ask", "apply", "look", "check", "reserve", "mean")}
    | {(verb, "from") for verb in ("make", "protect", "suffer", "build")}
    | {(verb, "with") for verb in ("start", "begin", "end", "open")}
    | {("look", "after"), ("deal", "with"), ("care", "for"), ("account", "for"), ("listen", "to"), ("search", "for")}
    | {("agree", "to"), ("take", "after"), ("see", "to"), ("attend", "to"), ("amount", "to"), ("add", "to")}
    | {(verb, "into") for verb in ("turn", "divide", "split", "pour", "put", "flow")}
)
_TOOLED = frozenset(
    "clean cover fill wipe mix seal mark tie cut wash feed label replace treat rinse heat season sprinkle decorate "
    "equip line fit secure close open fasten lock paint coat scrub polish dust sweep dry pack stuff brush oil "
    "grease test measure combine serve cook tag protect".split()
)
_APART = frozenset("from to into of with by as for about".split())
"""Before a place, the start of a phrase that the place may belong to."""
_THINGS_DO = frozenset(
    "heat power drive cover protect cause control trigger start stop limit close lock hold support connect feed "
    "light cool generate produce replace separate surround define determine reflect absorb follow precede open "
    "activate monitor carry fill block lift move pull push turn operate regulate destroy damage kill prevent mean "
    "describe form".split()
)
"""What things do by themselves, without anybody who uses them."""
_SPOTS = frozenset({"behind", "beside", "underneath", "near", "opposite", "next to", "in front of", "on top of"})
_SPOTS |= {"above", "inside"}
"""Prepositions that hardly ever say anything but a place."""
_MEANS = frozenset("hand train bus ferry boat car bicycle bike plane post email mail phone telephone tram text".split())
_BESIDE = frozenset("door window gate entrance wall river sea lake road fire pool stairs exit station".split())
"""What is stood by, not acted by."""
_REACHING = frozenset("reach contact call find get".split())
_ADDRESS = re.compile(r"\S+@\S+|https?:\S+|[\d-]{3,}|[\w-]+(?:\.[\w-]+)+")
_PURPOSEFUL = frozenset("allow expect require suppose use need seem tend have want know ask tell remind teach".split())
"""Verbs after which ``to`` and a verb say no purpose."""


def about_tail(clause: Clause) -> Iterator[list[str]]:
    """What a subordinate clause answers."""
    tail = clause.tail
    if tail is None or (clause.subject == ("I",) and not clause.object and not clause.chunks):
        return
    words = [word for chunk in clause.chunks for word in chunk.all]
    asked = inverted(clause, [*clause.object, *words])
    timed = any(told(chunk) for chunk in clause.chunks) or any(isinstance(front, Tail) for front in clause.front)
    if tail.word in {"because", "since", "so that", "as"} and not (tail.word == "since" and timed):
        yield ["Why", *asked]
    elif tail.word in {
        "when",
        "if",
        "whenever",
        "as soon as",
        "once",
        "after",
        "before",
        "only if",
        "only when",
        "provided that",
        "as long as",
    }:
        if not timed:
            yield ["When", *asked]
    elif tail.word in {"until", "till"} and not clause.group.negative:
        yield ["Until when", *asked]
    event = clause.group.base not in {"", "have", "mean", "count"}
    if (
        tail.word in {"when", "if", "whenever", "as soon as", "once"}
        and event
        and not timed
        and _stands_alone(tail.words)
    ):
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
        yield from _values(clause, at, chunk)
        yield from _places(clause, at, chunk)


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


def _values(clause: Clause, at: int, chunk: Chunk) -> Iterator[list[str]]:
    """``on port 7413``, ``on two hosts``, ``with a damp cloth``."""
    base, prep = clause.group.base, chunk.prep
    if " " in prep or not prep or (prep == "to" and verbs.is_base(chunk.words[0])):
        return
    asked = inverted(clause, kept(clause, at))
    person = (
        phrases.can_act(chunk.words, clause.people) if prep == "to" else phrases.is_person(chunk.words, clause.people)
    )
    apart = any(other.prep and not told(other) for other in clause.chunks[:at])
    if apart:
        return
    if (found := phrases.named(chunk.words)) and not person and prep not in {"as", "like", "without"}:
        yield ["Which", *found.noun, *asked, prep]
    elif prep in {"at", "between", "below", "above"} and {"degrees", "°C"} & set(chunk.words):
        yield ["At what temperature", *asked]
    elif base in _REACHING and _ADDRESS.fullmatch(chunk.words[-1]):
        yield ["How", *asked]
    elif (
        (count := phrases.amount(chunk.words))
        and not phrases.amount(clause.object)
        and prep in {"in", "on", "at", "to"}
    ):
        yield ["How many", *count.noun, *asked, prep]
    elif prep == "for" and phrases.is_money(chunk.words):
        yield ["For how much", *asked]
    elif (base, prep) in _LEANING and (not clause.object or prep == "for") and not person:
        yield ["What", *asked, prep]
    elif prep == "with" and base in _TOOLED and "of" not in clause.object and at == 0:
        yield ["What", *asked, prep] if not person and (clause.group.passive or clause.object) else []
    elif person and prep in {"to", "from", "with", "for"} and (prep != "for" or base in {"reserve", "keep", "be"}):
        yield ["Who", *asked, prep]


def _places(clause: Clause, at: int, chunk: Chunk) -> Iterator[list[str]]:
    group = clause.group
    asked = inverted(clause, kept(clause, 0))
    happens = group.base == "take" and "place" in group.rest
    bare = happens and chunk.prep == "in" and len(chunk.words) == 1
    somewhere = group.base in _BEING_SOMEWHERE and (group.base != "take" or happens)
    sure = phrases.is_sure_place(chunk) and chunk.prep not in {"by", "at"} and group.base not in {"", "?"}
    before = [other for other in clause.chunks[:at] if not told(other)]
    one = not any(phrases.is_place(other) or other.prep in _APART for other in before)
    permitted = group.passive and group.base in {"allow", "permit", "forbid"}
    if permitted and phrases.is_sure_place(chunk._replace(prep="in")) and not group.negative:
        yield ["Where", *asked]
        return
    spot = (
        chunk.prep in _SPOTS
        and chunk.words[0].lower() in DETERMINERS
        and not told(chunk)
        and group.base not in {"", "?"}
    )
    if (bare or spot or (phrases.is_place(chunk) and (somewhere or sure))) and one and not clause.group.negative:
        yield ["Where", *asked]
    elif chunk.prep in {"to", "into", "onto"} and group.base in _GOING and not verbs.is_base(chunk.words[0]):
        known = (
            chunk.words[0].lower() in DETERMINERS or chunk.words[0][:1].isupper() or head(chunk.words) in nouns.PLACES
        )
        yield (
            ["Where", *asked]
            if not phrases.can_act(chunk.words, clause.people) and (known or chunk.words[0][0] in "#`")
            else []
        )
    elif (
        chunk.prep == "from"
        and group.base in _COMING
        and (chunk.words[0].lower() in DETERMINERS or chunk.words[0][0].isupper())
    ):
        yield ["Where", *asked, "from"] if not phrases.is_person(chunk.words, clause.people) else []
