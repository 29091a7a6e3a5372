"""What a document states of its things: sentences, lines and cells, each with the thing it is about."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from .. import sentences
from .rows import Row, rows, sentence_of
from .templates import NAMED, VALUE, Template, slotted
from .things import Mention, Thing, Things, named
from .words import ARTICLES, PREPOSITIONS, Word, form, plain, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ..makers import Block

_ONE = {"it": NAMED, "its": f"{NAMED}'s"}
_MANY = {"they": NAMED, "their": f"{NAMED}'"}
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

    @property
    def form(self) -> str:
        """The word as patterns have it."""
        return form(self.low)


@dataclass(frozen=True)
class Statement:
    """One sentence about one thing."""

    thing: Thing
    block: Block
    text: str
    words: list[Word]
    said: tuple[Said, ...]
    """Its words without the name of the thing and what only holds a sentence together."""
    template: Template | None
    """With a slot for the thing; ``None`` when the sentence does not say what it is about."""
    others: bool = False
    """Whether it names another thing as well."""
    row: Row | None = None
    """Where it comes from, when that is no sentence."""

    @property
    def written(self) -> str:
        """As the document has it."""
        return self.row.line if self.row else self.text


class Sentence(NamedTuple):
    """A sentence and its words."""

    text: str
    words: list[Word]


class Reader:
    """Reads the statements of a document."""

    def __init__(self, things: Things, common: frozenset[str]) -> None:
        self.things = things
        self.common = common
        """What the document calls its things in general: ``service``, ``hut``."""

    def of_rows(self, block: Block, own: Thing | None, table: Iterable[Row]) -> Iterator[Statement]:
        """What the lists and tables of ``block`` state."""
        for row in table:
            thing = named(row.name) if row.name else own
            if thing:
                thing = self.things.like(thing)
                template = Template(sentence_of(row).replace(VALUE, row.value))
                yield self._statement(thing, block, template, row)

    def of_sentence(self, sentence: Sentence, block: Block, own: Thing | None, *, others: bool) -> Iterator[Statement]:
        """What a sentence of ``block`` states of its thing; ``others``: also what it states of another."""
        text, found = sentence
        if not 2 < len(found) <= LONGEST:
            return
        mentions = self.things.mentions(text, found)
        if own:
            mine = [mention for mention in mentions if mention.thing == own]
            yield self._read(own, block, sentence, mine, others=len(mine) < len(mentions))
        if others and len({mention.thing for mention in mentions}) == 1 and mentions[0].thing != own:
            yield self._read(mentions[0].thing, block, sentence, mentions, others=False)

    def _read(
        self, thing: Thing, block: Block, sentence: Sentence, mentions: Sequence[Mention], *, others: bool
    ) -> Statement:
        text, found = sentence
        dropped = {at for mention in mentions for at in range(mention.first, mention.last)}
        ends = {mention.last for mention in mentions if mention.last < len(found)}
        dropped |= {at for at in ends if found[at].low in self.common}
        if mentions:
            template: Template | None = slotted(text, found, mentions)
        else:
            start = self._general(found)
            dropped |= set(range(start))
            template = _resolved(thing, text, found, start)
        return Statement(thing, block, text, found, tuple(_said(found, dropped)), template, others)

    def _general(self, found: Sequence[Word]) -> int:
        """Words of an opening like ``The hut``."""
        return 2 if found[0].low in ("the", "this") and found[1].low in self.common else 0

    def _statement(self, thing: Thing, block: Block, template: Template, row: Row) -> Statement:
        text = template.fill(thing)
        found = words(text)
        start = len(template.text.partition(NAMED)[0])
        end = start + len(text) - len(template.text) + len(NAMED)
        dropped = {at for at, word in enumerate(found) if start <= word.start < end}
        return Statement(thing, block, text, found, tuple(_said(found, dropped)), template, row=row)


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


def _resolved(thing: Thing, text: str, found: Sequence[Word], start: int) -> Template | None:
    """``text`` with its opening or a pronoun that can only mean the thing as a slot."""
    if start:
        return Template(NAMED + text[found[start - 1].end :])
    pronouns = _MANY if thing.lows[-1].endswith("s") else _ONE
    for at, word in enumerate(found):
        if word.low in pronouns and _means_thing(found, at):
            return Template(text[: word.start] + pronouns[word.low] + text[word.end :])
    return None


def _means_thing(found: Sequence[Word], at: int) -> bool:
    """Whether no word before the pronoun is what it stands for: *It is*, *repairs to it*, *to stop it*."""
    before = [word.low for word in found[:at]]
    if not before or before[-1] in PREPOSITIONS:
        return True
    return (before[0] == "to" and at == 2) or (before[-1] == "," and before[0] in PREPOSITIONS)


def running(block: Block) -> Iterator[Sentence]:
    """Sentences of running prose and of the items of lists."""
    entries = {" ".join(row.line.split()) for row in rows(block.record.text) if not row.name}
    for paragraph in block.paragraphs:
        parts = []
        if paragraph.running:
            parts = [paragraph.text] if not any(paragraph.text.startswith(entry) for entry in entries) else []
        elif not paragraph.text.lstrip().startswith(("```", "~~~", "|", "#", ">")):
            parts = [" ".join(item.split()) for item in _ITEM.split(paragraph.text)[1:]]
        for part in parts:
            if plain(part) not in entries:
                yield from (Sentence(text, words(text)) for text in sentences.sentences(plain(part)))


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
