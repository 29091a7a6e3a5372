"""Where a document's text contradicts itself or its pairs, as findings; pairs against each other: :mod:`.remarks`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import Finding
from .identity import canonical
from .remarks import Remark, Remarks
from .routing import views

if TYPE_CHECKING:
    from ..corpus.contradictions import Contradiction, Place
    from .model import Document

MOST = 20
"""Contradictions that are named one by one."""
LONGEST = 2_000_000
"""Bytes of a document that is searched for them: a longer one would take many seconds."""


def conflicts(document: Document) -> Remarks:
    """Warnings about what cannot both be true of what one adapter learns. Sources are not looked at."""
    if len(document.text.encode()) > LONGEST:
        return Remarks()
    found = list(dict.fromkeys(one for seen in views(document) for one in _conflicts(seen)))
    more = (f"{len(found) - MOST:,} more contradictions",) if len(found) > MOST else ()
    return Remarks(tuple(_remark(document, one) for one in found[:MOST]), more)


def _conflicts(document: Document) -> list[Contradiction]:
    from ..corpus import contradictions, study

    lesson = study.lay_out(document, list(study.primary_records(document)), 0)
    questions = {canonical(record.messages[-1].content) for record in lesson.questions}
    return [
        one
        for one in contradictions.find(lesson.questions, lesson.blocks)
        if not {canonical(one.first.text), canonical(one.second.text)} <= questions
    ]


def _remark(document: Document, one: Contradiction) -> Remark:
    line, other = _line(document, one.second), _line(document, one.first)
    what = f"this contradicts line {other}: {one.second.text!r} here, {one.first.text!r} there"
    fix = "correct one of them, or say what makes them differ: both are trained"
    return Remark("warning", Finding(document.location, line, 1, what, fix))


def _line(document: Document, place: Place) -> int:
    """The line of the document on which ``place`` begins, or its section does."""
    section = next((section for section in document.sections if section.id == place.section_id), None)
    if section is None:
        return 1
    first = place.text.split("\n", 1)[0].strip()
    for number, text in enumerate(section.content.split("\n"), start=section.line):
        if first[:40] in text:
            return number
    return section.line
