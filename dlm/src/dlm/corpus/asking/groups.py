"""The verb group of a clause: helper, negation, chain and particle; and what a conjunction after it joins."""

from __future__ import annotations

from typing import NamedTuple

from . import verbs
from .finite import clause_follows, follows_well, forms, skip_adverbs
from .words import (
    AND,
    AUX,
    BASE,
    CAPITAL,
    CODE,
    DET,
    MARK,
    NEGATION,
    NUMBER,
    PART,
    PAST,
    PREP,
    PRONOUN,
    SUB,
    THIRD,
    Sentence,
    is_plural,
)

_PARTICLES = frozenset("up out off down away back over together apart aside forward".split())
_LOOSE_PARTICLES = frozenset("on in through around along by".split())
_SEMI = frozenset("need have want try tend aim plan start begin continue wish hope agree promise".split())
_LETTING = frozenset(
    "allow permit require expect suppose advise ask encourage invite forbid oblige request entitle remind train".split()
)
_NEVER_NOUNS = frozenset(
    "becomes remains contains includes consists belongs depends goes comes gets gives takes keeps makes brings sends "
    "tells puts says knows begins provides requires allows lets sees seems sits carries writes reads teaches sells "
    "pays".split()
)
_HOURS = frozenset("morning afternoon evening night noon midnight".split())
_COUNTED = frozenset("times seconds hours minutes weeks days months years".split())


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
    tense = "third" if group.helper in {"is", "has"} else group.tense
    form = next((form for form in verbs.finite(word) if form.tense == tense), None)
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
    wanted |= THIRD if group.helper in {"is", "has"} else 0
    if tag & wanted and not tag & (CAPITAL | DET | PREP):
        if follows_well(s, at + 1) and not _noun_too(s, at, before, wanted):
            return "verb"
        return "unsure" if follows_well(s, at + 1) or tag & wanted & (THIRD | PAST) else "noun"
    return "clause" if clause_follows(s, at) else "noun"


def _noun_too(s: Sentence, at: int, before: int, wanted: int) -> bool:
    """Whether the word may as well go on with the noun before: ``orders and reports``."""
    if s.words[at] in _NEVER_NOUNS or s.tags[before] & NUMBER or s.words[before].lower() in _HOURS | _COUNTED:
        return False
    after = s.tags[at + 1] if at + 1 < len(s.tags) else MARK
    many = bool(s.tags[at] & wanted & THIRD) and is_plural(s.words[before])
    return many or (bool(s.tags[at] & wanted & BASE) and not after & (DET | PRONOUN | CODE))


def _wanted(group: Group) -> int:
    if group.helper:
        return BASE if group.helper in verbs.MODALS and not group.passive else PART if group.passive else 0
    return {"third": THIRD, "base": BASE, "past": PAST}[group.tense]
