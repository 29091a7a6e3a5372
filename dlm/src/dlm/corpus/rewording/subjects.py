"""Where the subject of a question ends and its verb begins. The answer helps: it mostly says the verb again."""

from __future__ import annotations

import re

from ..asking import verbs
from . import tokens
from .clause import BE, DO, MODALS

PRONOUNS = frozenset("i we you he she it they there somebody someone anybody everybody".split())
_DEMONSTRATIVES = frozenset("one this that these those".split())
_DEEMED = frozenset("considered deemed found kept left declared regarded called".split())
HELPERS = BE | DO | MODALS | verbs.HAVE
ASIDE = frozenset("not usually normally always ever also still first now really actually currently".split())
_TAKING = frozenset("need want get have take require offer use provide give cause like know make let help".split())
_ADJECTIVES = frozenset(
    "able absent accountable afraid allergic available aware awake big busy called capable careful cheap clean closed "
    "cold compatible correct due different difficult dirty down easy eligible empty enough equal essential expensive "
    "false familiar far fast free full good guilty happy hard heavy high hot important included interested large late "
    "legal liable like likely local long loud low mandatory missing near necessary new normal obligatory off old on "
    "online offline open optional out over possible present public ready red related relevant responsible rich "
    "right safe same shut sick similar small special strong sufficient suitable sure tall true unable up useful valid "
    "visible warm weak wet wide worth wrong young".split()
)
NO_VERB_BEFORE = tokens.DETERMINERS | tokens.PREPOSITIONS | {"of", "to", "and", "or", "very", "most", "new", "old"}


def size(tail: list[str], helper: str, answer: str) -> int | None:
    """How many words of ``tail`` come before its verb."""
    if is_pronoun(tail):
        return 1
    said = _plain(answer)
    fits = [at for at in range(1, len(tail)) if _may_be_verb(tail, at, helper)]
    told = [at for at in fits if any(_same_verb(tail[at], word, helper) for word in said)]
    at = _of_several(tail, told or fits)
    while at and at > 1 and tail[at - 1].lower() in ASIDE:
        at -= 1
    return at


def size_before_be(tail: list[str], helper: str, answer: str) -> int:
    if is_pronoun(tail) or (len(tail) > 1 and tail[0] == "`"):
        return 1
    said, lowered = _plain(answer), [_bare(word) for word in tail]
    for size in range(len(tail) - 1, 0, -1):
        if said[:size] == lowered[:size] and said[size : size + 1] == [helper] and lowered[size] in said[size:]:
            return size
    for at in range(1, len(tail)):
        low, before = tail[at].lower(), tail[at - 1].lower()
        if before in NO_VERB_BEFORE or not tail[at].islower():
            continue
        participle = (_participle(low) or low in _DEEMED) and not _reduced(low, tail[at + 1 :], tail[:at])
        described = low in _ADJECTIVES - tokens.PREPOSITIONS - {"new", "old", "same", "right"}
        working = verbs.gerund_base(low) and (said[at:].count(low) and said[said.index(low) - 1] in BE)
        if participle or described or working or low in ASIDE - {"first"}:
            return at
    last = tail[-1].lower()
    return len(tail) - 1 if len(tail) > 1 and last in tokens.PREPOSITIONS and tail[-2].lower() != last else len(tail)


def two_nouns(tail: list[str]) -> int:
    """Where the second noun phrase of ``a list a bad argument`` starts, or a place: ``the pattern in quotes``."""
    for at in range(1, len(tail)):
        before = tail[at - 1].lower()
        if tail[at].lower() in tokens.DETERMINERS and before not in NO_VERB_BEFORE | tokens.DETERMINERS:
            return at
    return next((at for at in range(1, len(tail)) if tail[at].lower() in {"in", "on", "at", "under"}), len(tail))


def finite(word: str, before: str) -> verbs.Form | None:
    """``word`` as the verb of ``before``, which must agree with it."""
    if not word.islower() or before.lower() in NO_VERB_BEFORE:
        return None
    forms = [form for form in verbs.finite(word) if form.tense != "base" or tokens.is_plural(before)]
    if not forms and before.lower() in {"who", "what"} and re.fullmatch(r"[a-z]{2,}[^s]s", word):
        return verbs.Form(word[:-3] + "y" if word.endswith("ies") else word[:-1], "third")
    return forms[0] if forms else None


def is_pronoun(tail: list[str]) -> bool:
    low = tail[0].lower()
    return low in PRONOUNS or (low in _DEMONSTRATIVES and len(tail) > 1 and is_verb(tail[1], "do"))


def is_verb(word: str, helper: str) -> bool:
    low = word.lower()
    if helper in verbs.HAVE:
        return bool(verbs.participle_base(low)) or low == "been"
    return word.islower() and (verbs.is_base(low) or low in {"be", "have", "do"})


def _participle(word: str) -> bool:
    return bool(verbs.participle_base(word) or (word.startswith("re") and verbs.participle_base(word[2:])))


def _reduced(word: str, after: list[str], before: list[str]) -> bool:
    """``the database named saltmarsh``: a participle that only describes its noun."""
    if word in _DEEMED and after and after[0].islower():
        return False
    described = {other for other in after if other.islower()}
    return len(before) > 1 and any(verbs.participle_base(other) or other in _ADJECTIVES for other in described)


def _of_several(tail: list[str], fits: list[int]) -> int | None:
    """The verb among words that could be one: in a run of them the last, unless the first takes a noun."""
    if not fits:
        return None
    if bound := [at for at in fits if tail[at] in {"have", "need", "want"} and tail[at + 1 : at + 2] == ["to"]]:
        return bound[0]
    at = fits[0]
    while at + 1 in fits and tail[at] not in _TAKING and tail[at - 1].islower() and not tokens.is_plural(tail[at - 1]):
        at += 1
    doubtful = verbs.is_base(tail[at - 1].lower()) and at > 1 and any(other > at + 1 for other in fits)
    return None if doubtful else at


def _may_be_verb(tail: list[str], at: int, helper: str) -> bool:
    if tail[at - 1].lower() in NO_VERB_BEFORE:
        return False
    return is_verb(tail[at], helper) or (tail[at] == "be" and helper in MODALS)


def _same_verb(word: str, other: str, helper: str) -> bool:
    """Whether the answer's ``other`` is the verb ``word``; after *does* the same word is more likely a noun."""
    same = helper != "does" and other == word
    return same or any(form.base == word for form in verbs.finite(other) if form.tense != "base")


def _plain(text: str) -> list[str]:
    return [_bare(word) for word in text.split()]


def _bare(word: str) -> str:
    return word.strip(".,;:!?\"'()`").casefold()


def describes(word: str) -> bool:
    low = word.lower()
    if not word[:1].islower():
        return False
    return bool(verbs.participle_base(low) or low in _ADJECTIVES or low in tokens.PREPOSITIONS)
