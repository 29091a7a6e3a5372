"""The same question with another verb phrase or another noun."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..asking import verbs
from . import lexicon, tokens
from .clause import Clause, do_for, joined

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .facts import Meaning

_MODAL_PHRASES = {
    "must": ("have to", "need to"),
    "should": ("be supposed to",),
    "may": ("be allowed to", "be permitted to"),
    "can": ("be able to",),
}
_INNER = frozenset("that whether if how why when where what which who".split())
_PARTICLES = frozenset("up out off down away back over through together again on".split())
_NO_PASSIVE = frozenset("of for to with on from in at as".split())
_BOUNDARY = tokens.PREPOSITIONS | frozenset(
    "is are was were am do does did can could should would will must may might has have had be of and or that which "
    "who not when while if because so than then".split()
)


def verbs_for(meaning: Meaning) -> Iterator[Clause]:
    """The clause with each phrase that may stand for its verb."""
    own = meaning.clause
    clause = own.stranded()
    facts = meaning.facts - {"alone", "object"}
    if not clause.subject and clause.rest.endswith(" to"):
        return
    for group, words, passive in _groups(clause):
        size = len(group.word.split())
        left = words[size - (0 if passive else 1) :] if passive else words[size:]
        known = facts | ({"object"} if left not in ([], [own.prep]) else {"alone"})
        if group.condition.holds(known) and _may_follow(group.word, left):
            for other in group.others:
                if said := _put(clause, other, left, passive=passive):
                    yield _fronted_again(said, own.prep) if left and left[-1] == own.prep else said


def modals_for(clause: Clause) -> Iterator[Clause]:
    """``do passengers have to pay`` for ``must passengers pay``, and back."""
    first, _, more = clause.helper.partition(" ")
    inner = joined(more, clause.inflected if clause.verb else "", clause.rest)
    if first in _MODAL_PHRASES and more in {"", "be"}:
        for phrase in _MODAL_PHRASES[first]:
            if phrase.startswith("be able") and clause.subject:
                continue
            plain = replace(
                clause, helper=do_for("does", clause.subject) if clause.subject else "does", verb="", rest=""
            )
            plain = replace(plain, helper="do") if clause.subject.lower() in {"i", "you", "we"} else plain
            verb, _, behind = phrase.partition(" ")
            yield (
                replace(plain, verb="have", form="base").said_with(phrase, inner)
                if verb == "be"
                else replace(plain, verb=verb, form="base", rest=joined(behind, inner))
            )
    elif clause.verb in {"have", "need"} and clause.rest.startswith("to ") and clause.helper in {"do", "does"}:
        verb, _, rest = clause.rest.removeprefix("to ").partition(" ")
        if verb != "be" and (clause.subject or clause.wh == "who"):
            yield replace(clause, helper="must", verb=verb, rest=rest)


def _fronted_again(clause: Clause, prep: str) -> Clause:
    return replace(clause, prep=prep, rest=clause.rest.removesuffix(prep).rstrip()) if prep else clause


def nouns_for(clause: Clause) -> Iterator[Clause]:
    """The clause with each noun that may stand for one of its own."""
    for subject in swapped(clause.subject):
        yield replace(clause, subject=subject)
    first, _, noun = clause.wh.partition(" ")
    if first in {"which", "what"} and noun:
        for other in swapped(noun):
            yield replace(clause, wh=f"{first} {other}")
    for rest in swapped(clause.rest):
        yield replace(clause, rest=rest)


def swapped(phrase: str) -> Iterator[str]:
    """``phrase`` with another noun, for each noun that ends a noun phrase there."""
    words = phrase.split()
    for at, word in enumerate(words):
        if not word.islower() or (at + 1 < len(words) and words[at + 1].lower() not in _BOUNDARY):
            continue
        for size in (3, 2, 1):
            start = at + 1 - size
            others = _others(" ".join(words[start : at + 1])) if start >= 0 else ()
            for other in others:
                yield _with_article(words[:start], other, words[at + 1 :])
            if others:
                break


def _others(noun: str) -> tuple[str, ...]:
    known = lexicon.nouns()
    if found := known.get(noun):
        return found
    for ending, single in (("ies", "y"), ("es", ""), ("s", "")):
        if noun.endswith(ending) and (found := known.get(noun[: -len(ending)] + single)):
            return tuple(_plural(other) for other in found if " in " not in other and " of " not in other)
    return ()


def _plural(noun: str) -> str:
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return f"{noun[:-1]}ies"
    return noun + ("es" if noun.endswith(("s", "x", "ch", "sh")) else "s")


def _with_article(before: list[str], noun: str, after: list[str]) -> str:
    if before and before[-1] in {"a", "an"}:
        before = [*before[:-1], "an" if noun[0] in "aeio" else "a"]
    return " ".join([*before, noun, *after])


def _groups(clause: Clause) -> Iterator[tuple[lexicon.Group, list[str], bool]]:
    """Groups whose phrase the clause begins with, the clause's words from the verb on, and whether they are passive."""
    rest = clause.rest.split()
    if clause.copular:
        yield from ((group, ["be", *rest], False) for group in _matching(["be", *rest]))
        return
    if clause.passive:
        words = ["be", clause.inflected, *rest]
        yield from ((group, words, False) for group in _matching(words))
    yield from ((group, [clause.verb, *rest], clause.passive) for group in _matching([clause.verb, *rest]))


def _matching(words: list[str]) -> Iterator[lexicon.Group]:
    """Groups for the longest phrase that ``words`` begin with: ``be in charge of``, not ``be in``."""
    key = " ".join(words[:2]) if words[0] == "be" else words[0]
    found = [
        group for group in lexicon.verb_groups().get(key, ()) if words[: len(group.word.split())] == group.word.split()
    ]
    longest = max((len(group.word.split()) for group in found), default=0)
    return (group for group in found if len(group.word.split()) == longest)


def _may_follow(phrase: str, left: list[str]) -> bool:
    """Whether what follows the verb leaves its sense as it is: no second verb or clause hangs on it."""
    if not left:
        return True
    if left[0] == "to" and len(left) > 1 and not phrase.endswith(" to"):
        return False
    if verbs.gerund_base(left[0]) and not tokens.is_plural(left[0]):
        return False
    return left[0] not in _INNER


def _put(clause: Clause, other: str, left: list[str], *, passive: bool) -> Clause | None:
    rest = " ".join(left)
    if left and left[0] in {"it", "them"} and " " in other and other.split()[-1] in _PARTICLES:
        first, _, more = other.partition(" ")
        return clause.said_with(first, joined(left[0], more, *left[1:]))
    if passive:
        first, _, more = other.partition(" ")
        if first in {"be", "have"} or (more and more.split()[-1] in _NO_PASSIVE):
            return None
        return replace(clause, verb=first, rest=joined(more, rest))
    if clause.passive:
        clause = replace(clause, verb="", form="base", rest="")
    return clause.said_with(other, rest)
