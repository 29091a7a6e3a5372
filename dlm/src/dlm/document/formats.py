"""Section types of the format that dlm itself does not train: preference, image and audio.

They are read, checked and kept, so that no document is turned away for them; :mod:`.unsupported` says which plugin
trains them. A plugin that offers one of these words takes its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from .headed import Grammar, Part, parts
from .types import SectionType

if TYPE_CHECKING:
    from ..corpus.records import Record
    from .findings import Report
    from .model import Document, Section

TRIPLES = Grammar(
    {"Prompt": frozenset(), "Chosen": frozenset(), "Rejected": frozenset()},
    "write `### Prompt`, the question, `### Chosen`, the better answer, `### Rejected`, the worse one",
)
_ORDER = tuple(TRIPLES.headers)


@dataclass(frozen=True)
class Triple:
    """A question with a better and a worse answer."""

    prompt: str
    chosen: str
    rejected: str
    line: int
    """Of its ``### Prompt``."""


class _Untrained(SectionType):
    """A type that is read, and from which nothing is trained."""

    def records(self, document: Document, section: Section) -> Iterable[Record]:
        """None."""
        return ()


class Preference(_Untrained):
    """Questions with a better and a worse answer."""

    name = "preference"

    def parse(self, content: str, line: int, report: Report) -> tuple[Triple, ...]:
        """The triples."""
        return parse_triples(content, line, report)


class Image(_Untrained):
    """A picture; the text of the section is its caption."""

    name = "image"
    required_attributes: ClassVar[frozenset[str]] = frozenset({"path"})
    optional_attributes: ClassVar[frozenset[str]] = frozenset({"alt"})

    def parse(self, content: str, line: int, report: Report) -> str:
        """The caption."""
        return content.strip()


class Audio(_Untrained):
    """A recording and what is said in it; the text of the section is a note."""

    name = "audio"
    required_attributes: ClassVar[frozenset[str]] = frozenset({"path", "transcript"})

    def parse(self, content: str, line: int, report: Report) -> str:
        """The note."""
        return content.strip()


def parse_triples(content: str, line: int, report: Report) -> tuple[Triple, ...]:
    """The triples of ``content``, whose first line is ``line`` of the file; mistakes go to ``report``."""
    headed = parts(content, line, TRIPLES, report)
    if not headed:
        report(max(line - 1, 1), 1, "a preference section without a prompt", TRIPLES.order)
    found: list[Triple] = []
    group: list[Part] = []
    for part in headed:
        expected = _ORDER[len(group)]
        if part.name != expected:
            what = f"`### {part.name}` where `### {expected}` has to stand"
            report(part.line, part.col, what, TRIPLES.order)
            group = []
            if part.name != _ORDER[0]:
                continue
        group.append(part)
        if len(group) == len(_ORDER):
            found += _triple(group, report)
            group = []
    if group:
        what = f"a prompt without `### {_ORDER[len(group)]}`"
        report(group[0].line, group[0].col, what, TRIPLES.order)
    return tuple(found)


def _triple(group: list[Part], report: Report) -> list[Triple]:
    empty = [part for part in group if not part.text]
    for part in empty:
        report(part.line, part.col, f"nothing below `### {part.name}`", "write the text on the lines below")
    prompt, chosen, rejected = (part.text for part in group)
    return [] if empty else [Triple(prompt, chosen, rejected, group[0].line)]


FORMATS: Mapping[str, SectionType] = {kind.name: kind for kind in (Preference(), Image(), Audio())}
"""By their word."""
