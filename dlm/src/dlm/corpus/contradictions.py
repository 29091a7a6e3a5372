"""Where a document says two things that cannot both hold.

Three ways to see one: two pairs with the same question and other values; a thing with two values for a property of
which its likes have one; an answer and a sentence that are the same but for a number, a time, a command or the like.
What is only worded otherwise, or said at greater length, is none. How properties are read: :mod:`.analogy`.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Literal, NamedTuple

from . import makers
from .analogy.facts import Known, Source, known
from .analogy.pairs import OPEN
from .analogy.statements import running
from .analogy.words import agree, shape, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .makers import Block
    from .records import Record

LEAST_ALIKE = 3
"""Things with one value each, before two values of another thing are taken for a mistake."""
MOST_ODD = 0.2
"""Share of things that may have two values; of more, the property may have several."""
_HARD = frozenset(("number", "time", "code", "tag", "address", "id"))
"""Kinds of word that are a value wherever they stand."""


Subject = Literal["name", "title", "general"]
"""How a sentence names what it is about: by a name of its own, by the document's title, or as *it* or *the team*."""
_SAME = ({"name"}, {"title"}, {"title", "general"})


class Place(NamedTuple):
    """Where something is said."""

    section_id: str
    text: str
    """As the document has it."""


@dataclass(frozen=True)
class Contradiction:
    """Two places of a document that disagree."""

    what: str
    """What they disagree about, for people."""
    first: Place
    second: Place


def find(questions: Sequence[Record], blocks: Sequence[Block]) -> list[Contradiction]:
    """Every contradiction that is certain enough to report, each pair of places once.

    ``questions`` are the pairs of the document, ``blocks`` its headings with their text, as :mod:`.study` has them.
    """
    found: dict[frozenset[Place], Contradiction] = {}
    for one in (*_of_questions(questions), *_of_things(known(questions, blocks)), *_of_sentences(questions, blocks)):
        found.setdefault(frozenset((one.first, one.second)), one)
    return list(found.values())


def _single(questions: Iterable[Record]) -> Iterator[tuple[Record, str, str]]:
    """Pairs that continue no other, as record, question and answer."""
    for record in questions:
        if [message.role for message in record.messages if message.role != "system"] == ["user", "assistant"]:
            yield record, makers.question(record), " ".join(record.messages[-1].content.split())


def _of_questions(questions: Sequence[Record]) -> Iterator[Contradiction]:
    same: dict[tuple[str, ...], dict[str, tuple[Record, str, str]]] = defaultdict(dict)
    for record, question, answer in _single(questions):
        asked = tuple(word.low for word in words(question) if word.low not in ".?!,")
        same[asked].setdefault(answer, (record, question, answer))
    for answers in same.values():
        for (one, question, first), (other, _, second) in combinations(answers.values(), 2):
            if one.group != other.group and _differ(question, first, second):
                what = f"two answers to “{question}”"
                yield Contradiction(what, Place(one.section_id, first), Place(other.section_id, second))


def _differ(question: str, first: str, second: str) -> bool:
    """Whether two answers to ``question`` give different values."""
    yes = {first.split()[0].strip(",.!").lower(), second.split()[0].strip(",.!").lower()}
    if yes == {"yes", "no"}:
        return True
    one, other = _values(first, question), _values(second, question)
    hard = one.keys() == other.keys() and any(one[kind].isdisjoint(other[kind]) for kind in one)
    return hard or _differ_in_name(first, second)


def _values(text: str, question: str = "") -> dict[tuple[str, str], set[str]]:
    """The hard values of ``text`` that the question does not give, by kind and unit."""
    asked = {word.low for word in words(question)}
    split = words(text)
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for at, word in enumerate(split):
        said = text[word.start : word.end]
        kind = shape(said).kind
        if kind in _HARD and word.low not in asked:
            following = split[at + 1].low if kind == "number" and at + 1 < len(split) else ""
            found[kind, following if following.isalpha() else ""].add(word.low)
    return found


def _differ_in_name(first: str, second: str) -> bool:
    """Whether the answers are the same words but for a name."""
    one, other = words(first), words(second)
    start = 0
    while start < min(len(one), len(other)) and one[start].low == other[start].low:
        start += 1
    end = 0
    while end < min(len(one), len(other)) - start and one[-1 - end].low == other[-1 - end].low:
        end += 1
    both = ((first, one), (second, other))
    said = [text[split[start].start : split[-1 - end].end] for text, split in both if start < len(split) - end]
    names = len(said) == 2 and all(shape(name).kind == "name" for name in said)
    return names and start > 1 and not agree(*said)


def _of_things(facts: Iterable[Known]) -> Iterator[Contradiction]:
    by_attribute: dict[object, list[Known]] = defaultdict(list)
    for fact in facts:
        by_attribute[fact.attribute].append(fact)
    for alike in by_attribute.values():
        odd = [(fact, pair) for fact in alike if (pair := _at_odds(fact))]
        if len(alike) - len(odd) >= LEAST_ALIKE and len(odd) <= max(1, MOST_ODD * len(alike)):
            for fact, (one, other) in odd:
                question = fact.attribute.ways[0].question.fill(fact.thing)
                what = f"{one.value} or {other.value}: “{question}”"
                yield Contradiction(what, _place(one), _place(other))


def _at_odds(fact: Known) -> tuple[Source, Source] | None:
    """Two sources with values of one kind that disagree, when no third settles that both are meant."""
    sure = [source for source in fact.sources if source.pattern is None or source.pattern.after != OPEN]
    for one, other in combinations(sure, 2):
        same_kind = shape(one.value).kind == shape(other.value).kind
        if same_kind and not agree(one.value, other.value) and _place(one) != _place(other):
            return one, other
    return None


def _place(source: Source) -> Place:
    return Place(source.record.section_id, source.text)


def _of_sentences(questions: Sequence[Record], blocks: Sequence[Block]) -> Iterator[Contradiction]:
    """Answers and sentences of the same words with another hard value."""
    title = {word.low for block in blocks for word in words(block.record.title.split(" > ")[0])}
    by_form: dict[frozenset[str], list[tuple[Subject, Place]]] = defaultdict(list)
    for block in blocks:
        for sentence in running(block):
            for subject, form in _forms(sentence.text, title):
                by_form[form].append((subject, Place(block.record.section_id, sentence.text)))
    for record, question, answer in _single(questions):
        for subject, form in _forms(answer, title):
            found = [place for other, place in by_form.get(form, ()) if {subject, other} in _SAME]
            if len({place.text for place in found}) != 1:
                continue
            mine, theirs = _values(answer), _values(found[0].text)
            if mine != theirs and mine.keys() == theirs.keys():
                what = f"{_spelled(mine)} or {_spelled(theirs)}: “{question}”"
                yield Contradiction(what, Place(record.section_id, answer), found[0])


def _spelled(values: dict[tuple[str, str], set[str]]) -> str:
    return " and ".join(sorted(value for found in values.values() for value in found))


def _forms(text: str, title: set[str]) -> Iterator[tuple[Subject, frozenset[str]]]:
    """The words of a sentence with one hard value, without that value, and how it names what it is about."""
    values = _values(text)
    if sum(map(len, values.values())) != 1:
        return
    split = words(text)
    hard = next(iter(values.values()))
    general = 1 if split[0].low in ("it", "its") else 2 if split[0].low in ("the", "this") else 0
    form = frozenset(word.low for word in split if not word.grey and word.low not in hard)
    if len(form - title) > 1:
        yield ("title", form - title) if form & title else ("name", form)
    rest = form - {word.low for word in split[:general]}
    if general and len(rest) > 1:
        yield "general", rest
