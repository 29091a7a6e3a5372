"""The forms of English verbs: from a base to its forms, and from a form to what it can be."""

from __future__ import annotations

import re
from typing import NamedTuple

from .verb_list import DOUBLING, IRREGULAR, REGULAR

BE = frozenset({"is", "are", "was", "were", "am"})
HAVE = frozenset({"has", "have", "had"})
DO = frozenset({"do", "does", "did"})
MODALS = frozenset({"can", "could", "should", "would", "will", "must", "may", "might", "shall", "cannot"})
AUXILIARIES = BE | HAVE | MODALS
_FORMS = {"be": "is", "have": "has", "do": "does", "go": "goes"}
_NEVER_FINITE = frozenset("called named titled known given based located".split())
_SHORT = re.compile(r"[^aeiou]*[aeiou][^aeiouwxy]")
_DOUBLES = frozenset(DOUBLING.split())
_AMERICAN = frozenset("cancel channel counsel dial fuel label level model signal total travel tunnel".split())
"""Bases of which Americans double no letter."""


class Form(NamedTuple):
    base: str
    tense: str
    """``third`` (keeps), ``base`` (keep), ``past`` (kept)."""


def third(base: str) -> str:
    """``carry`` to ``carries``."""
    if base in _FORMS:
        return _FORMS[base]
    if base.endswith("y") and base[-2] not in "aeiou":
        return f"{base[:-1]}ies"
    return base + ("es" if base.endswith(("s", "x", "z", "ch", "sh", "o")) else "s")


def past(base: str) -> str:
    """``carry`` to ``carried``."""
    return _PAST.get(base) or _regular_past(base)


def participle(base: str) -> str:
    """``write`` to ``written``; a verb outside the list is taken to be regular."""
    return _PARTICIPLE_OF.get(base) or _regular_past(base)


def gerund(base: str) -> str:
    """``keep`` to ``keeping``."""
    return _gerund(base)


def participle_base(word: str) -> str:
    """``keep`` for ``kept``; empty when ``word`` is no participle of the list."""
    return _PARTICIPLES.get(word.lower(), "")


def gerund_base(word: str) -> str:
    """``keep`` for ``keeping``; empty when ``word`` is no such form."""
    return _GERUNDS.get(word.lower(), "")


def is_base(word: str) -> bool:
    return word in _PAST


def finite(word: str) -> list[Form]:
    """What ``word`` can be as the only verb of a sentence."""
    low = word.lower()
    found = [Form(low, "base")] if low in _PAST and low not in AUXILIARIES else []
    if low in _THIRD:
        found.append(Form(_THIRD[low], "third"))
    if low in _PAST_OF and low not in _NEVER_FINITE:
        found.append(Form(_PAST_OF[low], "past"))
    return found


def _doubles(base: str) -> bool:
    return base in _DOUBLES or bool(_SHORT.fullmatch(base))


def _regular_past(base: str) -> str:
    if base.endswith("e"):
        return f"{base}d"
    if base.endswith("y") and base[-2] not in "aeiou":
        return f"{base[:-1]}ied"
    return f"{base}{base[-1]}ed" if _doubles(base) else f"{base}ed"


def _gerund(base: str) -> str:
    if base.endswith("ie"):
        return f"{base[:-2]}ying"
    if base.endswith("e") and not base.endswith(("ee", "oe", "ye")) and base != "be":
        return f"{base[:-1]}ing"
    return f"{base}{base[-1] if _doubles(base) else ''}ing"


_PAST: dict[str, str] = {}
_PARTICIPLES: dict[str, str] = {}
for _base in REGULAR.split():
    for _spelt in (_base, f"{_base[:-3]}ize") if _base.endswith("ise") else (_base,):
        _PAST[_spelt] = _regular_past(_spelt)
        _PARTICIPLES[_PAST[_spelt]] = _spelt
_PARTICIPLES |= {f"{base}ed": base for base in _AMERICAN}
for _entry in IRREGULAR.split():
    _base, _past, _participle = _entry.split("/")
    _PAST[_base] = _past
    _PARTICIPLES[_participle] = _base
_PARTICIPLE_OF = {_base: _form for _form, _base in reversed(_PARTICIPLES.items())}
_PARTICIPLES |= {
    word: base
    for base, words in {
        "burn": "burned", "light": "lighted", "sew": "sewed", "bear": "born", "learn": "learnt", "dwell": "dwelled",
        "lean": "leaned", "leap": "leaped", "spell": "spelled", "spill": "spilled", "spoil": "spoiled", "mow": "mowed",
        "get": "gotten", "swell": "swelled", "dream": "dreamt", "smell": "smelt",
    }.items()
    for word in words.split()
}  # fmt: skip
_THIRD = {third(base): base for base in _PAST if base not in {"be", "have"}}
_GERUNDS = {_gerund(base): base for base in _PAST} | {f"{base}ing": base for base in _AMERICAN}
_PAST_OF = {form: base for base, form in _PAST.items() if base not in {"be", "have"} and form != base}
_PAST_OF |= {form: base for form, base in _PARTICIPLES.items() if form.endswith("ed")}
