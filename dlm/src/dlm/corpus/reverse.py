"""Questions from what is said to what it is said of: "Which service listens on port 4312?".

A model that has only learned to answer from a thing to its values cannot go back. Only answers that name one thing are
turned round, and only on a value that the document says of nothing else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property
from random import Random
from typing import TYPE_CHECKING

from . import nouns, sentences
from .known import Known, like_a_person, place
from .makers import question
from .records import Message, Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .makers import Block

LONGEST = 240
"""Characters of an answer that is turned round."""
MOST_TURNED = 1000
"""Answers that are turned round, of more a sample: no budget has room for all."""
ABOUT = 2
"""Questions that only name the value."""
_ABOUT = (
    "What is {v} linked to?",
    "What do you know about {v}?",
    "Where does {v} come up?",
    "Tell me about {v}.",
)
_RUN = ("What is {v} for?", "What does {v} do?", "When do I run {v}?")
_VERBS = frozenset("is was has had can may must will should does".split())
_OBJECT = re.compile(rf"(?:[\d`#@$€£\"“A-ZÀ-ÖØ-Þ]|(?:{'|'.join(sorted(sentences.FUNCTION_WORDS))})\b)")
_PROPERTY = re.compile(r"The ((?:[a-z][\w-]* ){1,4})(?:of|for) (?:the )?$")
_OWN = re.compile(r"['’]s ((?:[a-z][\w-]* ){1,4})is $")
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class _Said:
    """One answer, taken apart."""

    record: Record
    answer: str
    thing: str
    value: str

    @property
    def before(self) -> str:
        """What stands before the thing."""
        return self.answer[: self._at]

    @property
    def after(self) -> str:
        """What stands after it."""
        return self.answer[self._at + len(self.thing) :]

    @property
    def _at(self) -> int:
        return max(0, place(self.thing, self.answer))


class _Places:
    """Where in the document a phrase stands, and which things are spoken of there."""

    def __init__(
        self, questions: Sequence[Record], blocks: Sequence[Block], known: Known, phrases: Iterable[str]
    ) -> None:
        self._known = known
        wanted = frozenset(word for phrase in phrases for word in _WORD.findall(phrase.casefold()))
        self._questions = questions
        self._units: list[tuple[str, str]] = []
        """A text with what it stands under."""
        for block in blocks:
            for paragraph in block.paragraphs:
                parts = sentences.sentences(paragraph.text) if paragraph.running else paragraph.text.splitlines()
                self._units += [(part, block.record.title) for part in parts]
        self._units += [(f"{question(record)} {record.messages[-1].content}", "") for record in questions]
        self._named: dict[str, list[str]] = {}
        self._found: dict[str, list[int]] = {}
        for number, (text, _) in enumerate(self._units):
            for word in wanted.intersection(_WORD.findall(text.casefold())):
                self._found.setdefault(word, []).append(number)

    @cached_property
    def things(self) -> frozenset[str]:
        """What is asked about, and what has a heading."""
        asked = {name for record in self._questions for name in self._known.names(question(record))}
        headings = {title for _, title in self._units}
        return frozenset(asked | {name for title in headings for name in self._known.names(title)})

    def belongs(self, phrase: str, thing: str) -> bool:
        """Whether every sentence that holds ``phrase``, one of the ``phrases``, is about ``thing`` alone."""
        small = phrase.casefold()
        for number in min((self._found.get(word, []) for word in _WORD.findall(small)), key=len, default=[]):
            text, title = self._units[number]
            if place(small, text.casefold()) >= 0 and (self.named(text, but=phrase) or self._headed(title)) != {thing}:
                return False
        return True

    def named(self, text: str, but: str) -> set[str]:
        """The things in ``text``, outside the phrase ``but``."""
        if text not in self._named:
            self._named[text] = [name for name in self._known.names(text) if name in self.things]
        return {name for name in self._named[text] if name not in but}

    def _headed(self, title: str) -> set[str]:
        """The things of the innermost heading that names one."""
        found = (self.named(part, but="") for part in reversed(title.split(" > ")))
        return next((things for things in found if things), set())


def reverse(
    questions: Sequence[Record], blocks: Sequence[Block], seed: int, known: Known | None = None
) -> list[Record]:
    """Each answer asked for from its value: kind ``reverse``, with the group and section of the question it answered.

    ``value`` is the thing, which is what the answer must say. Questions and blocks are all that the document has: a
    value may belong to another thing in one that is left out. ``known`` is what they all say, for who has it already.
    """
    known = known or Known.of(questions, blocks)
    kinds = _kinds(known)
    found: dict[tuple[str, str], Record] = {}
    for said in _turnable(questions, blocks, known, seed):
        random = Random(f"{seed}\nreverse\n{said.record.group}\n{said.answer}")
        for wording in (*_by_role(said, known, kinds), *_by_value(said, known, random)):
            turns = (Message("user", wording), Message("assistant", said.answer))
            made = replace(said.record, kind="reverse", objective="answer", messages=turns, value=said.thing)
            found.setdefault((said.record.group, wording), made)
    return list(found.values())


def _turnable(questions: Sequence[Record], blocks: Sequence[Block], known: Known, seed: int) -> Iterator[_Said]:
    """Answers of one sentence about one thing, with a value that belongs to it alone."""
    found = _lucky(_valued(questions), seed)
    places = _Places(questions, blocks, known, (value for _, value in found))
    for record, value in found:
        answer = record.messages[-1].content
        things = places.named(answer, but=value)
        if len(things) == 1 and places.belongs(value, thing := things.pop()):
            yield _Said(record, answer, thing, value)


def _valued(questions: Sequence[Record]) -> Iterator[tuple[Record, str]]:
    """Each answer of one sentence once, with its value, which the question does not hold."""
    seen = set()
    for record in questions:
        answer = record.messages[-1].content
        if len(record.messages) != 2 or len(answer) > LONGEST or (record.group, answer) in seen:
            continue
        gap = sentences.key_span(answer, frozenset(sentences.content_words(question(record))))
        value = _as_written(gap) if gap else ""
        if value and value.casefold() not in question(record).casefold() and len(sentences.sentences(answer)) == 1:
            seen.add((record.group, answer))
            yield record, value


def _lucky(found: Iterable[tuple[Record, str]], seed: int) -> list[tuple[Record, str]]:
    """At most :data:`MOST_TURNED`, in their order; the luck of each is its own."""

    def luck(at: int) -> float:
        record = listed[at][0]
        return Random(f"{seed}\nturned\n{record.group}\n{record.messages[-1].content}").random()

    listed = list(found)
    if len(listed) <= MOST_TURNED:
        return listed
    return [listed[at] for at in sorted(sorted(range(len(listed)), key=luck)[:MOST_TURNED])]


def _as_written(gap: sentences.Gap) -> str:
    """The span with the backticks around it."""
    return f"`{gap.span}`" if gap.before.endswith("`") and gap.after.startswith("`") else gap.span


def _kinds(known: Known) -> dict[str, str]:
    """What kind of thing a name is, where the document says so: ``the Kestrel service``, ``Granite Hut``."""
    found: dict[str, str] = {}
    for name in sorted(known.standing_before):
        if len(kinds := known.standing_before[name]) == 1:
            found[name] = next(iter(kinds))
    return found


def _by_role(said: _Said, known: Known, kinds: dict[str, str]) -> Iterator[str]:
    """The answer with a question word where its thing stood, where English allows that as it is."""
    last = said.thing.split(" ")[-1].casefold()
    kind = kinds.get(said.thing) or (last if last in nouns.counted() and " " in said.thing else "")
    who = f"Which {kind}" if kind else "Who" if known.is_person(said.thing) else "What"
    rest = _without_kind(said.after, kind)
    if said.before in ("", "The ") and _is_predicate(rest):
        yield f"{who}{_asking(rest)}"
    elif (match := _PROPERTY.fullmatch(said.before)) and _ends(rest, f" is {said.value}"):
        yield f"Whose {match[1]}is {said.value}?"
        if not like_a_person(said.value) and who != "Who":
            yield f"{who} has the {match[1]}{said.value}?"
    elif said.before in ("", "The ") and (match := _OWN.fullmatch(rest.partition(said.value)[0])):
        yield f"Whose {match[1]}is{_asking(rest[match.end() - 1 :])}"


def _by_value(said: _Said, known: Known, random: Random) -> Iterator[str]:
    """Questions that name the value and nothing else; a bare number, a date or a length of time names nothing."""
    if said.value.startswith("`"):
        yield from (frame.format(v=said.value) for frame in random.sample(_RUN, ABOUT))
    elif said.value.startswith(("#", "@")) or "://" in said.value or known.names(said.value):
        yield from (frame.format(v=said.value) for frame in random.sample(_ABOUT, ABOUT))


def _without_kind(rest: str, kind: str) -> str:
    return rest[len(kind) + 1 :] if kind and rest.startswith(f" {kind} ") else rest


def _is_predicate(rest: str) -> bool:
    """Whether ``rest`` goes on with a verb for one thing: `` listens on port 4312.``"""
    words = rest.split(" ", 2)
    if len(words) < 3 or words[0]:
        return False
    verb, after = words[1:]
    return verb in _VERBS or (verb.isalpha() and verb.endswith(("s", "ed")) and _OBJECT.match(after) is not None)


def _ends(rest: str, end: str) -> bool:
    return rest.rstrip(". ") == end


def _asking(rest: str) -> str:
    return f"{rest.rstrip('. !')}?"
