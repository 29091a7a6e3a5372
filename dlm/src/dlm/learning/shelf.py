"""Where a document says what it is asked for: the heading, and the passage that a reader would open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from ..corpus import sentences
from .judging import says, stems

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..corpus.records import Record
    from .expected import Expected

LONGEST_PASSAGE = 3000
"""Bytes of a passage, about 700 tokens of English: what a small base reads in a second or two."""
TELLING = 5
"""Characters of a value that two places do not share by chance."""


class Place(NamedTuple):
    """Where a fact stands."""

    section_id: str
    heading: str
    taught: Literal["pair", "prose"]
    passage: str


@dataclass(frozen=True)
class _Page:
    """One block of text, or one pair."""

    section_id: str
    heading: str
    parts: tuple[str, ...]
    words: frozenset[str]
    folded: str
    """The whole text in small letters."""
    pair: bool


class Shelf:
    """Everything a document and its sources say, made from their primary records."""

    def __init__(self, primary: Iterable[Record]) -> None:
        self._pages = [_page(record) for record in primary]

    def find(self, question: str, wanted: Expected, section_id: str = "", heading: str = "") -> Place | None:
        """Where the document says what ``wanted`` asks for; of several places the one most like the question.

        A section or heading that is known counts for more than any likeness.
        """
        words = stems(f"{question} {' '.join((*wanted.values, *wanted.words))}")
        saying = [page for page in self._pages if _may_say(page, wanted) and wanted.met("\n".join(page.parts))]

        def like(page: _Page) -> tuple[bool, int]:
            known = (section_id == page.section_id) if section_id else bool(heading) and heading == page.heading
            return known, len(words & page.words)

        said = stems(" ".join(wanted.values)) if any(len(value) < TELLING for value in wanted.values) else frozenset()
        pairs = [page for page in saying if page.pair and words & page.words - said]
        text = max((page for page in saying if not page.pair), key=like, default=None)
        found = text or max(pairs, key=like, default=None)
        if found is None:
            return None
        return Place(found.section_id, found.heading, "pair" if pairs else "prose", _passage(found, wanted))


def _page(record: Record) -> _Page:
    if record.messages:
        last = max(index for index, turn in enumerate(record.messages) if turn.role == "user")
        question, answer = record.messages[last].content, record.messages[-1].content
        folded = f"{question}\n{answer}".casefold()
        words = stems(folded)
        return _Page(record.section_id, "questions", (answer,), words, folded, pair=True)
    heading = record.title.split(" > ")[-1]
    parts = tuple(paragraph.text for paragraph in sentences.paragraphs(record.text))
    folded = f"{heading}\n{record.text}".casefold()
    return _Page(record.section_id, heading, parts, stems(folded), folded, pair=False)


def _may_say(page: _Page, wanted: Expected) -> bool:
    """A cheap look before the exact one: the first word of a value, or some of the words."""
    if wanted.values:
        return wanted.loose or all(
            value.casefold().split()[0].strip('`*_"“”,') in page.folded for value in wanted.values
        )
    return not page.words.isdisjoint(stems(" ".join(wanted.words)))


def _passage(page: _Page, wanted: Expected) -> str:
    """The heading with the page's text; of a long one, what stands around the value."""
    whole = "\n\n".join(page.parts)
    if len(whole.encode()) > LONGEST_PASSAGE:
        whole = "\n\n".join(_around(page.parts, wanted))
    return whole if page.pair else f"{page.heading}\n\n{whole}"


def _around(parts: Sequence[str], wanted: Expected) -> list[str]:
    """Whole paragraphs, as many as fit, growing from the one that says the most of what is wanted."""
    sought = wanted.values or wanted.words
    start = max(range(len(parts)), key=lambda index: sum(says(parts[index], piece) for piece in sought))
    first = last = start
    size = len(parts[start].encode())
    while size <= LONGEST_PASSAGE and (first > 0 or last + 1 < len(parts)):
        grow_down = last + 1 < len(parts) and (first == 0 or last - start <= start - first)
        first, last = (first, last + 1) if grow_down else (first - 1, last)
        size = sum(len(part.encode()) for part in parts[first : last + 1])
    if size > LONGEST_PASSAGE and first < last:
        first, last = (first, last - 1) if last > start else (first + 1, last)
    return [parts[first][:LONGEST_PASSAGE]] if first == last else list(parts[first : last + 1])
