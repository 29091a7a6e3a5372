"""What a document is once it has been read. How it is read lies in :mod:`.read`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .identity import pair_id

if TYPE_CHECKING:
    from .frontmatter import Frontmatter
    from .mapping import Places


@dataclass(frozen=True)
class Pair:
    """One answer and every wording of the question that asks for it."""

    questions: tuple[str, ...]
    answer: str
    probe: bool
    """Never trained; kept for the evaluator."""
    line: int
    """Of its first ``### Q``."""
    before: tuple[tuple[str, str], ...] = ()
    """The turns that a follow-up question continues, oldest first, as (question, answer)."""

    @property
    def id(self) -> str:
        """16 hex digits over the wordings (in any order), the answer and the turns before; nothing else around it."""
        return pair_id(self.questions, self.answer, self.before)


@dataclass(frozen=True)
class Probe(Pair):
    """A pair that is held out of training, with the section it was written in."""

    section_id: str = ""


@dataclass(frozen=True)
class Block:
    """The text under one heading of a prose section, without the heading itself."""

    headings: tuple[str, ...]
    """The heading and those above it, outermost first; empty for text before the first heading."""
    text: str
    line: int
    """Of the heading, or of the section's first line."""
    level: int = 0
    """1 to 6, of the heading; 0 without one."""


@dataclass(frozen=True)
class Section:
    """One typed part of the body."""

    type: str
    content: str
    """LF line ends, fence line and provenance comments left out, escaped fence lines without their backslash."""
    line: int
    """Of the first line of ``content``."""
    id: str
    """16 hex digits, see :func:`dlm.document.identity.section_id`."""
    body: Any
    """What the section type's ``parse`` returned: blocks (:class:`Block`) of prose, :class:`Pair` of instruction."""
    fence: int = 0
    """Line of the fence that opens the section; 0 for the text before the first fence."""
    adapter: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    provenance: Mapping[str, str] = field(default_factory=dict)
    """Which tool wrote the section, when one did; not part of its identity."""
    origin: str = ""
    """The file of a source that it is, relative to the document's folder; empty for a section of the document."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """From the ``metadata`` of a ``.dlm/training.yaml`` above the file."""
    weight: float = 1.0
    """How often its records are trained, relative to the others; 0 leaves them out. Not part of its identity."""


@dataclass(frozen=True)
class Document:
    """A whole document, free of mistakes."""

    path: Path | None
    frontmatter: Frontmatter
    sections: tuple[Section, ...]
    title: str
    """The first first-level heading of the prose, else the file's stem."""
    digest: str
    """``sha256:`` over the canonical text of the whole file."""
    places: Places = field(repr=False, compare=False)
    """Where each key of the frontmatter stands, for messages."""
    text: str = field(default="", repr=False, compare=False)
    """The whole file as it was read, with its line ends and byte order mark."""

    @property
    def folder(self) -> Path | None:
        """Where the document lies: what its relative paths mean."""
        return self.path.absolute().parent if self.path else None

    @property
    def location(self) -> str:
        """The path as messages show it."""
        return str(self.path) if self.path is not None else "<text>"


def probes(document: Document) -> list[Probe]:
    """Every held-out pair of ``document``, in its order."""
    return [
        Probe(pair.questions, pair.answer, pair.probe, pair.line, pair.before, section.id)
        for section in document.sections
        for pair in (section.body if isinstance(section.body, tuple) else ())
        if isinstance(pair, Pair) and pair.probe
    ]
