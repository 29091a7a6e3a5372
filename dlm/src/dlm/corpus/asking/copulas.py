"""Questions about a sentence that says what, when or where something is: ``The lead of Kittiwake is Ann Roe``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from . import phrases
from .tokens import head, is_plural

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .clauses import Clause

_SUPERLATIVES = frozenset("most only first last best largest smallest main usual".split())
_MEASURES = frozenset("high tall long wide deep old thick heavy".split())
_STATES = frozenset("open closed shut available free full".split())
_VALUE = re.compile(r"[`\"“#@\d€$£]|https?:|[\w.+-]+@[\w-]+\.")
_RELATIVE = frozenset("that which who whose whom where what".split())


def about(clause: Clause) -> Iterator[list[str]]:
    subject, said = clause.subject, clause.object
    if clause.rest:
        return
    asked = [clause.helper, *subject]
    if not said:
        yield from _whereabouts(clause)
    elif len(said) == 1 and said[0] in _STATES:
        if clause.chunks and phrases.is_time(clause.chunks[0]):
            yield ["When", *asked, *said]
    elif len(said) > 1 and said[-1] in _MEASURES and phrases.amount(said[:-1]):
        yield ["How", said[-1], *asked]
    elif clause.helper in {"is", "was"} and (who := _who(subject, said, clause.helper)):
        best = said[1:2] and said[1] in _SUPERLATIVES
        for other in (subject, *_possessive(subject)) if not best else ():
            yield [who, clause.helper, *other]
        common = said[0] == "the" and len(said) > 2 and said[1].islower()
        if common and (best or subject[0] != "a") and clause.cut not in _RELATIVE:
            yield [who, clause.helper, *said, *(w for c in clause.chunks for w in c.all)]
        elif who == "Who" and phrases.is_role(said) and any(word.endswith("'s") for word in said):
            yield [who, clause.helper, *said]


def _whereabouts(clause: Clause) -> Iterator[list[str]]:
    chunk = next(iter(clause.chunks), None)
    if chunk is None:
        return
    asked = [clause.helper, *clause.subject]
    if phrases.is_time(chunk) and chunk.prep in {"at", "on", "in", "from", "between"}:
        yield ["When", *asked]
        if clock := next((c for c in clause.chunks if phrases.has_clock(c) and c.prep == "at"), None):
            yield ["At what time", *asked] if clock else []
    elif phrases.is_place(chunk):
        yield ["Where", *asked]
    for later in clause.chunks[1:]:
        if phrases.is_place(later) and phrases.named(later.words):
            yield ["Where", *asked]


def _who(subject: tuple[str, ...], said: tuple[str, ...], helper: str) -> str:
    """``Who`` or ``What``; empty when the sentence says no more than a quality."""
    if any(is_plural(word) and word.islower() for word in said[:1]) or subject[0] in {"each", "every"}:
        return ""
    role = phrases.is_role(subject) or phrases.is_role(said)
    owned = any(word.endswith(("'s", "s'")) for word in said[:2])
    if role and (phrases.is_person(said) or owned or said[0][0].isupper() or said[0] in {"the", "a", "an"}):
        return "Who" if head(subject).lower() not in {"team", "crew", "staff", "committee"} or owned else ""
    if role or phrases.is_person(said) or phrases.is_person(subject):
        return ""
    if said[0] in {"a", "an"} and helper == "was":
        return ""
    value = bool(_VALUE.match(said[0])) or said[0][0].isupper() or said[0] in {"the", "a", "an"}
    most = len(said) > 1 and said[1] in {"same", "one", "case", "bit", "little", "lot"}
    return "What" if value and not most and (len(said) > 1 or said[0] not in {"the", "a", "an"}) else ""


def _possessive(subject: tuple[str, ...]) -> Iterator[list[str]]:
    """``the lead of X`` as ``X's lead``, and the other way round."""
    words = list(subject)
    if words[0] == "the" and words.count("of") == 1:
        at = words.index("of")
        noun, owner = words[1:at], words[at + 1 :]
        short = len(owner) <= 3 and owner[-1][-1].isalnum() and (owner[0][0].isupper() or owner[0] == "the")
        if noun and short and not any(phrases.PREPOSITIONAL & {word} for word in owner):
            yield [*owner[:-1], f"{owner[-1]}'" if is_plural(owner[-1]) else f"{owner[-1]}'s", *noun]
    elif (at := next((at for at, word in enumerate(words) if word.endswith("'s")), -1)) >= 0 and at + 1 < len(words):
        yield ["the", *words[at + 1 :], "of", *words[:at], words[at][:-2]]
