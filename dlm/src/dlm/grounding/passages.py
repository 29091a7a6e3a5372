"""A document and its sources as passages: one sentence, list item, table row, block of code or answer each, with the
line it stands on and what it stands under. Probes are left out. Nothing here searches or judges.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, NamedTuple

from ..corpus import sentences
from ..document.model import Block, Pair

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ..document.model import Document, Section
    from ..document.types import SectionType

LONGEST_LIST = 1500
"""Characters of a list that is also one passage as a whole."""
_FENCE = re.compile(r" {0,3}(?:```|~~~)")
_ITEM = re.compile(r"\s*(?:[-*+]|\d+[.)])\s+")
_RULE = re.compile(r"[\s|:+-]+")
_QUOTE = re.compile(r" {0,3}(?:> ?)+")
_REFERS = re.compile(
    r"(?:(?:and|but|then|so|otherwise|in this case|afterwards),? )?"
    r"(?:it|its|they|their|he|his|she|her|this|that|these|those|both|each|one|neither|such|here|there)\b",
    re.I,
)

Kind = Literal["text", "row", "list", "code", "answer"]


class Passage(NamedTuple):
    """One thing that the document says."""

    section: str
    """Id of its section."""
    file: str
    line: int
    heading: str
    """Of a pair, its question."""
    text: str
    kind: Kind = "text"
    above: tuple[str, ...] = ()
    """What it stands under, nearest last: headings, the line before a list, the wordings of its question."""
    before: str = ""
    """The sentences that its ``it`` or ``they`` points to."""
    columns: tuple[tuple[str, str], ...] = ()
    """Heading and content of each cell of a table row."""
    items: tuple[str, ...] = ()
    """Of a whole list."""


class Unit(NamedTuple):
    """A piece of text with its line, counted from 0."""

    line: int
    text: str
    kind: Kind = "text"
    before: str = ""
    intro: str = ""
    columns: tuple[tuple[str, str], ...] = ()
    items: tuple[str, ...] = ()


def passages(document: Document, more: Iterable[Section] = ()) -> Iterator[Passage]:
    """Everything that ``document`` and the sections ``more`` of its sources say."""
    from ..document.words import InstalledTypes

    types = InstalledTypes()
    name = document.path.name if document.path else document.location
    for section in (*document.sections, *more):
        yield from _of(document, section, section.origin or name, types)


def units(text: str) -> Iterator[Unit]:
    """``text`` cut into sentences, list items, table rows and blocks of code."""
    intro = ""
    for start, lines in _chunks(text):
        if _FENCE.match(lines[0]):
            code = "\n".join(line for line in lines if not _FENCE.match(line)).strip("\n")
            found = [Unit(start, code, "code", intro=intro)] if code else []
        elif sum(line.lstrip().startswith("|") for line in lines) > 1:
            found = list(_table(start, lines, intro))
        elif any(_ITEM.match(line) for line in lines):
            found = list(_list(start, lines, intro))
        else:
            found = list(_running(start, [_QUOTE.sub("", line) for line in lines]))
        yield from found
        intro = found[-1].text if found and found[-1].kind == "text" and found[-1].text.endswith(":") else ""


def _of(document: Document, section: Section, name: str, types: Mapping[str, SectionType]) -> Iterator[Passage]:
    body = section.body if isinstance(section.body, tuple) else ()
    if body and all(isinstance(part, Block) for part in body):
        lines = section.content.split("\n")
        for block in body:
            yield from _of_block(section, block, name, lines, document.title)
    elif body and all(isinstance(part, Pair) for part in body):
        for pair in body:
            if not pair.probe:
                asked = (*(text for turn in pair.before for text in turn), *pair.questions)
                yield from _answer(section, name, pair.line, asked, pair.answer, pair.questions[0])
    else:
        for record in types[section.type].records(document, section):
            said = tuple(message.content for message in record.messages)
            text, asked = (said[-1], said[:-1]) if said else (record.text, (record.title,))
            yield from _answer(section, name, section.line, asked, text, asked[-1])


def _of_block(section: Section, block: Block, name: str, lines: list[str], document: str) -> Iterator[Passage]:
    """``document`` is the title of all of it, which tells nothing about one block among many."""
    if not block.text:
        return
    first = block.text.split("\n", 1)[0].strip()
    at = next((n for n in range(block.line - section.line, len(lines)) if lines[n].strip() == first), 0)
    title = section.attributes.get("title", "").strip()
    headings = block.headings[1:] if len(block.headings) > 1 and block.headings[0] == document else block.headings
    above = (title, *headings) if title else headings
    heading = above[-1] if above else ""
    for unit in units(block.text):
        where = (*above, unit.intro) if unit.intro else above
        line = section.line + at + unit.line
        yield Passage(
            section.id, name, line, heading, unit.text, unit.kind, where, unit.before, unit.columns, unit.items
        )


def _answer(
    section: Section, name: str, line: int, asked: tuple[str, ...], answer: str, heading: str
) -> Iterator[Passage]:
    for unit in units(answer):
        kind = "answer" if unit.kind == "text" else unit.kind
        yield Passage(section.id, name, line, heading, unit.text, kind, asked, unit.before, unit.columns, unit.items)


def _chunks(text: str) -> Iterator[tuple[int, list[str]]]:
    """Lines between blank lines with the number of the first; a fenced block of code is one whatever is in it."""
    start, held, fenced = 0, list[str](), False
    for number, line in enumerate(text.split("\n")):
        fence = _FENCE.match(line) is not None
        if held and not fenced and (fence or not line.strip()):
            yield start, held
            held = []
        if held or line.strip():
            start = start if held else number
            held.append(line)
        if fence and fenced:
            yield start, held
            held = []
        fenced ^= fence
    if held:
        yield start, held


def _running(start: int, lines: list[str]) -> Iterator[Unit]:
    """The sentences of a paragraph."""
    starts, whole = [], ""
    for line in lines:
        whole += " " if whole else ""
        starts.append(len(whole))
        whole += " ".join(line.split())
    at, row, chain = 0, 0, ""
    for sentence in sentences.sentences(whole):
        at = max(whole.find(sentence, at), at)
        while row + 1 < len(starts) and starts[row + 1] <= at:
            row += 1
        before = chain if _REFERS.match(sentence) else ""
        yield Unit(start + row, sentence, before=before)
        chain = f"{before} {sentence}".strip()
        at += len(sentence)


def _list(start: int, lines: list[str], intro: str) -> Iterator[Unit]:
    """The sentences of each item, then the list as a whole."""
    groups: list[tuple[int, list[str]]] = []
    for number, line in enumerate(lines):
        if _ITEM.match(line) or not groups:
            groups.append((number, []))
        groups[-1][1].append(_ITEM.sub("", line, count=1))
    if not _ITEM.match(lines[0]):
        number, opening = groups.pop(0)
        told = list(_running(start + number, opening))
        yield from told
        intro = told[-1].text if told else intro
    items = tuple(" ".join(" ".join(part).split()) for _, part in groups)
    for number, part in groups:
        for unit in _running(start + number, part):
            yield unit._replace(intro=intro)
    if len(items) > 1 and sum(map(len, items)) <= LONGEST_LIST:
        yield Unit(start + groups[0][0], "; ".join(items), "list", intro=intro, items=items)


def _table(start: int, lines: list[str], intro: str) -> Iterator[Unit]:
    """Each row with the headings of its columns; a table without a rule below the first row has none."""
    ruled = len(lines) > 1 and _RULE.fullmatch(lines[1]) is not None and "-" in lines[1]
    titles = _cells(lines[0]) if ruled else []
    for number, line in enumerate(lines):
        if (ruled and number < 2) or _RULE.fullmatch(line):
            continue
        cells = _cells(line)
        names = [*titles, *("" for _ in cells[len(titles) :])]
        text = " | ".join(cells)
        yield Unit(start + number, text, "row", intro=intro, columns=tuple(zip(names, cells, strict=False)))


def _cells(line: str) -> list[str]:
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
