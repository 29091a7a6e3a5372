"""Where, which, who to, what with: questions about a preposition with its noun."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from . import nouns, phrases, verbs
from .order import inverted, kept, told
from .words import DETERMINERS, head

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
_SPOTS = frozenset({"behind", "beside", "underneath", "near", "opposite", "next to", "in front of", "on top of"})
_SPOTS |= {"above", "inside"}
"""Prepositions that hardly ever say anything but a place."""
_REACHING = frozenset("reach contact call find get".split())
_ADDRESS = re.compile(r"\S+@\S+|https?:\S+|[\d-]{3,}|[\w-]+(?:\.[\w-]+)+")


def about(clause: Clause, at: int) -> Iterator[list[str]]:
    """Questions about the phrase at ``at``."""
    chunk = clause.chunks[at]
    apart = any(other.prep and not told(other) for other in clause.chunks[:at])
    plain = chunk.prep and " " not in chunk.prep and not (chunk.prep == "to" and verbs.is_base(chunk.words[0]))
    if plain and not apart:
        yield from _values(clause, at, chunk)
    yield from _places(clause, at, chunk)


def _values(clause: Clause, at: int, chunk: Chunk) -> Iterator[list[str]]:
    """``on port 7413``, ``on two hosts``, ``with a damp cloth``."""
    prep, asked = chunk.prep, inverted(clause, kept(clause, at))
    acts = phrases.can_act if prep == "to" else phrases.is_person
    person = acts(chunk.words, clause.people)
    counted = phrases.amount(chunk.words) if prep in {"in", "on", "at", "to"} else None
    if (found := phrases.named(chunk.words)) and not person and prep not in {"as", "like", "without"}:
        yield ["Which", *found.noun, *asked, prep]
    elif prep in {"at", "between", "below", "above"} and {"degrees", "°C"} & set(chunk.words):
        yield ["At what temperature", *asked]
    elif clause.group.base in _REACHING and _ADDRESS.fullmatch(chunk.words[-1]):
        yield ["How", *asked]
    elif counted and not phrases.amount(clause.object):
        yield ["How many", *counted.noun, *asked, prep]
    elif prep == "for" and phrases.is_money(chunk.words):
        yield ["For how much", *asked]
    elif _taken(clause, at, prep):
        yield [] if person else ["What", *asked, prep]
    elif person and (prep in {"to", "from", "with"} or (prep == "for" and clause.group.base in {"reserve", "keep"})):
        yield ["Who", *asked, prep]


def _taken(clause: Clause, at: int, prep: str) -> bool:
    """Whether the verb takes the preposition with its noun: ``depends on``, ``is cleaned with``."""
    base = clause.group.base
    if (base, prep) in _LEANING and (not clause.object or prep == "for"):
        return True
    tooled = prep == "with" and base in _TOOLED and "of" not in clause.object and at == 0
    return tooled and bool(clause.group.passive or clause.object)


def _places(clause: Clause, at: int, chunk: Chunk) -> Iterator[list[str]]:
    base, asked = clause.group.base, inverted(clause, kept(clause, 0))
    person = phrases.can_act(chunk.words, clause.people)
    first = chunk.words[0]
    definite = first.lower() in DETERMINERS or first[0].isupper() or first[0] in "#`"
    if _is_where(clause, at, chunk):
        yield ["Where", *asked] if not clause.group.negative else []
    elif chunk.prep in {"to", "into", "onto"} and base in _GOING and not verbs.is_base(first) and not person:
        yield ["Where", *asked] if definite or head(chunk.words) in nouns.PLACES else []
    elif chunk.prep == "from" and base in _COMING and definite and not person:
        yield ["Where", *asked, "from"]


def _is_where(clause: Clause, at: int, chunk: Chunk) -> bool:
    """Whether the phrase says where it is that something is or happens."""
    group = clause.group
    if (
        group.passive
        and group.base in {"allow", "permit", "forbid"}
        and phrases.is_sure_place(chunk._replace(prep="in"))
    ):
        return True
    before = [other for other in clause.chunks[:at] if not told(other)]
    if group.base in {"", "?"} or any(phrases.is_place(other) or other.prep in _APART for other in before):
        return False
    if group.base == "take" and "place" in group.rest:
        return phrases.is_place(chunk) or (chunk.prep == "in" and len(chunk.words) == 1)
    spot = chunk.prep in _SPOTS and chunk.words[0].lower() in DETERMINERS and not told(chunk)
    sure = phrases.is_sure_place(chunk) and chunk.prep not in {"by", "at"}
    somewhere = group.base in _BEING_SOMEWHERE and group.base != "take"
    return spot or (phrases.is_place(chunk) and (somewhere or sure))
