"""What was taught, by section: the text, its questions and answers, and its preferences.

The shape that probes are given. Where it comes from: a plugin that knows the document (the hooks
``dlm_sway_resolve_target`` and ``dlm_sway_read_sections``), or a file (:mod:`.section_file`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from .scoring.types import Item

Kind = Literal["prose", "instruction", "preference"]


class SectionPair(NamedTuple):
    """One answer and every wording of the question that asks for it."""

    questions: tuple[str, ...]
    """The author's own wording first; never empty."""
    answer: str
    probe: bool = False
    """Written for the evaluator: never trained."""
    group: str = ""
    """Names the fact; wordings of one fact are one cluster."""


class SectionPreference(NamedTuple):
    """A better and a worse answer to one prompt."""

    prompt: str
    chosen: str
    rejected: str


@dataclass(frozen=True)
class SectionData:
    """One section of a document.

    For example, a section of prose that one held-out question asks about::

        SectionData("9c1e", "prose", "The pump restarts after 40 s.", headings=("Pumps",),
                    held_out=(Item("When does the pump restart?", "After 40 s.", "restart"),))
    """

    id: str
    kind: Kind
    text: str
    """As it was written, without its fence."""
    tag: str | None = None
    headings: tuple[str, ...] = ()
    """The headings inside it, in order."""
    pairs: tuple[SectionPair, ...] = ()
    preferences: tuple[SectionPreference, ...] = ()
    held_out: tuple[Item, ...] = ()
    """Questions about this section that training never saw: its ``!probe`` pairs and wordings that were left out."""
    reversed: tuple[Item, ...] = ()
    """The same asked backwards, from what is said to what it is said of; training never saw these either."""

    @property
    def taught(self) -> tuple[Item, ...]:
        """The pairs that were trained, each once, in the author's own wording."""
        return tuple(Item(pair.questions[0], pair.answer, pair.group) for pair in self.pairs if not pair.probe)


def doc_text(sections: Iterable[SectionData]) -> str:
    """Everything the sections say, joined by blank lines."""
    return "\n\n".join(text for section in sections if (text := section.text.strip()))
