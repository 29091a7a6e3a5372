"""A block's text as passages of sentences: its paragraphs, the items of its lists, and a list with what leads to it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .. import sentences

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..sentences import Paragraph

MOST_ITEMS = 12
LONGEST_ITEM = 12
"""Words of an item that is a thing rather than a text."""
_ITEM = re.compile(r"(?m)^ {0,3}(?:[-*+]|\d+[.)])\s+(?:\[[ xX]\]\s+)?")
_OTHER = re.compile(r"(?m)^\s*(?:[|>#]|```|~~~)")


def passages(paragraphs: Sequence[Paragraph]) -> Iterator[list[str]]:
    """The sentences of each paragraph and item, in the order of the text; other sentences explain their pronouns."""
    lead = ""
    for paragraph in paragraphs:
        items = [] if paragraph.running else items_of(paragraph.text)
        if lead and items and (whole := _joined(lead, items)):
            yield [whole]
        lead = ""
        if paragraph.running:
            said = sentences.sentences(paragraph.text)
            lead = said[-1] if said and said[-1].endswith(":") else ""
            yield said
        else:
            yield from (sentences.sentences(item) for item in items)


def items_of(text: str) -> list[str]:
    """Each item of a list on one line; nothing of a table, a quotation or code."""
    if _OTHER.search(text):
        return []
    _, *items = _ITEM.split(text)
    return [re.sub(r"\s*\n\s*", " ", item.strip()) for item in items]


def _joined(lead: str, items: list[str]) -> str:
    """``Bring:`` and its items as one sentence; empty when the items are texts of their own."""
    things = [item.rstrip(".,;") for item in items]
    short = all(len(thing.split()) <= LONGEST_ITEM and ":" not in thing for thing in things)
    if not short or not 1 < len(things) <= MOST_ITEMS:
        return ""
    return f"{lead} {', '.join(things[:-1])} and {things[-1]}."
