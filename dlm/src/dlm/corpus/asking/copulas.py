"""Questions about a sentence that says what, when or where something is: ``The lead of Kittiwake is Ann Roe``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from . import nouns, phrases
from .order import inverted, third_person
from .words import head, is_plural

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .parts import Clause

_SUPERLATIVES = frozenset("most only first last best largest smallest main usual oldest newest next".split())
_VALUE = re.compile(r"[`\"“#@\d€$£]|https?:|[\w.+-]+@[\w-]+\.")
_ADJECTIVES = frozenset(
    "open closed shut available free full empty responsible allergic valid due ready busy quiet dry wet clean "
    "compulsory optional necessary possible forbidden welcome allowed suitable safe dangerous warm cold hot late "
    "early liable eligible exempt similar close entitled able unable sure aware capable good bad best worst".split()
)
_PLACED = frozenset("welcome allowed forbidden available free safe valid compulsory".split())
_GROUPS = frozenset("team crew committee board group band duo trio quartet council".split())
_SAYING_NOTHING = frozenset({"same", "one", "case", "bit", "little", "lot", "few", "matter", "point"})


def about(clause: Clause) -> Iterator[list[str]]:
    subject, said, group = clause.subject, clause.object, clause.group
    if group.negative or subject == ("I",):
        return
    if subject[0].lower() == "no":
        return
    if not said:
        yield from _listed(clause) if clause.listed else _whereabouts(clause)
    elif phrases.is_duration(said) and not group.rest:
        yield ["How long", *inverted(clause)]
    elif phrases.is_money(said):
        yield ["How much", *inverted(clause)]
        yield ["What", *inverted(clause)]
    elif len(said) > 1 and said[-1] in nouns.MEASURES and phrases.amount(said[:-1]):
        yield ["How", said[-1], *inverted(clause)]
    elif said[-1] in nouns.COLOURS and len(said) <= 3 and said[0] not in {"a", "an", "the"}:
        yield ["What colour", *inverted(clause)]
    elif said[0].lower() in _ADJECTIVES or (len(said) == 1 and _is_adjective(said[0])):
        yield from _quality(clause)
    elif not group.rest:
        yield from _identity(clause)
    elif phrases.amount(said) or said[0] in {"a", "an", "the"}:
        yield ["What", *inverted(clause)]


def _listed(clause: Clause) -> Iterator[list[str]]:
    if not clause.chunks:
        yield ["What", *inverted(clause)]


def _is_adjective(word: str) -> bool:
    return (
        word.islower() and word.isalpha() and word.endswith(("able", "ible", "ful", "less", "ous", "ive", "ant", "ent"))
    )


def _quality(clause: Clause) -> Iterator[list[str]]:
    """``The museum is closed on Mondays`` and ``Ana Ruiz is responsible for the till``."""
    said = list(clause.object)
    chunk = next(iter(clause.chunks), None)
    if chunk is None:
        return
    if chunk.prep in {"until", "since", "from"} and "to" not in chunk.words:
        yield [f"{chunk.prep.capitalize()} when", *inverted(clause, said)]
    elif phrases.is_time(chunk) or phrases.is_frequency(chunk) or chunk.prep == "within":
        yield ["When", *inverted(clause, said)]
    elif phrases.is_place(chunk) and said[0] in _PLACED:
        yield ["Where", *inverted(clause, said)]
    elif phrases.is_duration(chunk.words) and chunk.prep == "for":
        yield ["How long", *inverted(clause, said)]
    elif chunk.prep in {"for", "to", "of", "from", "with", "in"} and len(said) == 1 and not phrases.is_place(chunk):
        person = phrases.is_person(chunk.words, clause.people)
        if chunk.words[0].isalpha() and chunk.prep in {"for", "to"}:
            yield ["Who" if person else "What", *inverted(clause, said), chunk.prep]
        if phrases.can_act(clause.subject, clause.people):
            yield ["Who", *third_person(clause), *said, *chunk.all]


def _identity(clause: Clause) -> Iterator[list[str]]:
    subject, said, helper = clause.subject, clause.object, clause.group.helper
    if (
        head(subject).lower() in _GROUPS
        and {"and", ","} & set(said)
        and phrases.is_name(said[: said.index("and")][-2:])
    ):
        yield ["Who is in", *subject]
        return
    who = _who(subject, said, helper)
    if not who:
        return
    best = said[1:2] and said[1] in _SUPERLATIVES
    for other in (subject, *_possessive(subject)) if not best else ():
        yield [who, helper, *other]
    common = said[0] == "the" and len(said) > 2 and said[1].islower()
    chunks = [word for chunk in clause.chunks for word in chunk.all]
    if common and (best or subject[0] != "a") and not clause.cut and not clause.listed:
        yield [who, helper, *said, *chunks]
    elif who == "Who" and phrases.is_role(said) and any(word.endswith("'s") for word in said):
        yield [who, helper, *said]


def _whereabouts(clause: Clause) -> Iterator[list[str]]:
    chunk = next(iter(clause.chunks), None)
    if chunk is None:
        return
    asked = inverted(clause)
    if phrases.is_time(chunk) and chunk.prep in {"at", "on", "in", "from", "between", "after", "before", ""}:
        yield ["When", *asked]
        if any(phrases.has_clock(c) and c.prep == "at" for c in clause.chunks):
            yield ["At what time", *asked]
    elif (
        (found := phrases.named(chunk.words)) and chunk.prep in {"on", "in", "at"} and not phrases.is_sure_place(chunk)
    ):
        yield ["Which", *found.noun, *asked, chunk.prep]
    elif phrases.is_place(chunk):
        yield ["Where", *asked]
    elif chunk.prep == "for" and not phrases.is_duration(chunk.words):
        yield ["Who" if phrases.is_person(chunk.words, clause.people) else "What", *asked, "for"]
    elif chunk.prep == "with" and phrases.is_person(chunk.words, clause.people):
        yield ["Where", *asked]
        yield ["Who has", *clause.subject]
    for later in clause.chunks[1:]:
        if phrases.is_place(later) and phrases.named(later.words):
            yield ["Where", *asked]


def _who(subject: tuple[str, ...], said: tuple[str, ...], helper: str) -> str:
    """``Who`` or ``What``; empty when the sentence says no more than a quality."""
    if subject[0] in {"each", "every", "this", "that", "these", "those", "any", "some", "another", "all"}:
        return ""
    role = phrases.is_role(subject) or phrases.is_role(said)
    owned = any(word.endswith(("'s", "s'")) for word in said[:2])
    bare = len(said) == 1 and phrases.is_role(said)
    if role and (bare or phrases.is_person(said) or owned or said[0][0].isupper() or said[0] in {"the", "a", "an"}):
        return "Who" if head(subject).lower() not in {"team", "crew", "staff", "committee"} or owned else ""
    if role or phrases.is_person(said) or phrases.is_person(subject):
        return ""
    if said[0] in {"a", "an"} and helper == "was":
        return ""
    value = bool(_VALUE.match(said[0])) or said[0][0].isupper() or said[0] in {"the", "a", "an"}
    value = value or phrases.amount(said) is not None or (is_plural(head(said)) and is_plural(head(subject)))
    most = len(said) > 1 and said[1] in _SAYING_NOTHING
    return "What" if value and not most and (len(said) > 1 or said[0] not in {"the", "a", "an"}) else ""


def _possessive(subject: tuple[str, ...]) -> Iterator[list[str]]:
    """``the lead of X`` as ``X's lead``, and the other way round."""
    words = list(subject)
    if words[0] == "the" and words.count("of") == 1:
        at = words.index("of")
        noun, owner = words[1:at], words[at + 1 :]
        short = len(owner) <= 3 and owner[-1][-1].isalnum() and (owner[0][0].isupper() or owner[0] == "the")
        if noun and short and not phrases.prepositional(owner):
            yield [*owner[:-1], f"{owner[-1]}'" if is_plural(owner[-1]) else f"{owner[-1]}'s", *noun]
    elif (at := next((at for at, word in enumerate(words) if word.endswith("'s")), -1)) >= 0 and at + 1 < len(words):
        yield ["the", *words[at + 1 :], "of", *words[:at], words[at][:-2]]
