"""The questions that one English sentence answers, in the words a reader would ask them.

What is not surely understood is not asked about: a question that is wrong or no English teaches worse than none. How a
sentence is taken apart is said in ``clauses``; who is meant by a pronoun, in ``naming``.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from . import adverbials, copulas, objects, phrases, polar, settings, subjects, verbs
from .clauses import clauses
from .nouns import MASS
from .order import inverted
from .parts import Clause
from .words import (
    AUX,
    BASE,
    CALENDAR,
    NUMBERS,
    PAST,
    POSSESSIVES,
    PREPOSITIONS,
    PRONOUNS,
    REL,
    SUB,
    is_plural,
    number,
    split,
    tag,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LONGEST = 320
"""Characters of a sentence that is asked about."""
LONGEST_QUESTION = 160
MOST = 14
"""Questions of one sentence."""
_LABEL = re.compile(r"[A-Z][a-z]+(?: [a-z]+)?: (?=[A-Z0-9`])")
_JOINED = re.compile(r"(?:So|And|But|Yet|Then|Thus|Hence|Therefore|However|Also),? (?=[a-zA-Z`])")
_LINK = re.compile(r"\[([^\]]+)\]\([^)\s]*\)")
_EMPHASIS = re.compile(r"(?<![\w*])(\*\*|\*|__|_)(?=\S)(.+?)(?<=\S)\1(?![\w*])")
_ASIDE = re.compile(r" \([^()`]*\)")
_FILLER = re.compile(
    r"^(?:All the same|As a rule|In general|For example|For instance|Of course|At present|So far|In addition|As usual"
    r"|If possible|If need be|In short|In fact|By default|As a result|At the moment|In any case|On the whole), "
    r"|, (?:strictly speaking|however|of course|if possible|for example|as a rule|in general|by default)(?=,)"
)
_SHORT_NOT = re.compile(r"n['’]t\b")
_QUOTED = re.compile(r"`[^`]*`|\"[^\"]*\"|“[^”]*”")
_DANGLING = frozenset(
    "it they them he she him this these those here itself themselves another such former latter one ones".split()
)
_LOST = _DANGLING | frozenset(
    "both others there what some most whether if that how why never always please than above below i other nobody "
    "nothing none something anything everything".split()
)
_ORDINALS = frozenset("one ones first second third fourth last other others rest same more".split())
_ENDINGS = tuple("tion sion sis ment ness ity ance ence ism ship ing ology graphy ture ware".split())


_LINKING = frozenset("when if before after once until while as because unless without".split())
"""Words after which a pronoun may stand for a noun before them."""


class Asked(NamedTuple):
    question: str
    answer: str


class Known(NamedTuple):
    """What the text around a sentence tells about its words."""

    names: frozenset[str] = frozenset()
    """Words that are names, although they open the sentence."""
    people: frozenset[str] = frozenset()
    """Those of them that are people's."""
    things: tuple[tuple[str, str], ...] = ()
    """Names of things, each with what it is."""


NOTHING_KNOWN = Known()


class Statement(NamedTuple):
    """A sentence and what is understood of it."""

    said: str
    clauses: tuple[Clause, ...] = ()

    @classmethod
    def read(cls, sentence: str) -> Statement:
        said = _LABEL.sub("", sentence if "`" in sentence else " ".join(sentence.split()), count=1)
        if found := _JOINED.match(said):
            said = said[found.end() :][:1].upper() + said[found.end() + 1 :]
        return cls(said, tuple(_resolved(clauses(split(plain(said)))))) if declares(said) else cls(said)


def ask(statement: Statement, known: Known = NOTHING_KNOWN) -> list[Asked]:
    """Every question that the sentence surely answers; the sentence is the answer."""
    said = statement.said
    clauses = [clause._replace(people=known.people, things=known.things) for clause in statement.clauses]
    made = dict(_asked(clauses, known.names))
    found = [Asked(question, f"{yes}. {said}" if yes else said) for question, yes in made.items() if _sound(question)]
    return found[:MOST]


def plain(said: str) -> str:
    """The sentence without what is no part of its grammar."""
    text = _EMPHASIS.sub(r"\2", _LINK.sub(r"\1", said)) if "*" in said or "_" in said or "](" in said else said
    text = _FILLER.sub("", _ASIDE.sub("", text)).rstrip(".!")
    if "n't" in text or "n’t" in text:
        text = _SHORT_NOT.sub(" not", text.replace("can't", "cannot").replace("won't", "will not"))
    return text


def declares(said: str) -> bool:
    odd = "```" in said or "|" in re.sub(r"`[^`]*`", "", said) or said.count("`") % 2 or said.count('"') % 2
    return (
        12 < len(said) <= LONGEST
        and not odd
        and not said.endswith(("?", ":", "…", " and", " or", ","))
        and said[0] not in "-#>("
    )


def _resolved(found: list[Clause]) -> list[Clause]:
    """Later clauses with the first one's subject in the place of their pronoun: ``P2 goes away; it needs no help``."""
    made: list[Clause] = []
    for clause in found:
        first, low = made[0].subject if made else (), clause.subject[0].lower()
        if first and not out_of_reach(first) and len(first) < 6 and _refers(low, first):
            own = low in POSSESSIVES
            subject = (*first[:-1], f"{first[-1]}{_owner(first[-1])}", *clause.subject[1:]) if own else first
            clause = clause._replace(subject=subject) if own or len(clause.subject) == 1 else clause
        made.append(clause)
    return made


def _refers(pronoun: str, subject: tuple[str, ...]) -> bool:
    if pronoun in {"he", "she", "his", "her"}:
        return phrases.is_person(subject)
    if pronoun in {"it", "its"}:
        return number(subject) != "plural" and not phrases.is_person(subject)
    return pronoun in {"they", "their"} and number(subject) == "plural" and subject != ("I",)


def _owner(word: str) -> str:
    return "'" if is_plural(word) and word.islower() else "'s"


def _asked(found: Iterable[Clause], names: frozenset[str]) -> Iterator[tuple[str, str]]:
    for clause in found:
        if clause.subject[0] == "Only" and len(clause.subject) > 1:
            only = clause._replace(subject=(clause.subject[1], *clause.subject[2:]))
            yield from ((_finished(words), "") for words in subjects.about_subject(only))
            continue
        if clause.subject[0] == "Nobody":
            yield from ((_finished(words), yes) for yes, words in polar.about(clause))
            continue
        if clause.subject == ("It",):
            yield from ((_finished(words), "") for words in _impersonal(clause))
        clause = _addressed(clause._replace(subject=_inner(clause.subject, names)))
        after = settings.kept(clause)
        if out_of_reach(clause.subject) or after is None:
            continue
        for words in settings.about(clause):
            yield _finished(words), ""
        for words in _questions(clause):
            twice = words[:1] == ["When"] and after[:1] and after[0] in {"when", "whenever", "as soon as", "once"}
            if words and not twice:
                yield _finished([*words, *after]), ""
        for yes, words in polar.about(clause):
            yield _finished([*words, *after]), yes


def _questions(clause: Clause) -> Iterator[list[str]]:
    if clause.subject[0].lower() == "there":
        yield from _existence(clause)
        return
    yield from adverbials.about_tail(clause)
    if not clause.group.base:
        yield from copulas.about(clause)
        return
    counted = phrases.amount(clause.subject)
    if not counted:
        yield from adverbials.about_chunks(clause)
        yield from objects.about_object(clause)
        yield from polar.denied_object(clause)
    if clause.subject != ("I",):
        yield from subjects.about_subject(clause)


def _impersonal(clause: Clause) -> Iterator[list[str]]:
    """``It takes three hours to climb the ridge``."""
    goal = clause.chunks[0] if clause.chunks else None
    if goal is None or goal.prep != "to" or not goal.words or not verbs.is_base(goal.words[0]):
        return
    if clause.group.base == "take" and phrases.is_duration(clause.object):
        yield ["How long", *inverted(clause._replace(subject=("it",))), *goal.all]
    elif clause.group.base == "cost" and phrases.is_money(clause.object):
        yield ["How much", *inverted(clause._replace(subject=("it",))), *goal.all]


def _existence(clause: Clause) -> Iterator[list[str]]:
    """``There are eleven gauges in the network``."""
    if clause.group.base or clause.group.rest or clause.group.negative:
        return
    after = [word for chunk in clause.chunks for word in chunk.all]
    if found := phrases.amount(clause.object):
        yield ["How many", *found.noun, clause.group.helper, "there", *after]
    elif clause.chunks and phrases.is_sure_place(clause.chunks[0]) and not clause.cut and "no" not in clause.object:
        yield ["What", "is", *clause.chunks[0].all] if len(clause.chunks) == 1 else []
        yield ["Where", clause.group.helper, "there", *clause.object]


def out_of_reach(subject: tuple[str, ...]) -> bool:
    """Subjects that only the text before explains."""
    words = [word.lower() for word in subject]
    if words in (["i"], ["there"]):
        return False
    if len(words) == 1 and words[0] in {"either", "neither", "each", "all", "any", "more"}:
        return True
    if words[:2] in (["the", "one"], ["the", "ones"]) or (words[0] == "one" and set(words[1:2]) & {"that", "who"}):
        return True
    part = words[:2] == ["one", "of"] or words[0] in PREPOSITIONS or "same" in words
    unclear = words[0] in _LOST and not (words[0] == "one" and len(words) > 1 and words[1] != "of")
    asks = bool(tag(words[0]) & (REL | SUB)) or words[0] in POSSESSIVES - {"your", "my", "our"}
    return asks or part or unclear or words[-1] in _ORDINALS or bool(set(words[1:]) & (_DANGLING - {"one"}))


def _addressed(clause: Clause) -> Clause:
    """The clause as the reader says it: ``you`` is who asks."""
    return clause._replace(subject=("I",)) if clause.subject in {("You",), ("you",)} else clause


def _inner(subject: tuple[str, ...], names: frozenset[str]) -> tuple[str, ...]:
    """The words of a subject inside a sentence, where only names have a capital."""
    first, low = subject[0], subject[0].lower()
    if first == "I" or not first[0].isupper() or not low.replace("-", "").replace("'", "").isalpha() or low in CALENDAR:
        return subject
    if (len(first) > 1 and not first[1:].islower()) or first.removesuffix("'s") in names:
        return subject
    lower = low.removesuffix("s") in MASS or low in MASS
    function = lower or low in NUMBERS or low in PREPOSITIONS or low in PRONOUNS or low in _OPENERS
    compound = len(subject) > 1 and subject[1].islower() and subject[1] not in PREPOSITIONS | {"and", "of"}
    of = is_plural(first) and subject[1:2] and (subject[1] in PREPOSITIONS or subject[1] == "of")
    of = of or (is_plural(first) and subject[1:2] == ("and",) and subject[2][0].islower())
    common = is_plural(first) or low.endswith(_ENDINGS) or verbs.is_base(low)
    return (low, *subject[1:]) if function or compound or of or (common and not subject[1:2]) else subject


_OPENERS = frozenset(
    "the a an its their his her my our your this that these those each every no some any another both all many several "
    "most more few children people we you there".split()
)


def _finished(words: list[str]) -> str:
    text = " ".join(word for word in _mine(words) if word)
    return text[:1].upper() + re.sub(r" ([,;:])", r"\1", text[1:]) + "?"


def _mine(words: list[str]) -> Iterator[str]:
    """The words as the reader says them: ``your key`` is my key."""
    for at, word in enumerate(words):
        low = word.lower()
        if low in _READER:
            yield _READER[low]
        elif low == "you":
            following = words[at + 1].lower() if at + 1 < len(words) else ""
            yield "I" if following and tag(following) & (AUX | BASE | PAST) else "me"
        elif low == "are" and at and words[at - 1].lower() == "you":
            yield "am"
        else:
            yield word


_READER = {"your": "my", "yours": "mine", "yourself": "myself"}


def _sound(question: str) -> bool:
    """No pronoun without its noun, nothing unbalanced, no word twice in a row."""
    prose = _QUOTED.sub("X", question)
    words = [word.lower().strip(",?") for word in prose.split()]
    twice = any(left == right for left, right in pairwise(words))
    fits = 8 < len(question) <= LONGEST_QUESTION and len(words) > 2 and prose.count("(") == prose.count(")")
    return fits and not twice and not _dangles(words) and not re.search(r"[:;]|\.\?| [–—-] |,\?", prose)


def _dangles(words: list[str]) -> bool:
    """Whether a pronoun stands for nothing in the question."""
    if _DANGLING.isdisjoint(words):
        return words[-1] == "that"
    last = len(words) - 1
    unclear = (at for at, word in enumerate(words) if word in _DANGLING and (word != "one" or at == last))
    return words[-1] == "that" or any(not _explained(words, at) for at in unclear)


def _explained(words: list[str], at: int) -> bool:
    """Whether ``it`` or ``they`` follows the noun that the question is about: ``the tank before refilling it``."""
    word, before = words[at], words[:at]
    if word == "it" and at + 1 < len(words) and words[at + 1] in settings.WEATHER | {"is", "take", "cost"}:
        return True
    linked = _LINKING.intersection(before) and words[at - 1] not in PREPOSITIONS - {"before", "after"}
    noun = {"the", "a", "an"}.intersection(before) if word == "it" else any(map(is_plural, before))
    return bool(word in {"it", "they", "them"} and linked and noun)
