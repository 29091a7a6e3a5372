"""Texts that belong to one adapter of several: what a gate learns to tell them apart from. Nothing is trained here.

A section that one adapter alone is trained on speaks for it; prose without a suffix belongs to all, and says nothing.
Of each, questions (as written, made of its sentences, and in other words) and the paragraphs of its text. Probes are
left out, and so are questions that continue a conversation: alone they do not say what they are about.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from ..document.read import records_of
from ..document.routing import declared, routed
from .facts import facts
from .makers import question
from .preferred import is_pair
from .study import lay_out

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ..document import Document, Section
    from .lesson import Lesson
    from .records import Record

Kind = Literal["question", "text"]
MOST: dict[Kind, int] = {"question": 192, "text": 64}
"""Of one adapter. More make a gate no better, and each is a forward pass."""
OTHER_WORDINGS = 4
"""Of a fact, beside those of the document."""
LEAST_WORDS = 8
"""Of a paragraph: shorter ones are labels and numbers."""
FOLDS = 5
"""Each group is held out once, with a fifth of its adapter's others."""


@dataclass(frozen=True)
class Sample:
    """One text with the adapter it belongs to."""

    text: str
    adapter: str
    kind: Kind
    group: str
    """Texts that say the same share a group; a group is held out as a whole."""
    fold: int | None = None
    """With which others it is held out; ``None`` for never, where an adapter has one group only."""


def samples(document: Document, more: Iterable[Section], seed: int) -> list[Sample]:
    """Every text that belongs to one of the document's adapters, by adapter in their order, each text once.

    ``more`` are the sections of its sources and those replayed. Which are taken of many depends on the seed and on each
    text alone.
    """
    names = declared(document)
    sections = (*document.sections, *more)
    found: list[Sample] = []
    for name in names:
        own = [section for section in sections if routed(section, names) == (name,)]
        primary = tuple(records_of(own, document))
        found += _folded(_kept(_distinct(_texts(document, primary, name, seed)), seed), seed)
    return found


def _texts(document: Document, primary: Sequence[Record], name: str, seed: int) -> Iterator[Sample]:
    alone = [record for record in primary if _asked_alone(record)]
    for record in alone:
        yield Sample(question(record), name, "question", record.group)
    lesson = lay_out(document, [record for record in (*alone, *_texts_of(primary)) if not is_pair(record)], seed)
    yield from _of_lesson(lesson, name)


def _asked_alone(record: Record) -> bool:
    return sum(message.role == "user" for message in record.messages) == 1


def _texts_of(primary: Iterable[Record]) -> list[Record]:
    return [record for record in primary if not record.messages]


def _of_lesson(lesson: Lesson, name: str) -> Iterator[Sample]:
    for fact in facts(lesson.questions, lesson.blocks):
        group = fact.given[0].group
        for wording in (*map(question, fact.given), *fact.made[:OTHER_WORDINGS]):
            yield Sample(wording, name, "question", group)
    for block in lesson.blocks:
        for paragraph in block.paragraphs:
            if len(paragraph.text.split()) >= LEAST_WORDS:
                yield Sample(paragraph.text, name, "text", block.record.group)


def _distinct(found: Iterable[Sample]) -> list[Sample]:
    return list({_plain(sample.text): sample for sample in reversed(list(found))}.values())[::-1]


def _kept(found: Sequence[Sample], seed: int) -> list[Sample]:
    """At most :data:`MOST` of each kind, chosen by a hash of the text: an edit elsewhere changes no other choice."""
    kept: set[Sample] = set()
    for kind, most in MOST.items():
        of_kind = [sample for sample in found if sample.kind == kind]
        kept |= set(sorted(of_kind, key=lambda sample: _luck(seed, "kept", sample.text))[:most])
    return [sample for sample in found if sample in kept]


def _folded(found: Sequence[Sample], seed: int) -> list[Sample]:
    groups = sorted({sample.group for sample in found}, key=lambda group: _luck(seed, "fold", group))
    fold = {group: number % FOLDS for number, group in enumerate(groups)} if len(groups) > 1 else {}
    return [replace(sample, fold=fold.get(sample.group)) for sample in found]


def _luck(seed: int, purpose: str, about: str) -> bytes:
    return hashlib.sha256(f"{seed}\n{purpose}\n{about}".encode()).digest()


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
