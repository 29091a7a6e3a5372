"""What each thing has for each property, and who says so."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from .attributes import Attribute, Match, attributes
from .pairs import Asked, Lesson, Pattern, read, understood
from .statements import Reader, Sentence, Statement, common_names, running, shared_rows
from .templates import THING
from .things import Things, named, own_things, spelled
from .unseen import extended
from .words import agree, key, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..makers import Block
    from ..records import Record
    from .rows import Row
    from .things import Thing


class Source(NamedTuple):
    """One place that says the value."""

    value: str
    match: Match | None
    lesson: Lesson | None
    pattern: Pattern | None = None
    """By which the match was read."""

    @property
    def record(self) -> Record:
        """The record of the pair or of the block."""
        if self.lesson:
            return self.lesson.asked.record
        assert self.match
        return self.match.statement.block.record

    @property
    def text(self) -> str:
        """As the document says it."""
        if self.lesson:
            return self.lesson.asked.answer
        assert self.match
        return self.match.statement.written


@dataclass(frozen=True)
class Known:
    """Everything that is said about one property of one thing."""

    thing: Thing
    attribute: Attribute
    sources: tuple[Source, ...]
    unread: tuple[Asked, ...] = ()
    """Pairs about the property whose answer gives no value that could be read."""

    @cached_property
    def value(self) -> str:
        """The value; empty when two places disagree."""
        first = self.sources[0].value
        same = all(agree(one.value, other.value) for one in self.sources for other in self.sources)
        likely = all(set(key(first)) <= set(key(pair.answer)) for pair in self.unread)
        return first if same and likely else ""


def known(questions: Sequence[Record], blocks: Sequence[Block]) -> list[Known]:
    """Every property of every thing that the document's parallels let us read."""
    own = own_things(blocks)
    table = shared_rows(blocks, own)
    text = [list(running(block)) for block in blocks]
    cells = [thing for found in table for row in found if row.name and (thing := named(row.name))]
    things = _as_spelled(Things([*(thing for thing in own if thing), *cells]), questions, text)
    pairs = read(questions, things)
    statements = _statements(blocks, [thing and things.like(thing) for thing in own], table, text, things, pairs)
    by_thing: dict[Thing, list[Statement]] = defaultdict(list)
    for statement in statements:
        by_thing[statement.thing].append(statement)
    lessons = understood(pairs, by_thing)
    found = extended(attributes(lessons, statements), statements)
    return [one for attribute in found for one in _of(attribute, pairs)]


def _as_spelled(things: Things, questions: Sequence[Record], text: Sequence[list[Sentence]]) -> Things:
    asked = [Sentence(said, words(said)) for record in questions for _, said in record.messages[-2:]]
    return Things(spelled(things, [*asked, *(sentence for found in text for sentence in found)]))


def _statements(
    blocks: Sequence[Block],
    own: Sequence[Thing | None],
    table: Sequence[list[Row]],
    text: Sequence[list[Sentence]],
    things: Things,
    pairs: Sequence[Asked],
) -> list[Statement]:
    asked = {pair.thing for pair in pairs}
    families = {_family(block) for block, thing in zip(blocks, own, strict=True) if thing in asked}
    reader = Reader(things, _common(blocks, text, pairs))
    found: list[Statement] = []
    for block, thing, rows, said in zip(blocks, own, table, text, strict=True):
        others = _family(block) not in families
        found += reader.of_rows(block, thing, rows)
        for sentence in said:
            found += reader.of_sentence(sentence, block, thing, others=others)
    return found


def _family(block: Block) -> str:
    """What the heading stands under."""
    return block.record.title.rpartition(" > ")[0]


def _common(blocks: Sequence[Block], text: Sequence[list[Sentence]], pairs: Sequence[Asked]) -> frozenset[str]:
    """What the document calls its things in general: ``The hut``, ``the Kestrel service``."""
    starts = [sentence.words[:2] for found in text for sentence in found]
    openings = [(pair[0].low, pair[1].low) for pair in starts if len(pair) == 2]
    titles = " ".join(dict.fromkeys(block.record.title.split(" > ")[0] for block in blocks))
    after: dict[str, tuple[set[Thing], set[tuple[str, ...]]]] = {}
    for pair in pairs:
        split = words(pair.question.text)
        for at, word in enumerate(split[:-1]):
            following = split[at + 1]
            if word.low == THING and not following.grey and at and split[at - 1].low == "the":
                found = after.setdefault(following.low, (set(), set()))
                found[0].add(pair.thing)
                found[1].add(pair.question.key)
    followers = {low for low, (things, forms) in after.items() if min(len(things), len(forms)) > 1}
    return common_names(titles, openings) | followers


def _of(attribute: Attribute, pairs: Sequence[Asked]) -> Iterable[Known]:
    sources: dict[Thing, list[Source]] = defaultdict(list)
    for lesson in attribute.lessons:
        sources[lesson.asked.thing].append(Source(lesson.value, None, lesson))
    for pattern, found in attribute.patterns.items():
        for match in found:
            sources[match.statement.thing].append(Source(match.value, match, None, pattern))
    asked = {way.question.key for way in attribute.ways}
    read_pairs = {id(lesson.asked) for lesson in attribute.lessons}
    unread: dict[Thing, list[Asked]] = defaultdict(list)
    for pair in pairs:
        if pair.question.key in asked and id(pair) not in read_pairs:
            unread[pair.thing].append(pair)
    for thing, said in sources.items():
        yield Known(thing, attribute, tuple(said), tuple(unread.get(thing, ())))
