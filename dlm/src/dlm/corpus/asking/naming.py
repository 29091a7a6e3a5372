"""Who or what a sentence is about, and the name in the place of the pronoun that opens it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from . import nouns, phrases
from .sentence import Statement, out_of_reach
from .words import AUX, DET, DETERMINERS, NUMBERS, PAST, THIRD, head, is_plural, number, tag

if TYPE_CHECKING:
    from collections.abc import Iterator

_PRONOUN = re.compile(r"(It|They|He|She|This|These)(?= )")
_POSSESSIVE = re.compile(r"(Its|Their|His|Her)(?= )")
_INNER = re.compile(r"((?:When|If|Once|As soon as|Before|After|Until|While|Whenever|Unless) )(it|they|he|she)(?= )")
_ABOUT = frozenset("the of for at about over in".split())
"""Words before a name that ends a title."""
_NO_THING = frozenset("each every no any we you nobody there both some".split())
_KIND = re.compile(r"(?m)(?:^|(?<=[.!?] ))((?:[A-Z][\w-]*)(?: [A-Z0-9][\w-]*)*) is (?:the|a|an|our) ([a-z][\w -]*)")
_NAMES = re.compile(r"(?<=[a-z,;>] )[A-Z][\w-]*(?: [A-Z0-9][\w-]*)*")
_RUN = re.compile(r"[A-Z][^\W\d_]*(?:\.(?= [A-Z]))?(?: [A-Z][^\W\d_]*)+")
_IMPERSONAL = re.compile(r"It (?:takes|took|costs) .+ to [a-z]")
_KINDS = frozenset(
    "runbook handbook manual guide guidebook notes note faq policy policies rules rulebook handover playbook wiki "
    "documentation docs overview introduction info information sheet factsheet reference readme protocol procedure "
    "procedures instructions leaflet brochure booklet page charter".split()
)
"""What a document is, after the name of what it is about."""


@dataclass(frozen=True)
class Context:
    """What has been said so far."""

    thing: str
    """What the text is about: a name, or empty."""
    last: str = ""
    """The subject of the sentence before."""
    before: str = ""
    """The sentence before."""
    kinds: tuple[tuple[str, str], ...] = ()
    """Nouns, each with the one thing that is so called."""

    def after(self, statement: Statement) -> Context:
        """The context of the next sentence. ``statement`` has its pronouns replaced."""
        return replace(self, last=subject_of(statement) or self.last, before=statement.said)

    @property
    def person(self) -> str:
        """The one person that the sentence before names."""
        people = _people(self.before)
        return people[0] if len(people) == 1 else ""


def thing_of(title: str, text: str, *, inner: bool) -> str:
    """The name that ``text`` under ``title`` is about; empty when the title holds none that the text uses.

    ``Kittiwake runbook`` is about Kittiwake if the text calls it so, and ``Handing over the Sigrun`` about the Sigrun.
    An ``inner`` title of one word may be any noun.
    """
    words = title.replace(":", " ").split()
    while words and words[-1].lower() in _KINDS:
        words.pop()
    last = next((at for at in range(len(words), 0, -1) if not _is_proper(words[at - 1 :])), 0)
    ending = words[last:] if last and words[last - 1].lower() in _ABOUT else []
    for name in (*(words[:end] for end in range(len(words), 0, -1)), ending):
        if name and _is_proper(name) and (found := _mentioned(" ".join(name), text, sure=not inner)):
            return f"the {' '.join(name)}" if found[1] else " ".join(name)
    return ""


def _mentioned(name: str, text: str, *, sure: bool) -> re.Match[str] | None:
    """Where ``text`` uses the name. A single word of an inner heading may be any noun: only a capital
    inside a sentence tells."""
    if name not in text:
        return None
    common = " " not in name and (is_plural(name) or tag(name.lower()) != 0 or not sure)
    before = r"(?<=[a-z,;] )" if common else r"\b"
    return re.search(rf"{before}([Tt]he )?{re.escape(name)}\b", text)


def _is_proper(words: list[str]) -> bool:
    first = words[0].lower()
    return first not in DETERMINERS and all(word[0].isupper() or word[0].isdigit() for word in words)


def named(sentence: str, context: Context) -> str:
    """``sentence`` with a name in the place of the pronoun that opens it; empty when it is not clear which."""
    said = sentence if "`" in sentence else " ".join(sentence.split())
    if found := _PRONOUN.match(said):
        return _replaced(said, found, context)
    if found := _POSSESSIVE.match(said):
        who = _meant(found[1], context)
        return f"{_capital(_owner(who))}{said[found.end() :]}" if who else ""
    if found := _INNER.match(said):
        who = _meant(found[2].capitalize(), context)
        return f"{found[1]}{who}{said[found.end() :]}" if who else ""
    return _called(said, context)


def _called(said: str, context: Context) -> str:
    """``The service listens`` with the service's name."""
    for noun, name in context.kinds:
        if found := re.match(rf"(?:The|This) {re.escape(noun)}(?:'s)?(?= )", said):
            after = said[found.end() :].split(maxsplit=1)[0].rstrip(",")
            if tag(after) & (AUX | THIRD | PAST) and not tag(after) & DET:
                return name + said[found.end() - (2 if found[0].endswith("'s") else 0) :]
    return said


def _replaced(said: str, found: re.Match[str], context: Context) -> str:
    following = said[found.end() :].split(maxsplit=2)
    pointing = found[1] in {"This", "These"}
    if pointing and (called := _called(said, context)) != said:
        return called
    if pointing and not tag(following[0]) & AUX:
        noun = following[0].rstrip(",.")
        if not context.last or noun.lower() != context.last.split()[-1].lower():
            return ""
        return _capital(context.last) + said[found.end() + 1 + len(noun) :]
    if pointing:
        return ""
    if _IMPERSONAL.match(said):
        return said
    if found[1] == "It" and re.match(r"(?:is|was|seems|appears) \w+ (?:that|to|for)\b", said[found.end() + 1 :]):
        return ""
    who = _meant(found[1], context)
    return _capital(who) + said[found.end() :] if who else ""


def _meant(pronoun: str, context: Context) -> str:
    if pronoun in {"He", "She", "His", "Her"}:
        # Ships are she.
        ship = context.thing if pronoun in {"She", "Her"} and context.thing.startswith("the ") else ""
        return context.person or ("" if _people(context.before) or context.last not in {"", ship} else ship)
    plural = pronoun in {"They", "Their"}
    for who in (context.last, context.thing):
        if who and plural == _is_many(who) and not (who == context.thing and phrases.is_person(tuple(who.split()))):
            return who
    return ""


def _is_many(who: str) -> bool:
    words = tuple(who.split())
    return number(words) == "plural" or ("and" in words) or (words[0].lower() in NUMBERS - {"one"})


def subject_of(statement: Statement) -> str:
    """The subject of a sentence as it may stand in another one; empty when it is not clear."""
    made = statement.clauses
    if not made or len(made[0].subject) > 6 or made[0].subject == ("I",) or out_of_reach(made[0].subject):
        return ""
    subject = list(made[0].subject)
    low = subject[0].lower()
    many = is_plural(subject[-1]) and subject[-1].islower()
    if low in DETERMINERS or (subject[0][0].isupper() and many):
        subject[0] = "the" if low in {"a", "an"} else low
    elif not subject[0][0].isupper():
        return ""
    if low in _NO_THING:
        return ""
    return " ".join(subject)


def _people(text: str) -> list[str]:
    runs = (found[0].rstrip(".").split() for found in _RUN.finditer(text))
    return list(dict.fromkeys(" ".join(run) for run in runs if phrases.is_person(tuple(run))))


def kind_of(text: str) -> Iterator[tuple[str, str]]:
    """What the text says its names are: ``Kittiwake is the tide service of the harbour`` makes it a service."""
    for found in _KIND.finditer(text):
        noun = head(tuple(found[2].split()))
        if noun.isalpha() and noun.islower() and not is_plural(noun) and not phrases.is_role((noun,)):
            yield noun, found[1]


def names_in(text: str) -> Iterator[str]:
    """What has a capital inside a sentence."""
    yield from (found[0] for found in _NAMES.finditer(text))


def people_of(text: str) -> frozenset[str]:
    """Single names that are people's, since the text has them beside a second name: ``Runa`` of ``Runa Solheim``."""
    return frozenset(name for person in _people(text) for name in person.split() if name.lower() not in nouns.TITLES)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _owner(text: str) -> str:
    return f"{text}'" if is_plural(text.split()[-1]) and text.split()[-1].islower() else f"{text}'s"
