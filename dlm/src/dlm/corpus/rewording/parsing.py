"""A question to its parts. Where subject and verb cannot be told apart, nothing is found: a wrong wording teaches worse
than none.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ..asking import verbs
from . import predicates, subjects, tokens
from .clause import Attribute, Clause, joined, plural

WH = frozenset("who whom whose what which when where why how".split())
_NEED_NOUN = frozenset("which whose how many much two three other plain own".split())
_ASKING = re.compile(
    r"(?:(?:please|and|so|but|then|now|hi|hello|ok)[,:]? )*"
    r"(?:(?:can|could|would|will) you (?:please )?(?:tell|show|give) me|(?:tell|show|give|remind) me|name|state|"
    r"explain|"
    r"(?:i )?(?:would|'d) like to know|i (?:want|need|have) to know|do you (?:happen to )?know|i wonder|find out|say) ",
    re.I,
)
_SENTENCE = re.compile(r"[.!?:] (?=[A-Z`\"])")
_CONDITION = re.compile(
    r"(?:if|when|once|after|before|while|during|for|in) [^,?]+, (?=(?:who|wh[aeioy]|how|can|do|is|are)\w* )", re.I
)
_TYPED = re.compile(r"((?:[A-Z][\w-]+ )*[A-Z][\w-]+) ([a-z]{3,}(?: [a-z]{3,}){0,2})")
_LEAD = re.compile(r"\A(?:(?:please|and|so|but|then|ok|well|exactly)[,:]? )+(?=\w)", re.I)
_OF = re.compile(r"(the|a|an) ([\w' -]+?) (of|for) (.+)", re.I)
_GENITIVE = re.compile(r"(.+?)(?:'s|(?<=s)') ([\w -]+)")


class Asked(NamedTuple):
    """One question, after what was said before it."""

    before: str
    """Sentences in front, with the space behind them."""
    clause: Clause


def parse(question: str, answer: str) -> Asked | None:
    """``question`` in its parts, ``None`` where they cannot be told apart."""
    text = " ".join(question.split())
    cut = max((found.end() for found in _SENTENCE.finditer(text)), default=0)
    cut = cut or (found.end() if (found := _CONDITION.match(text)) else 0)
    before, asked = text[:cut], _LEAD.sub("", text[cut:].rstrip("?. "), count=1)
    if "?" in before:
        return None
    clause = _order(asked, answer) or _question(tokens.split(asked), answer) or _typed(asked)
    return Asked(before, clause) if clause and _sound(clause) else None


def attribute(clause: Clause) -> Attribute | None:
    """What is asked for when it has a name of its own: ``owner`` of ``Kittiwake``."""
    if clause.rest or not clause.copular or not clause.subject or clause.wh not in {"what", "who", "which"}:
        return None
    if found := _OF.fullmatch(clause.subject):
        return Attribute(found[2], found[4], found[3], found[1].lower()) if len(found[2].split()) <= 4 else None
    if found := _GENITIVE.fullmatch(clause.subject):
        return Attribute(found[2], found[1]) if len(found[2].split()) <= 4 else None
    return None


def _order(asked: str, answer: str) -> Clause | None:
    """``Tell me which team owns Kittiwake``, ``Name the owner of Kittiwake``."""
    found = _ASKING.match(asked)
    if not found:
        return None
    words = tokens.split(asked[found.end() :])
    if words and words[0].lower() in {"the", "all"} and not {"that", "which", "who", ","} & {*words}:
        return Clause("what", " ".join(words), "are" if plural(" ".join(words)) else "is")
    return _statement(words, answer)


def _typed(asked: str) -> Clause | None:
    """``Kittiwake port number``, as typed into a search box."""
    found = _TYPED.fullmatch(asked)
    if not found or any(verbs.finite(word) for word in found[2].split()[:1]):
        return None
    return Clause("what", f"the {found[2]} of {found[1]}", "are" if plural(found[2]) else "is")


def _statement(words: list[str], answer: str) -> Clause | None:
    """An indirect question: the wh-phrase, then the order of a statement."""
    start = 1 if words and words[0].lower() in tokens.PREPOSITIONS and len(words) > 1 else 0
    if len(words) < start + 2 or words[start].lower() not in WH:
        return None
    return _about_subject(words, start, answer)


def _question(words: list[str], answer: str) -> Clause | None:
    if len(words) < 2 or len(words) > 40:
        return None
    first = words[0].lower()
    if first in subjects.HELPERS - {"have", "had"}:
        return predicates.after_helper("", "", first, words[1:], answer)
    start = 1 if first in tokens.PREPOSITIONS and words[1].lower() in WH else 0
    if words[start].lower() not in WH or len(words) < start + 2:
        return None
    at = next((n for n in range(start + 1, min(len(words), start + 8)) if words[n].lower() in subjects.HELPERS), None)
    if at is None or (at == start + 1 and words[start].lower() in {"which", "whose"} and at + 1 == len(words)):
        return _about_subject(words, start, answer)
    early = _about_subject(words[: at + 1], start, answer) if at > start + 2 else None
    if early and early.verb and early.rest:
        return _about_subject(words, start, answer)
    prep, wh = " ".join(words[:start]).lower(), _wh(words[start:at])
    return predicates.after_helper(prep, wh, words[at].lower(), words[at + 1 :], answer)


def _wh(words: list[str]) -> str:
    return " ".join([words[0].lower(), *words[1:]])


def _about_subject(words: list[str], start: int, answer: str) -> Clause | None:
    """``Who owns Kittiwake``, ``Which part of the cell carries out photosynthesis``: the verb follows the wh-phrase."""
    if start or words[0].lower() not in {"who", "what", "which", "whose", "how"}:
        return None
    for at in range(1, min(len(words), 8)):
        word = words[at]
        if word.lower() in subjects.HELPERS and at > 0:
            return predicates.after_helper("", _wh(words[:at]), word.lower(), words[at + 1 :], answer, subject=True)
        if words[at - 1].lower() in _NEED_NOUN:
            continue
        if (form := subjects.finite(word, words[at - 1])) and len(words) > at:
            helper = {"third": "does", "past": "did", "base": "do"}[form.tense]
            return Clause(_wh(words[:at]), "", helper, form.base, rest=" ".join(words[at + 1 :]))
    return None


def _sound(clause: Clause) -> bool:
    words = joined(clause.wh, clause.subject, clause.rest).split()
    return bool(clause.wh or clause.subject) and len(words) <= 40
