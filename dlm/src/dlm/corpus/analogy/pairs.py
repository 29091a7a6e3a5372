"""What questions and answers teach: how a property is asked for, how it is answered, and which sentence states it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from .. import makers
from .templates import NAMED, THING, VALUE, Template, slotted
from .words import ARTICLES, Word, stems, telling, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ..records import Record
    from .statements import Statement
    from .things import Mention, Thing, Things

LONGEST_VALUE = 8
"""Words that say something."""
LONGEST_ANSWER = 60
OPEN = ("…",)
PHRASE = frozenset(("at", "on", "in", "with", "for", "by"))
"""Words that start a phrase which adds to a fact rather than changing it, as ``until`` would."""


class Pattern(NamedTuple):
    """Words around a value in a sentence, without what it is about: how a property is stated."""

    before: tuple[str, ...]
    preposition: str
    """Right before the value."""
    after: tuple[str, ...]
    """``OPEN`` when any phrase may follow."""


@dataclass(frozen=True)
class Asked:
    """A question that names one thing, with its answer."""

    thing: Thing
    record: Record
    question: Template
    answer: str
    split: list[Word]
    """Words of the answer."""
    mentions: tuple[Mention, ...]
    """Of the thing, in the answer."""


class Lead(NamedTuple):
    """One way to read a pair: this part of the answer is the value, and this sentence states it."""

    answer: Template
    value: str
    statement: Statement
    patterns: tuple[Pattern, ...]


@dataclass(frozen=True)
class Lesson:
    """A pair that was understood."""

    asked: Asked
    answer: Template
    value: str
    stated: tuple[tuple[Statement, Pattern], ...]
    """Sentences that may have taught it; none when the answer only looks like others."""
    backers: int = 1
    """Things whose answers have the same form."""


def read(questions: Iterable[Record], things: Things) -> list[Asked]:
    """The pairs whose question names exactly one thing."""
    found = []
    for record in questions:
        if [message.role for message in record.messages if message.role != "system"] != ["user", "assistant"]:
            continue
        question, answer = makers.question(record), " ".join(record.messages[-1].content.split())
        split = words(question)
        mentions = one_thing(things.mentions(question, split))
        said = words(answer)
        if mentions and len(said) <= LONGEST_ANSWER:
            thing = mentions[0].thing
            mine = tuple(mention for mention in things.mentions(answer, said) if mention.thing == thing)
            found.append(Asked(thing, record, slotted(question, split, mentions), answer, said, mine))
    return found


def one_thing(mentions: Sequence[Mention]) -> list[Mention]:
    """The mentions, when they are of one thing; names in their own capitals count before words that could be one."""
    for chosen in (mentions, [mention for mention in mentions if mention.exact]):
        if len({mention.thing for mention in chosen}) == 1:
            return list(chosen)
    return []


def understood(pairs: Sequence[Asked], statements: dict[Thing, list[Statement]]) -> list[Lesson]:
    """Every pair with the part of its answer that is the value.

    Pairs help each other: a reading whose answer has the same form for several things beats one that is alone, and an
    answer of such a form has its value there, whatever the sentences about its thing say.
    """
    leads = [list(_leads(pair, statements.get(pair.thing, []))) for pair in pairs]
    backers: dict[tuple[str, ...], set[Thing]] = defaultdict(set)
    for pair, found in zip(pairs, leads, strict=True):
        for lead in found:
            backers[lead.answer.key].add(pair.thing)
    lessons = [_best(pair, found, backers) for pair, found in zip(pairs, leads, strict=True)]
    forms: dict[tuple[str, ...], dict[tuple[str, ...], Lesson]] = defaultdict(dict)
    for lesson in lessons:
        if lesson:
            forms[lesson.asked.question.key].setdefault(lesson.answer.key, lesson)
    settled = [
        lesson if lesson and lesson.backers > 1 else _by_form(pair, forms[pair.question.key].values(), lesson) or lesson
        for pair, lesson in zip(pairs, lessons, strict=True)
    ]
    return [lesson for lesson in settled if lesson]


def _by_form(pair: Asked, others: Iterable[Lesson], alone: Lesson | None) -> Lesson | None:
    """A pair whose answer is like several to the same question; like one, when it cannot be read ``alone``."""
    text = slotted(pair.answer, pair.split, pair.mentions).text
    for lesson in sorted(others, key=lambda lesson: -lesson.backers):
        before, _, after = lesson.answer.text.partition(VALUE)
        value = text[len(before) : len(text) - len(after)]
        whole = text.startswith(before) and text.endswith(after) and len(before) + len(after) < len(text)
        said = whole and not {THING, NAMED} & set(value) and bool((before + after).strip(" ."))
        if said and (lesson.backers > 1 or not alone):
            return Lesson(pair, lesson.answer, value, ())
    return None


def _best(pair: Asked, leads: Sequence[Lead], backers: dict[tuple[str, ...], set[Thing]]) -> Lesson | None:
    votes = {lead.answer.key: len(backers[lead.answer.key]) for lead in leads}
    if not votes:
        return None
    most = max(votes.values())
    first = [lead for lead in leads if votes[lead.answer.key] == most]
    if len({lead.answer.key for lead in first}) > 1:
        first = [lead for lead in first if telling(lead.value)]
        first = _longest(first or [lead for lead in leads if votes[lead.answer.key] == most])
    if len({lead.answer.key for lead in first}) != 1:
        return None
    stated = _stating(pair, first)
    taught = tuple((lead.statement, pattern) for lead in stated for pattern in lead.patterns)
    return Lesson(pair, first[0].answer, first[0].value, taught, most)


def _longest(leads: Sequence[Lead]) -> list[Lead]:
    """The leads with the longest value, if the others are parts of it."""
    longest = max(leads, key=lambda lead: len(lead.value)).value
    same = [lead for lead in leads if lead.value == longest]
    return same if all(lead.value in longest or telling(longest) for lead in leads) else []


def _stating(pair: Asked, leads: Sequence[Lead]) -> list[Lead]:
    """Of the sentences with the value, those that speak most of what is asked."""
    about = stems(pair.question.text) | stems(pair.answer)
    known = stems(pair.thing.name) | stems(leads[0].value)
    overlaps = [len((stems(lead.statement.text) & about) - known) for lead in leads]
    best = [lead for lead, overlap in zip(leads, overlaps, strict=True) if overlap == max(overlaps)]
    apart = {lead.statement.text for lead in best}
    return best if len(apart) == 1 and (max(overlaps) or telling(best[0].value)) else []


def _leads(pair: Asked, statements: Sequence[Statement]) -> Iterator[Lead]:
    """Every longest part of the answer that a statement about the thing says too, and the question does not."""
    split = pair.split
    named = {at for mention in pair.mentions for at in range(mention.first, mention.last)}
    asked = stems(pair.question.text)
    new = {
        word.low for at, word in enumerate(split) if at not in named and not word.grey and not stems(word.low) <= asked
    }
    for statement in statements:
        common = {said.low for said in statement.said} & new
        for first, last in _spans(split, named, statement, common) if common else ():
            start = _with_article(split, first, last)
            value = pair.answer[split[start].start : split[last - 1].end]
            answer = slotted(pair.answer, split, pair.mentions, (start, last))
            patterns = _patterns(statement, [word.low for word in split[first:last] if not word.grey])
            if patterns:
                yield Lead(answer, value, statement, patterns)


def _spans(split: Sequence[Word], named: set[int], statement: Statement, new: set[str]) -> list[tuple[int, int]]:
    """Longest runs of the answer's words that stand in the statement in the same order, starting and ending new.

    A run may be a value with what leads to it, ``led by Tom Reed``: what follows a word that is not new is one as well.
    """
    lows = [word.low for word in statement.words]
    places: dict[str, list[int]] = defaultdict(list)
    for at, low in enumerate(lows):
        places[low].append(at)
    found: list[tuple[int, int]] = []
    at = 0
    while at < len(split):
        last = max((_run(split, named, lows, at, place) for place in places.get(split[at].low, ())), default=at)
        last = max(last, at + 1)
        inside = [i for i in range(at, last) if i not in named and split[i].low in new]
        if inside:
            starts = [i for i in inside if i == inside[0] or split[i - 1].low not in new]
            found += [(start, inside[-1] + 1) for start in starts]
        at = last
    return found


def _run(split: Sequence[Word], named: set[int], lows: Sequence[str], at: int, place: int) -> int:
    while at < len(split) and place < len(lows) and at not in named and split[at].low == lows[place]:
        at, place = at + 1, place + 1
    return at


def _patterns(statement: Statement, value: Sequence[str]) -> tuple[Pattern, ...]:
    """How ``statement`` puts the words of ``value``: as a whole, and up to the phrase after them."""
    lows = [said.low for said in statement.said]
    count = len(value)
    places = [at for at in range(len(lows) - count + 1) if lows[at : at + count] == list(value)]
    if len(places) != 1 or not 0 < count <= LONGEST_VALUE or count == len(lows):
        return ()
    at, end = places[0], places[0] + count
    forms = tuple(said.form for said in statement.said)
    whole = Pattern(forms[:at], statement.said[at].preposition, forms[end:])
    free = at > 0 and (end == len(forms) or statement.said[end].preposition in PHRASE)
    return (whole, whole._replace(after=OPEN)) if free else (whole,)


def _with_article(split: Sequence[Word], first: int, last: int) -> int:
    """Where the words ``first:last`` start with the article that is their own."""
    return first - 1 if first and split[first - 1].low in ARTICLES and ends_phrase(split, last) else first


def ends_phrase(split: Sequence[Word], last: int) -> bool:
    """Whether no noun follows: then an article before belongs to the words themselves."""
    return last >= len(split) or split[last].grey
