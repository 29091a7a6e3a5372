"""The words of an English sentence, each with every class it may belong to."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from . import verbs

if TYPE_CHECKING:
    from collections.abc import Iterable

DET, PREP, AUX, THIRD, BASE, PAST, PART, GERUND, ADVERB = (1 << at for at in range(9))
AND, SUB, REL, MARK, NUMBER, CAPITAL, PRONOUN, NEGATION, CODE = (1 << at for at in range(9, 18))
FINITE = THIRD | BASE | PAST
"""What may be the only verb of a sentence; an auxiliary has a class of its own."""

PREPOSITIONS = frozenset(
    "in on at by with from to for under into onto through after before until till about over behind within between "
    "during near beside below above against across along around inside outside without via per since towards toward "
    "throughout opposite beneath beyond as like underneath past upon among alongside despite unlike except".split()
) | {
    *("out of", "next to", "in front of", "because of", "due to", "instead of", "on top of", "according to"),
    *("ahead of", "no later than", "rather than", "such as", "as of", "on behalf of", "in case of", "apart from"),
    *(
        "together with",
        "prior to",
        "by means of",
        "in addition to",
        "except for",
        "away from",
        "close to",
        "as part of",
    ),
}
DETERMINERS = frozenset(
    "the a an its their his her my our your this that these those each every no some any another both all".split()
)
POSSESSIVES = frozenset("its their his her my our your".split())
PRONOUNS = frozenset(
    "it they them he she him i you we us me itself themselves himself herself anyone someone everyone nobody somebody "
    "anybody everybody nothing anything something everything none".split()
)
NUMBERS = frozenset(
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand dozen half".split()
)
_SUBORDINATORS = frozenset("when while because if unless although though whereas whenever once so whether".split()) | {
    *("so that", "as soon as", "as long as", "even if", "even though", "only if", "only when", "provided that"),
    *("in case", "as if", "except when", "until after"),
}
_MODIFIERS = {"at least", "at most", "up to", "more than", "less than", "fewer than", "no more than", "no fewer than"}
_INTENT = {"in order to", "so as to"}
_RELATIVES = frozenset("that which who whose whom where what why how".split())
_NEGATIONS = frozenset("not never neither nor cannot hardly n't".split()) | {"no longer"}
_ADVERBS = frozenset(
    "always also usually often then now still therefore thus however mostly sometimes normally automatically "
    "currently only just again soon already even twice first last once together everywhere afterwards beforehand "
    "instead alone outside inside upstairs downstairs indoors outdoors overnight too well later ago away back "
    "yearly hourly daily nightly weekly fortnightly monthly quarterly annually there here".split()
)
_NO_ADVERBS = frozenset(
    "early only supply family assembly reply fly apply rely ally belly bully jelly lily friendly elderly lonely silly "
    "ugly holy july italy anomaly butterfly monopoly multiply comply imply tally rally sly hilly woolly costly lively "
    "likely unlikely lovely orderly timely disorderly".split()
)
_MARKS = frozenset(", ; : – — -- - ( ) ...".split())
_PIECE = re.compile(r"(?:`[^`\n]*`|\"[^\"\n]*\"|“[^”\n]*”|[^\s`\"“])+")
_COMPOUND = re.compile(r"(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)-[a-z]+")
_NUMERAL = re.compile(r"[€$£]?\d[\d.,:/]*(?:%|[a-z]{1,3}|°C|°)?")
_DAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
_MONTHS = "january february march april may june july august september october november december".split()
DAYS = frozenset([*_DAYS, *(f"{day}s" for day in _DAYS)])
CALENDAR = DAYS | frozenset(_MONTHS)


class Sentence(NamedTuple):
    """Words and punctuation marks, with the classes of each."""

    words: tuple[str, ...]
    tags: tuple[int, ...]

    def since(self, at: int) -> Sentence:
        return Sentence(self.words[at:], self.tags[at:])


def tagged(words: Iterable[str]) -> Sentence:
    kept = tuple(words)
    return Sentence(kept, tuple(tag(word) for word in kept))


def split(text: str) -> list[str]:
    """Words and punctuation marks; code, quotations, numbers and what means one thing (``as soon as``) stay whole."""
    found: list[str] = []
    for piece in _PIECE.findall(text):
        word = piece.rstrip(",;:")
        if word:
            found.append(word)
        found.extend(piece[len(word) :])
    return _joined(found)


def _joined(words: list[str]) -> list[str]:
    if not words or (_STARTS.keys().isdisjoint(words) and words[0].lower() not in _STARTS):
        return words
    found: list[str] = []
    at = 0
    while at < len(words):
        options = _STARTS.get(words[at].lower(), ())
        length = next((n for n, rest in options if tuple(w.lower() for w in words[at + 1 : at + n]) == rest), 1)
        found.append(" ".join(words[at : at + length]))
        at += length
    return found


@lru_cache(maxsize=1 << 16)
def tag(word: str) -> int:
    """Every class that ``word`` may belong to on its own; 0 for a plain noun or adjective."""
    if word in _MARKS:
        return MARK
    if word[0] in '`"“#@':
        return CODE
    low = word.lower()
    found = _function(low)
    if low in NUMBERS or low in _MODIFIERS or _NUMERAL.fullmatch(word) or ("-" in low and _COMPOUND.fullmatch(low)):
        found |= NUMBER
    if word[0].isupper() and low != "i":
        found |= CAPITAL
    if low in _ADVERBS or (low.endswith("ly") and len(low) > 4 and low not in _NO_ADVERBS):
        found |= ADVERB
    return found if found & (DET | AUX | AND | PRONOUN) else found | _verbal(low)


def _function(low: str) -> int:
    found = 0
    for members, kind in _FUNCTION:
        if low in members:
            found |= kind
    return found | NEGATION if low.endswith("n't") else found


_FUNCTION = (
    (DETERMINERS, DET),
    (PREPOSITIONS, PREP),
    (verbs.AUXILIARIES | verbs.DO, AUX),
    (frozenset({"and", "or", "but", "as well as"}), AND),
    (_SUBORDINATORS, SUB),
    (_RELATIVES, REL),
    (PRONOUNS, PRONOUN),
    (_NEGATIONS, NEGATION),
)


def _by_first(phrases: Iterable[str]) -> dict[str, list[tuple[int, tuple[str, ...]]]]:
    found: dict[str, list[tuple[int, tuple[str, ...]]]] = {}
    for phrase in sorted(phrases, key=lambda phrase: (-len(phrase.split()), phrase)):
        first, *rest = phrase.split()
        if rest:
            found.setdefault(first, []).append((len(rest) + 1, tuple(rest)))
    return found


_STARTS = _by_first((*PREPOSITIONS, *_SUBORDINATORS, *_MODIFIERS, *_INTENT, "as well as", "no longer"))


def _verbal(low: str) -> int:
    found = 0
    for form in verbs.finite(low):
        found |= {"third": THIRD, "base": BASE, "past": PAST}[form.tense]
    if verbs.participle_base(low):
        found |= PART
    if verbs.gerund_base(low):
        found |= GERUND
    return found


_PLURALS = frozenset("people children men women feet teeth mice geese oxen".split())
_SINGULARS = frozenset("s gas bus lens news canvas atlas christmas mathematics physics".split())
_PLURAL_WORDS = frozenset("these those many few several both all two three four five six seven eight nine ten".split())
_SINGULAR_WORDS = frozenset("a an one each every this another".split())
_COLLECTIVE = frozenset("staff police crew data team family committee sheep fish deer aircraft series species".split())


def is_plural(word: str) -> bool:
    low = word.lower()
    if low in _PLURALS or low.endswith(("children", "people", "women", "folk")):
        return True
    if not low.endswith("s") or low in _SINGULARS:
        return False
    return low.replace("-", "").isalpha() and len(low) > 2 and not low.endswith(("ss", "us", "is"))


def head(words: tuple[str, ...]) -> str:
    """The noun that a noun phrase is about: the last word before its first preposition."""
    for at, word in enumerate(words):
        low = word.lower()
        if at and (low in PREPOSITIONS or low in {"of", "such", "who", "which", "that", "whose", "where", ","}):
            return words[at - 1]
    return words[-1] if words else ""


def number(words: tuple[str, ...]) -> str:
    """``singular``, ``plural`` or ``either``."""
    first, noun = words[0].lower(), head(words)
    if first in _SINGULAR_WORDS or noun[0] in '`"“':
        return "singular"
    if first in _PLURAL_WORDS or first in {"we", "they", "you", "i"} or "and" in words:
        return "plural"
    if noun.lower() in _COLLECTIVE or (first[0].isdigit() and len(words) > 1):
        return "either"
    if noun[0].isupper() and is_plural(noun):
        return "either"
    return "plural" if is_plural(noun) else "singular"
