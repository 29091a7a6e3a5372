"""What is said and asked of one thing of a document, carried over to its others.

Ten services have a paragraph each, and some have questions with answers. Those show how a property is asked for and
which sentence states it; the other services have the sentence only. No list of words about any subject: what a thing
is, how it is called and what a property is called come from the document. A fact of which two places disagree is left
out, and so is whatever could be read in two ways. English in its function words alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import telling
from .facts import known

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..makers import Block
    from ..records import Record
    from .attributes import Attribute
    from .templates import Template


def by_analogy(questions: Sequence[Record], blocks: Sequence[Block]) -> list[Record]:
    """Questions about each thing that the document asks or answers about its others.

    ``questions`` are conversations that end with the answer. A record belongs to the section that states its fact. No
    record repeats one of ``questions``.
    """
    room = min((block.room for block in blocks), default=0)
    seen = {record.messages[-2:] for record in questions}
    found: list[Record] = []
    forms: dict[Attribute, list[Template]] = {}
    for fact in known(questions, blocks):
        if fact.attribute not in forms:
            forms[fact.attribute] = telling.forms(fact.attribute)
        for record in telling.records(fact, forms[fact.attribute], room):
            if record.messages not in seen:
                seen.add(record.messages)
                found.append(record)
    return found
