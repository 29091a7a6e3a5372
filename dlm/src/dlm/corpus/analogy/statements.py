"""What a document states of its things: sentences, lines and cells, each with the thing it is about."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from .. import sentences
from .rows import Row, rows, sentence_of
from .templates import THING, VALUE, Template, slotted
from .things import Thing, Things, named
from .words import ARTICLES, PREPOSITIONS, Word, plain, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ..makers import Block

_SUBJECT = {"it": THING, "its": f"{THING}'s", "they": THING, "their": f"{THING}'s"}
_ITEM = re.compile(r"(?m)^\s*(?:[-*+]|\d+[.)])\s+")
LONGEST = 60
"""Words of a sentence; longer ones hold more than one fact."""


class Said(NamedTuple):
    """A word that says something."""

    low: str
    start: int
    end: int
    preposition: str
    """The last one between it and the word before."""


@dataclass(frozen=True)
class Statement:
    """One sentence about one thing."""

    thing: Thing
    block: Block
    text: str
    said: tuple[Said, ...]
    """Its words without the name of the thing and what only holds a sentence together."""
    template: Template | None
    """With a slot for the thing; ``None`` when the sentence does not say what it is about."""
    label: str = ""
    """Of a row."""
    value: str = ""
    """Of a row."""
    line: str = ""
    """Of a row: as it is written."""

    @property
    def written(self) -> str:
        """As the document has it."""
        return self.line or self.text


class Reader:
    """Reads the statements of a document."""

    def __init__(self, things: Things, common: frozenset[str]) -> None:
        self.things = things
        self.common = common
        """What the document calls its things in general: ``service``, ``hut``."""

    def of_block(self, block: Block, own: Thing | None, table: Iterable[Row], *, others: bool) -> Iterator[Statement]:
        """Every statement of ``block``; ``others``: also of things that are not its own."""
        for row in table:
            thing = named(row.name) if row.name else own
            if thing:
                template = Template(sentence_of(row.label).replace(VALUE, row.value))
                yield self._statement(thing, block, template.fill(thing), template, row)
        for sentence in running(block):
            yield from self._of_sentence(sentence, block, own, others=others)

    def _of_sentence(self, text: str, block: Block, own: Thing | None, *, others: bool) -> Iterator[Statement]:
        found = words(text)
        if not 2 < len(found) <= LONGEST:
            return
        mentions = self.things.mentions(text, found)
        if own:
            mine = [mention for mention in mentions if mention.thing == own]
            yield self._read(
                own, block, text, found, [(m.first, m.last) for m in mine], slotted(text, mine) if mine else None
            )
        if others and len({mention.thing for mention in mentions}) == 1 and mentions[0].thing != own:
            spans = [(mention.first, mention.last) for mention in mentions]
            yield self._read(mentions[0].thing, block, text, found, spans, slotted(text, mentions))

    def _read(
        self,
        thing: Thing,
        block: Block,
        text: str,
        found: Sequence[Word],
        spans: list[tuple[int, int]],
        template: Template | None,
    ) -> Statement:
        dropped = {at for first, last in spans for at in range(first, last)}
        dropped |= {last for _, last in spans if last < len(found) and found[last].low in self.common}
        if template is None:
            start = self._general(found)
            dropped |= set(range(start))
            template = _resolved(text, found, start)
        return Statement(thing, block, text, tuple(_said(found, dropped)), template)

    def _general(self, found: Sequence[Word]) -> int:
        """Words of an opening like ``The hut``."""
        return 2 if found[0].low in ("the", "this") and found[1].low in self.common else 0

    def _statement(self, thing: Thing, block: Block, text: str, template: Template, row: Row) -> Statement:
        found = words(text)
        start = text.find(thing.name)
        end = start + len(thing.name)
        dropped = {at for at, word in enumerate(found) if start <= word.start < end}
        return Statement(thing, block, text, tuple(_said(found, dropped)), template, row.label, row.value, row.line)


def _said(found: Sequence[Word], dropped: set[int]) -> Iterator[Said]:
    preposition = ""
    for at, word in enumerate(found):
        if at in dropped:
            preposition = ""
        elif word.low in PREPOSITIONS:
            preposition = word.low
        elif not word.grey:
            yield Said(word.low, word.start, word.end, preposition)
            preposition = ""


def _resolved(text: str, found: Sequence[Word], start: int) -> Template | None:
    """``text`` with its opening or its first pronoun as the thing's slot."""
    if start:
        return Template(THING + text[found[start - 1].end :])
    for word in found:
        if word.low in _SUBJECT:
            return Template(text[: word.start] + _SUBJECT[word.low] + text[word.end :])
    return None


def running(block: Block) -> Iterator[str]:
    """Sentences of running prose and of the items of lists."""
    entries = {" ".join(row.line.split()) for row in rows(block.record.text) if not row.name}
    for paragraph in block.paragraphs:
        if paragraph.running:
            if not any(paragraph.text.startswith(entry) for entry in entries):
                yield from sentences.sentences(plain(paragraph.text))
        elif not paragraph.text.lstrip().startswith(("```", "~~~", "|", "#", ">")):
            for item in _ITEM.split(paragraph.text)[1:]:
                joined = " ".join(plain(item).split())
                if joined not in entries:
                    yield from sentences.sentences(joined)


def shared_rows(blocks: Sequence[Block], own: Sequence[Thing | None]) -> list[list[Row]]:
    """The rows of every block whose property two things have at least.

    A table of two columns whose first cells come back under other headings lists properties of its heading.
    """
    read = [rows(block.record.text) for block in blocks]
    under: dict[str, set[Thing | None]] = {}
    for thing, found in zip(own, read, strict=True):
        for row in found:
            if row.name:
                under.setdefault(row.name.lower(), set()).add(thing)
    turned = [[_turned(row) if len(under.get(row.name.lower(), ())) > 1 else row for row in found] for found in read]
    holders: Counter[str] = Counter()
    seen = set()
    for thing, found in zip(own, turned, strict=True):
        for row in found:
            holder = (row.label.lower(), row.name or (thing.name if thing else ""))
            holders[row.label.lower()] += holder not in seen
            seen.add(holder)
    return [[row for row in found if holders[row.label.lower()] > 1] for found in turned]


def _turned(row: Row) -> Row:
    return Row(row.name, row.value, "", row.line)


def common_names(title: str, openings: Iterable[tuple[str, str]]) -> frozenset[str]:
    """What a document calls its things in general.

    That is a noun of its title that sentences start with (``The hut``), and a noun that follows the names in questions.
    ``openings`` are the first two words of every sentence.
    """
    of_title = {word.low for word in words(title) if not word.grey}
    singular = of_title | {low[:-1] for low in of_title if low.endswith("s") and len(low) > 3}
    return frozenset(second for first, second in openings if first in ARTICLES | {"this"} and second in singular)
