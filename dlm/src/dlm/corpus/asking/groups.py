"""Where the verb of a clause stands, and its group: helper, negation, chain and particle. Nothing is guessed."""

from __future__ import annotations

from typing import NamedTuple

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
    PAST,
    PREP,
    PRONOUN,
    REL,
    SUB,
    THIRD,
    Sentence,
    is_plural,
    number,
)

_PARTICLES = frozenset("up out off down away back over together apart aside forward".split())
_LOOSE_PARTICLES = frozenset("on in through around along by".split())
_SEMI = frozenset("need have want try tend aim plan start begin continue wish hope agree promise".split())
_LETTING = frozenset(
    "allow permit require expect suppose advise ask encourage invite forbid oblige request entitle remind train".split()
)
_HOURS = frozenset("morning afternoon evening night noon midnight".split())
_COUNTED = frozenset("times hours minutes weeks days points".split())
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


class Group(NamedTuple):
    """``helper`` is the finite auxiliary; without one, ``finite`` is the base form of the verb with the tense."""

    helper: str
    finite: str
    tense: str
    """Of ``finite``: ``third``, ``base`` or ``past``."""
    rest: tuple[str, ...]
    base: str
    """Base form of the verb that carries the meaning; empty of a copula, ``?`` when it is not in the list."""
    passive: bool = False
    negative: bool = False


class Found(NamedTuple):
    group: Group
    end: int


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


def read_group(s: Sentence, at: int, subject: tuple[str, ...]) -> Found | None:
    """The verb group that begins with the finite verb at ``at``."""
    word = s.words[at].lower()
    if not s.tags[at] & AUX:
        form = next(iter(forms(s, at, subject)), None)
        return _lexical(s, form.base, form.tense, at + 1) if form else None
    negative, end = word == "cannot", skip_adverbs(s, at + 1)
    if s.tags[end : end + 1] and s.tags[end] & NEGATION:
        negative, end = True, skip_adverbs(s, end + 1)
    helper = "can" if word == "cannot" else word
    if helper in verbs.DO or helper in verbs.HAVE:
        found = _do_or_have(s, helper, end, negative=negative)
    else:
        found = _chain(s, helper, end)
    return Found(found.group._replace(negative=negative), found.end) if found else None


def _do_or_have(s: Sentence, helper: str, at: int, *, negative: bool) -> Found | None:
    tense = {"has": "third", "does": "third", "had": "past", "did": "past"}.get(helper, "base")
    if helper in verbs.DO and negative:
        return _main(s, helper, (), at)
    if helper in verbs.DO:
        return _lexical(s, "do", tense, at)
    follow = s.words[at] if at < len(s.words) else ""
    if follow != "set" and (follow == "been" or verbs.participle_base(follow) or follow.endswith("ed")):
        return _chain(s, helper, at)
    return None if negative else _lexical(s, "have", tense, at)


def _chain(s: Sentence, helper: str, at: int) -> Found | None:
    chain: list[str] = []
    while s.words[at : at + 1] and s.words[at] in {"be", "been", "being"}:
        chain.append(s.words[at])
        at = skip_adverbs(s, at + 1)
    if helper in verbs.BE or chain:
        return _being(s, helper, tuple(chain), at)
    return _main(s, helper, (), at)


def _being(s: Sentence, helper: str, chain: tuple[str, ...], at: int) -> Found:
    word = s.words[at] if at < len(s.words) else ""
    base = verbs.participle_base(word)
    unknown = len(word) > 5 and word.islower() and word.endswith("ed") and not base
    if base or unknown:
        particle, end = _particle(s, at + 1)
        group = Group(helper, "", "", (*chain, word, *particle), base or "?", passive=True)
        return _allowed(s, group, end) if base in _LETTING else Found(group, end)
    if (base := verbs.gerund_base(word)) and base != "be" and not s.tags[at] & CAPITAL:
        particle, end = _particle(s, at + 1)
        return Found(Group(helper, "", "", (*chain, word, *particle), base), end)
    return Found(Group(helper, "", "", chain, ""), at)


def _allowed(s: Sentence, group: Group, at: int) -> Found:
    """``are allowed to bring``: what counts is what they bring."""
    if s.words[at : at + 1] == ("to",) and s.tags[at + 1 : at + 2] and s.tags[at + 1] & BASE:
        particle, end = _particle(s, at + 2)
        verb = s.words[at + 1]
        return Found(group._replace(rest=(*group.rest, "to", verb, *particle), base=verb, passive=False), end)
    return Found(group, at)


def _main(s: Sentence, helper: str, chain: tuple[str, ...], at: int) -> Found | None:
    if at >= len(s.words):
        return None
    word = s.words[at].lower()
    if helper in verbs.HAVE:
        particle, end = _particle(s, at + 1)
        return Found(Group(helper, "", "", (*chain, word, *particle), verbs.participle_base(word) or "?"), end)
    if not verbs.is_base(word) and not (s.tags[at] == 0 and follows_well(s, at + 1) and at + 1 < len(s.words)):
        return None
    particle, end = _particle(s, at + 1)
    group = Group(helper, "", "", (*chain, word, *particle), word)
    return _semi(s, group, end) if word in _SEMI else Found(group, end)


def _lexical(s: Sentence, base: str, tense: str, at: int) -> Found:
    particle, end = _particle(s, at)
    group = Group("", base, tense, particle, base)
    return _semi(s, group, end) if base in _SEMI and not particle else Found(group, end)


def _semi(s: Sentence, group: Group, at: int) -> Found:
    """``has to stand`` and ``needs to be washed``: what counts is the verb after ``to``."""
    words = s.words
    if words[at : at + 1] != ("to",) or at + 1 >= len(words):
        return Found(group, at)
    if words[at + 1] == "be" and (base := verbs.participle_base(words[at + 2]) if at + 2 < len(words) else ""):
        particle, end = _particle(s, at + 3)
        rest = (*group.rest, "to", "be", words[at + 2], *particle)
        return Found(group._replace(rest=rest, base=base, passive=True), end)
    if not verbs.is_base(words[at + 1]):
        return Found(group, at)
    particle, end = _particle(s, at + 2)
    return Found(group._replace(rest=(*group.rest, "to", words[at + 1], *particle), base=words[at + 1]), end)


def _particle(s: Sentence, at: int) -> tuple[tuple[str, ...], int]:
    """``up`` of ``is backed up every night``."""
    if at >= len(s.words):
        return (), at
    here = s.words[at].lower()
    following = s.words[at + 1].lower() if at + 1 < len(s.words) else ""
    after = s.tags[at + 1] if at + 1 < len(s.tags) else MARK
    ends = bool(after & (MARK | PREP | SUB | AND)) or following in {"every", "each"}
    if (here in _PARTICLES and following != "of") or (here in _LOOSE_PARTICLES and ends):
        return (here,), at + 1
    return ((here,), at + 1) if here in {"place", "part"} else ((), at)


def shared_group(s: Sentence, at: int, group: Group) -> Found | None:
    """A second predicate under the subject, and the helper, of ``group``: ``is washed and put back``."""
    at = skip_adverbs(s, at)
    if at >= len(s.words):
        return None
    word, tag = s.words[at].lower(), s.tags[at]
    if tag & AUX:
        return read_group(s, at, ("it",) if word in {"is", "was", "has", "does"} else ("they",))
    if group.passive and tag & PART and group.helper:
        chain = tuple(word for word in group.rest if word in {"be", "been", "being"})
        particle, end = _particle(s, at + 1)
        return Found(Group(group.helper, "", "", (*chain, word, *particle), verbs.participle_base(word), True), end)
    if group.helper and tag & BASE and not group.passive and (group.helper in verbs.MODALS):
        particle, end = _particle(s, at + 1)
        negative = group.negative
        return Found(Group(group.helper, "", "", (word, *particle), word, negative=negative), end)
    if group.helper:
        return None
    form = next((form for form in verbs.finite(word) if form.tense == group.tense), None)
    return _lexical(s, form.base, form.tense, at + 1) if form else None


def joins(s: Sentence, at: int, group: Group) -> str:
    """What stands at ``at``, after ``and``: ``noun``, a second ``verb``, a second ``clause``, or ``unsure``."""
    before = at - 1
    while before > 0 and s.tags[before] & (AND | MARK):
        before -= 1
    at = skip_adverbs(s, at)
    if at >= len(s.words):
        return "unsure"
    tag, wanted = s.tags[at], _wanted(group)
    if tag & AUX:
        return "verb"
    if tag & wanted and not tag & (CAPITAL | DET | PREP):
        if follows_well(s, at + 1) and not _noun_too(s, at, before, wanted):
            return "verb"
        return "unsure" if follows_well(s, at + 1) or tag & wanted & (THIRD | PAST) else "noun"
    return "clause" if clause_follows(s, at) else "noun"


def _noun_too(s: Sentence, at: int, before: int, wanted: int) -> bool:
    """Whether the word may as well go on with the noun before: ``orders and reports``."""
    if s.tags[before] & NUMBER or s.words[before].lower() in _HOURS:
        return False
    after = s.tags[at + 1] if at + 1 < len(s.tags) else MARK
    many = bool(s.tags[at] & wanted & THIRD) and is_plural(s.words[before])
    return many or (bool(s.tags[at] & wanted & BASE) and not after & (DET | PRONOUN | CODE))


def _wanted(group: Group) -> int:
    if group.helper:
        return BASE if group.helper in verbs.MODALS and not group.passive else PART if group.passive else 0
    return {"third": THIRD, "base": BASE, "past": PAST}[group.tense]


def clause_follows(s: Sentence, at: int) -> bool:
    """Whether a clause with a subject of its own begins at ``at``, for sure."""
    verb = finite_at(s.since(at), 0) if at < len(s.words) else 0
    if not verb:
        return False
    first, low = s.tags[at], s.words[at].lower()
    known = (
        first & (DET | CAPITAL | PRONOUN | NUMBER | CODE | GERUND) or low in MASS or low in {"there", "most", "many"}
    )
    if not known and number(s.words[at : at + verb]) != "plural":
        return False
    return bool(s.tags[at + verb] & AUX) or follows_well(s, at + verb + 1)
