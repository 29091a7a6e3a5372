"""Whole other sentences for some kinds of question: how something is done, with what, why, whether."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..asking import nouns, verbs
from . import synonyms
from .clause import BE, joined, plural, sentence, without_article

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .facts import Meaning

_TOOLS = frozenset(
    "command commands program tool function pattern loop expression option setting key button formula query method "
    "shortcut script flag keyword operator app menu".split()
)
_USING = frozenset("run type enter use execute call write do".split())
_BETWEEN = re.compile(r"the difference between (.+) and (.+)")
_DOING = (
    "What do I have to do to {vp}?",
    "How can I {vp}?",
    "I want to {vp}. How do I do that?",
    "What is the way to {vp}?",
    "Tell me how to {vp}.",
    "How does one {vp}?",
    "I need to {vp}. What do I do?",
    "What steps are needed to {vp}?",
    "How to {vp}?",
    "I am trying to {vp}. How?",
    "Explain how to {vp}.",
    "What should I do to {vp}?",
    "How would I go about {ger}?",
    "I would like to {vp}. How is that done?",
    "Is there a way to {vp}?",
)
_COMMAND = (
    "Which command do I run to {vp}?",
    "What do I type to {vp}?",
    "What is the command for {ger}?",
    "Which command {vs}?",
    "I want to {vp}. What do I type?",
    "Give me the command to {vp}.",
)
_CODE = ("What do I write to {vp}?", "What do I use to {vp}?", "I want to {vp}. What do I write?")
_TOOL = (
    "What {n} do I need to {vp}?",
    "I want to {vp}. Which {n} do I need?",
    "What is the {n} to {vp}?",
    "How do I {vp}?",
    "Which {n} can {vp}?",
    "Give me the {n} that {vs}.",
    "Is there a {n} that {vs}?",
    "{n} to {vp}?",
    "Which {n} is there to {vp}?",
)
_WHY = (
    "What is the reason that {s}?",
    "How come {s}?",
    "Can you explain why {s}?",
    "{s}. Why is that?",
    "Why is it that {s}?",
    "What is the explanation for the fact that {s}?",
)
_WHETHER = (
    "Is it true that {s}?",
    "{s}: is that right?",
    "Is it the case that {s}?",
    "{s}, yes or no?",
    "{s}, or not?",
)
_MODAL = {
    "can": ("Is it possible {w}to {vp}?", "Would it be possible {w}to {vp}?", "Is there a way {w}to {vp}?"),
    "may": ("Is it permitted {w}to {vp}?", "Is it all right {w}to {vp}?", "Would it be allowed {w}to {vp}?"),
    "must": ("Is it necessary {w}to {vp}?", "Is it required {w}to {vp}?"),
    "should": ("Is it advisable {w}to {vp}?", "Is it a good idea {w}to {vp}?"),
}
_THERE = (
    "Where can I find {x}?",
    "Where do I find {x}?",
    "In which place can I find {x}?",
    "Where would I look for {x}?",
)
_DIFFERENCE = (
    "How do {a} and {b} differ?",
    "How does {a} differ from {b}?",
    "In what way is {a} different from {b}?",
    "What distinguishes {a} from {b}?",
    "What sets {a} apart from {b}?",
    "{a} and {b}: what is the difference?",
    "Where is the difference between {a} and {b}?",
    "{a} or {b}: how are they different?",
)
_HAPPENS = ("What will happen {r}?", "What is the result {r}?", "What should I expect {r}?", "What takes place {r}?")
_WHAT_IS = (
    "What exactly {be} {x}?",
    "Explain what {x} {be}.",
    "What is meant by {x}?",
    "How would you describe {x}?",
    "{x}: what is that?",
    "Can you explain what {x} {be}?",
)
_WHO_IS = ("Who exactly {be} {x}?", "{x}: who is that?", "Explain who {x} {be}.")
_TO_DO = (
    "What should I do {r}?",
    "{r}, what do I do?",
    "What is to be done {r}?",
    "How do I react {r}?",
    "What am I supposed to do {r}?",
    "What is the right thing to do {r}?",
)
_COST = (
    "How much is {x}?",
    "What do I pay for {x}?",
    "How much do I have to pay for {x}?",
    "How expensive is {x}?",
    "{x}: how much?",
)

_ROLE = (
    "Who serves as {n}?",
    "Who has the role of {noun} {rest}?",
    "Who works as {n}?",
    "Who holds the post of {noun} {rest}?",
)
_WHOSE = ("Who does {x} belong to?", "Who owns {x}?", "To whom does {x} belong?")
_KIN = frozenset(
    "mother father brother sister wife husband son daughter friend neighbour neighbor partner child children parent "
    "parents winner owner author founder doctor dentist vet".split()
)


def whole(meaning: Meaning) -> Iterator[str]:
    """Sentences that say the question in a way of its own."""
    if not meaning.compound:
        for family in (
            _doing,
            _with_tool,
            _why,
            _whether,
            _place,
            _difference,
            _definition,
            _distance,
            _happening,
            _emergency,
            _cost,
            _role,
            _whose,
        ):
            yield from family(meaning)


def _doing(meaning: Meaning) -> Iterator[str]:
    """``How do I restart X``, and ``What do I run to restart X``."""
    clause = meaning.clause
    if not clause.generic or clause.form != "base" or clause.copular or "not" in clause.helper:
        return
    verb, rest = clause.verb, clause.rest
    if clause.wh in {"what", "which command"} and verb in _USING and rest.startswith("to "):
        verb, _, rest = rest.removeprefix("to ").partition(" ")
        yield sentence("how do i".replace(" i", " I"), verb, rest, end="?")
    elif clause.wh != "how" or clause.prep:
        return
    kind = meaning.answer.kind
    special = _COMMAND if kind == "command" else _CODE if kind == "code" else ()
    yield from _filled(
        (*_turned(special, meaning), *_turned(_DOING, meaning)), verb, rest, joined(clause.verb, clause.rest)
    )
    if clause.wh == "how":
        for other in synonyms.verbs_for(meaning):
            vp = joined(other.inflected if other.verb else "be", other.rest)
            yield sentence("What do I have to do to", vp, end="?")
            yield sentence("I want to", vp, end=". How do I do that?")


def _turned(frames: tuple[str, ...], meaning: Meaning) -> tuple[str, ...]:
    at = meaning.turn % len(frames) if frames else 0
    return frames[at:] + frames[:at]


def _filled(frames: tuple[str, ...], verb: str, rest: str, own: str) -> Iterator[str]:
    for frame in frames:
        said = frame.format(
            vp=joined(verb, rest), ger=joined(verbs.gerund(verb), rest), vs=joined(verbs.third(verb), rest)
        )
        yield said[:1].upper() + said[1:]


def _with_tool(meaning: Meaning) -> Iterator[str]:
    """``Which command restarts X``."""
    clause = meaning.clause
    noun = clause.wh.partition(" ")[2]
    if clause.subject or noun not in _TOOLS or clause.helper != "does" or " and " in clause.rest:
        return
    vp, vs = joined(clause.verb, clause.rest), clause.statement()
    for frame in _turned(_TOOL, meaning):
        yield sentence(frame.format(n=noun, vp=vp, vs=vs)[:-1], end=frame[-1])


def _why(meaning: Meaning) -> Iterator[str]:
    if meaning.clause.wh == "why":
        yield from _said(_turned(_WHY, meaning), meaning.clause.statement())


def _whether(meaning: Meaning) -> Iterator[str]:
    clause = meaning.clause
    if clause.wh or clause.subject == "there":
        return
    possible = _MODAL.get(clause.helper.removesuffix(" be"), ())
    if possible and clause.helper.split()[-1] != "not":
        vp = joined(*clause.helper.split()[1:], clause.inflected if clause.verb else "", clause.rest)
        whom = "" if clause.generic else f"for {clause.subject} "
        yield from (sentence(frame.format(w=whom, vp=vp)[:-1], end="?") for frame in possible)
    if not clause.generic:
        yield from _said(_turned(_WHETHER, meaning), clause.statement())


def _said(frames: tuple[str, ...], statement: str) -> Iterator[str]:
    for frame in frames:
        text = frame.format(s=statement)
        yield text[:1].upper() + text[1:]


def _place(meaning: Meaning) -> Iterator[str]:
    clause = meaning.clause
    place = clause.wh == "where" and clause.copular and not clause.rest and clause.helper in {"is", "are"}
    if place and clause.subject not in {"I", "we", "you", "he", "she", "they", "it"}:
        yield sentence("where", clause.helper, clause.subject, "located", end="?")
        yield from (frame.format(x=clause.subject) for frame in _THERE)


def _difference(meaning: Meaning) -> Iterator[str]:
    found = _BETWEEN.fullmatch(meaning.clause.subject)
    if found and meaning.clause.wh == "what":
        shared = len(without_article(found[1]).split()) < len(without_article(found[2]).split())
        apart = not plural(found[1]) and not shared
        for frame in _turned(_DIFFERENCE, meaning):
            if apart or "{a} and {b}" in frame:
                yield sentence(frame.format(a=found[1], b=found[2]), end="?")


def _definition(meaning: Meaning) -> Iterator[str]:
    """``What is the Kestrel service``: what it is, not what its name is."""
    clause = meaning.clause
    plain = clause.copular and not clause.rest and clause.helper in {"is", "are"} and clause.wh in {"what", "who"}
    if plain and not meaning.attribute and defines(meaning):
        for frame in _turned(_WHAT_IS if clause.wh == "what" else _WHO_IS, meaning):
            be = clause.helper
            yield sentence(frame.format(x=clause.subject, be=be)[:-1], end=frame[-1])


def defines(meaning: Meaning) -> bool:
    """Whether a thing itself is asked about, and not a property of it: it has a name, or the answer says what it is."""
    subject = meaning.clause.subject
    named = any(word[:1].isupper() or word[:1] == "`" for word in subject.split())
    return named or bool(re.match(rf"{re.escape(subject)} (?:is|are) an? ", meaning.said, re.I))


def _distance(meaning: Meaning) -> Iterator[str]:
    clause = meaning.clause
    if clause.wh == "how far" and clause.copular and clause.subject and clause.rest.startswith(("from ", "to ")):
        other = clause.rest.partition(" ")[2]
        yield f"What is the distance between {clause.subject} and {other}?"
        yield f"What is the distance from {other} to {clause.subject}?"
        yield f"How many {meaning.answer.noun or 'metres'} is {clause.subject} from {other}?"


def _happening(meaning: Meaning) -> Iterator[str]:
    clause = meaning.clause
    if (
        clause.wh == "what"
        and not clause.subject
        and clause.verb == "happen"
        and clause.rest.startswith(("if", "when"))
    ):
        yield from (frame.format(r=clause.rest) for frame in _HAPPENS)
        yield sentence(f"{clause.rest}, what happens", end="?")


def _emergency(meaning: Meaning) -> Iterator[str]:
    """``What do I do when the alarm rings``."""
    clause = meaning.clause
    if (
        clause.wh == "what"
        and clause.generic
        and clause.verb == "do"
        and clause.rest.startswith(("when ", "if ", "in case "))
    ):
        for frame in _turned(_TO_DO, meaning):
            yield sentence(frame.format(r=clause.rest), end="?")


def _cost(meaning: Meaning) -> Iterator[str]:
    clause = meaning.clause
    asked = meaning.attribute
    price = asked is not None and asked.noun in {"price", "cost"}
    thing = asked.owner if asked and price else clause.subject if clause.verb == "cost" and not clause.rest else ""
    if thing and not plural(thing) and clause.helper.split()[0] not in BE - {"is"}:
        yield from (sentence(frame.format(x=thing), end="?") for frame in _COST)


def _role(meaning: Meaning) -> Iterator[str]:
    """``Who serves as the technical lead of X``."""
    own = meaning.attribute
    if (
        own
        and meaning.clause.wh == "who"
        and meaning.clause.helper == "is"
        and own.noun.split()[-1] in nouns.PERSONS - _KIN
    ):
        yield from (frame.format(n=own.of(), noun=own.noun, rest=f"{own.prep} {own.owner}") for frame in _ROLE)


def _whose(meaning: Meaning) -> Iterator[str]:
    clause = meaning.clause
    noun = clause.wh.removeprefix("whose ")
    if clause.opener == "whose" and clause.helper == "is" and clause.subject and noun not in nouns.PERSONS:
        yield from (frame.format(x=clause.subject) for frame in _WHOSE)
