"""Where the verb of a clause stands. Nothing is guessed: where two words could be the verb, none is."""

from __future__ import annotations

import re

from . import verbs
from .nouns import MASS
from .words import (
    ADVERB,
    AND,
    AUX,
    BASE,
    CAPITAL,
    CODE,
    DET,
    FINITE,
    GERUND,
    MARK,
    NEGATION,
    NUMBER,
    PART,
    PREP,
    PRONOUN,
    REL,
    SUB,
    Sentence,
    number,
)

_PARTICLES = frozenset("up out off down away back over together apart aside forward".split())
_ADJECTIVE = re.compile(r"[a-z]{3,}(?:ous|ary|able|ible|ful|less|ish|ic|ive)")
"""Words that are no subject on their own."""
_COUNTED = frozenset("times seconds hours minutes weeks days months years".split())
_ARTICLES = frozenset("the a an my our your its every".split())
_PLAIN = frozenset(
    "take begin start open close need go come get have belong depend include contain require run last cost happen "
    "become remain meet leave apply live keep stay seem arrive hang lie sit receive provide allow appear ask bring "
    "build buy carry choose consist continue describe explain follow forbid give grow hold hear know learn let lose "
    "mean open permit prepare protect reach remind seem send serve set speak teach tell think travel understand wear "
    "write".split()
)
"""Verbs that are hardly ever nouns right after a verb."""
_FOLLOWERS = DET | PREP | PRONOUN | NUMBER | CAPITAL | CODE | ADVERB | SUB | REL | MARK | AND | NEGATION


def skip_adverbs(s: Sentence, at: int) -> int:
    while at < len(s.words) and s.tags[at] & ADVERB and not s.tags[at] & (PREP | SUB) and s.words[at] != "there":
        at += 1
    return at


def follows_well(s: Sentence, at: int) -> bool:
    """Whether the word at ``at`` may come right after a verb, and not after a noun only."""
    return at >= len(s.words) or bool(s.tags[at] & _FOLLOWERS) or s.words[at] in _PARTICLES


def boundary(s: Sentence, start: int) -> int:
    """Where a mark, a conjunction or a relative pronoun ends what begins at ``start``."""
    for at in range(start, len(s.words)):
        if s.tags[at] & (MARK | SUB) or (s.tags[at] & REL and at > start):
            return at
    return len(s.words)


def finite_at(s: Sentence, start: int) -> int:
    """Where the finite verb of the clause that begins at ``start`` stands; 0 when that is not clear."""
    end = boundary(s, start)
    found = [at for at in range(start + 1, end) if _may_be_verb(s, start, at, s.words[start:at])]
    if found:
        return _chosen(s, start, found)
    relative = end < len(s.words) and end > start and s.tags[end] & REL
    return _after_relative(s, start, end) if relative else 0


def _may_be_verb(s: Sentence, start: int, at: int, subject: tuple[str, ...]) -> bool:
    tag = s.tags[at]
    if tag & (DET | PRONOUN | CODE) or (tag & CAPITAL and at > start):
        return False
    if tag & AUX:
        noun = s.tags[at - 1] & (PREP | AND) or s.words[at - 1].lower() in _ARTICLES
        return not noun and _agrees(subject, s.words[at], "")
    if at == start + 1 and _ADJECTIVE.fullmatch(s.words[start].lower()):
        return False
    return _stands_as_verb(s, start, at) and bool(forms(s, at, subject))


def _stands_as_verb(s: Sentence, start: int, at: int) -> bool:
    before = at - 1
    while before > start and s.tags[before] & ADVERB:
        before -= 1
    previous, word = s.tags[before], s.words[before].lower()
    noun = previous & AUX and before and s.words[before - 1].lower() in _ARTICLES
    if previous & (DET | PREP | AND | SUB | REL | AUX) and not previous & PRONOUN and not noun:
        return False
    if previous & NUMBER and (before == start or s.words[at] in _COUNTED):
        return False
    if s.words[at] in {"back", "down", "well"} and not previous & PRONOUN:
        return False
    return word not in {"of", "to", "most", "many", "few", "several"} and not word.endswith(("'s", "’s", "s'", "s’"))


def forms(s: Sentence, at: int, subject: tuple[str, ...]) -> list[verbs.Form]:
    """What the word at ``at`` is as a verb of ``subject``; a word of no list by its ending and what comes next."""
    word = s.words[at]
    if s.tags[at] & FINITE:
        return [form for form in verbs.finite(word) if _agrees(subject, word, form.tense)]
    after = s.tags[at + 1] if at + 1 < len(s.tags) else 0
    if s.tags[at] or not word.islower() or not word.isalpha() or len(word) < 5 or not after & DET:
        return []
    if word.endswith("s") and not word.endswith(("ss", "us", "is")) and number(subject) == "singular":
        return [verbs.Form(_stem(word), "third")]
    return []


def _stem(word: str) -> str:
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    return word[:-2] if word.endswith(("shes", "ches", "xes", "sses", "zes")) else word[:-1]


def _agrees(subject: tuple[str, ...], word: str, kind: str) -> bool:
    count, low = number(subject), word.lower()
    if subject[0].lower() == "there":
        return True
    if subject[0].lower() in {"i", "you"}:
        return low not in {"is", "has", "does"} and kind != "third"
    if low in {"is", "has", "was", "does"} or kind == "third":
        return count != "plural"
    if low in {"are", "have", "were", "do", "am"} or kind == "base":
        return count != "singular"
    return True


def _chosen(s: Sentence, start: int, found: list[int]) -> int:
    first = found[0]
    if s.tags[first] & AUX:
        return first
    helper = next((at for at in found if s.tags[at] & AUX), 0)
    joined = next((at for at in range(first, found[-1]) if s.tags[at] & AND), 0)
    if helper and not (joined and joined < helper):
        return _before_helper(s, first, helper)
    beside = found[1] if found[1:2] == [first + 1] else 0
    if beside and s.words[beside].lower() in _PLAIN and s.tags[beside] & BASE and follows_well(s, beside + 1):
        return beside
    later = [at for at in found[1:] if not (joined and joined < at)]
    after = s.tags[first + 1] if first + 1 < len(s.tags) else 0
    if s.tags[first] & PART and after & PREP and later:
        return 0
    return first


def _before_helper(s: Sentence, first: int, helper: int) -> int:
    between = s.tags[first + 1 : helper]
    if s.tags[first] & PART and between and between[0] & (PREP | ADVERB | NUMBER):
        return helper
    if not any(tag & (DET | PREP | PRONOUN) for tag in between):
        return helper
    return 0


def _after_relative(s: Sentence, start: int, relative: int) -> int:
    """``The person who opens the hall signs the book``: ``signs``."""
    end = boundary(s, relative + 1)
    if relative + 1 >= len(s.words):
        return 0
    inner = relative + 1
    if not s.tags[inner] & (AUX | FINITE):
        inner += finite_at(s.since(inner), 0)
    if not s.tags[inner] & (AUX | FINITE):
        return 0
    subject = s.words[start:relative]
    found = [at for at in range(inner + 2, end) if _may_be_verb(s, start, at, subject)]
    helpers = [at for at in found if s.tags[at] & AUX]
    if any(s.tags[at] & AND for at in range(inner, found[0] if found else end)):
        return 0
    found = helpers or found
    return found[0] if len(found) == 1 else 0


def clause_follows(s: Sentence, at: int) -> bool:
    """Whether a clause with a subject of its own begins at ``at``, for sure."""
    verb = finite_at(s.since(at), 0) if at < len(s.words) else 0
    if not verb:
        return False
    first, low = s.tags[at], s.words[at].lower()
    known = (
        first & (DET | CAPITAL | PRONOUN | NUMBER | CODE | GERUND) or low in MASS or low in {"there", "most", "many"}
    )
    if not known and not s.tags[at + verb] & AUX and number(s.words[at : at + verb]) != "plural":
        return False
    return bool(s.tags[at + verb] & AUX) or follows_well(s, at + verb + 1)
