"""Changing one section of a document's text and nothing else: every other byte stays, line ends included.

The functions take and return text; :func:`dlm.document.write.replace_text` puts it on the disk, if nobody else has
changed the file in the meantime. Keys of the frontmatter: :mod:`.keys`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..errors import UsageProblem
from .findings import Findings
from .identity import BLANKS
from .keys import set_keys as set_keys
from .lines import line_end, split_lines
from .scan import RawSection, frame, normalise, sections
from .text import known_words, prose_text, section_text

if TYPE_CHECKING:
    from .model import Document, Section


class Part(NamedTuple):
    """One section as it stands in the file, from its fence to the next, blank lines included."""

    raw: RawSection
    lines: list[str]
    """With their ends."""


class Parts(NamedTuple):
    """A file cut at its section fences; joined again it is the file."""

    head: list[str]
    """The frontmatter with its two ``---`` lines."""
    sections: list[Part]
    """The first one has no fence: it is what stands before the first fence, if anything."""

    @property
    def text(self) -> str:
        """The file."""
        return "".join([*self.head, *(line for part in self.sections for line in part.lines)])


def cut(text: str, path: str = "<text>") -> Parts:
    """The file ``text`` in its parts.

    Raises:
        DocumentError: there is no frontmatter, or a code block that never ends.
    """
    findings = Findings(path)
    framed = frame(normalise(text), findings.report)
    raw = sections(framed.body, framed.body_line, known_words(), findings.report)
    findings.raise_if_any()
    lines = split_lines(text)
    starts = [framed.body_line - 1, *(section.fence_line - 1 for section in raw[1:]), len(lines)]
    parts = [Part(section, lines[starts[index] : starts[index + 1]]) for index, section in enumerate(raw)]
    return Parts(lines[: framed.body_line - 1], parts)


def remove_section(text: str, document: Document, *section_ids: str) -> str:
    """``text``, which ``document`` was read from, without the sections ``section_ids``, wherever they stand.

    Raises:
        UsageProblem: one of them is not there.
    """
    fences = {fence for section_id in section_ids for fence in _fences(text, document, section_id)}
    found = cut(text, document.location)
    _take_out(found.sections, fences)
    return found.text


def replace_section(text: str, document: Document, section_id: str, section: Section) -> str:
    """``text`` with ``section`` in place of the section ``section_id``; further copies of that one are removed.

    Raises:
        UsageProblem: there is no such section, or the new one cannot be written.
    """
    first, *others = _fences(text, document, section_id)
    found = cut(text, document.location)
    _take_out(found.sections, set(others))
    index = next(i for i, part in enumerate(found.sections) if part.raw.fence_line == first)
    part = found.sections[index]
    bare = first == 0 and section.type == "prose" and not (section.adapter or section.attributes or section.provenance)
    written = prose_text(section.content) if bare and section.weight == 1 else section_text(section)
    blanks = _blanks_at_the_end(part.lines)
    before = part.lines[: _blanks_at_the_start(part.lines)] if first == 0 else []
    part.lines[:] = [*before, *_lines(written, text), *blanks]
    _separate(found.sections, index, text)
    return found.text


def insert_after(text: str, document: Document, section_id: str, section: Section) -> str:
    """``text`` with ``section`` below the section ``section_id``, or below the last copy of it.

    Raises:
        UsageProblem: there is no such section, or the new one cannot be written.
    """
    last = _fences(text, document, section_id)[-1]
    found = cut(text, document.location)
    index = next(i for i, part in enumerate(found.sections) if part.raw.fence_line == last)
    return _inserted(found, index + 1, section, text)


def append_section(text: str, section: Section) -> str:
    """``text`` with ``section`` at its end.

    Raises:
        DocumentError: ``text`` is no document.
        UsageProblem: the section cannot be written.
    """
    found = cut(text)
    return _inserted(found, len(found.sections), section, text)


def _fences(text: str, document: Document, section_id: str) -> list[int]:
    """Lines of the fences of the sections with this id."""
    if text != document.text:
        raise ValueError("the document was read from another text")
    found = [section.fence for section in document.sections if section.id == section_id]
    if not found:
        raise UsageProblem(f"{document.location}: there is no section {section_id}; `dlm check --json` lists them")
    return found


def _inserted(found: Parts, index: int, section: Section, text: str) -> str:
    part = Part(RawSection(None, -1, -1), _lines(section_text(section), text))
    found.sections.insert(index, part)
    above = next((before.lines for before in reversed(found.sections[:index]) if before.lines), found.head)
    end = line_end(text)
    if not above[-1].endswith(("\n", "\r")):
        above[-1] += end
    if above is not found.head and above[-1].strip(BLANKS + "\r\n"):
        above.append(end)
    _separate(found.sections, index, text)
    return found.text


def _separate(found: list[Part], index: int, text: str) -> None:
    """A blank line between the new part ``index`` and the next one."""
    lines = found[index].lines
    if index + 1 < len(found) and lines[-1].strip(BLANKS + "\r\n"):
        lines.append(line_end(text))


def _take_out(found: list[Part], fences: set[int]) -> None:
    """Remove the parts below these fences, each with the blank lines that set it off from its neighbour."""
    last = found[-1].raw.fence_line in fences
    for part in found:
        if part.raw.fence_line in fences:
            part.lines.clear()
    above = next((part.lines for part in reversed(found) if part.lines), [])
    if last and (blanks := _blanks_at_the_end(above)):
        del above[-len(blanks) :]


def _blanks_at_the_end(lines: list[str]) -> list[str]:
    count = next((i for i, line in enumerate(reversed(lines)) if line.strip(BLANKS + "\r\n")), len(lines))
    return lines[len(lines) - count :]


def _blanks_at_the_start(lines: list[str]) -> int:
    return next((i for i, line in enumerate(lines) if line.strip(BLANKS + "\r\n")), len(lines))


def _lines(text: str, like: str) -> list[str]:
    """The lines of new ``text`` with the line ends of the file ``like``."""
    return split_lines(text.replace("\n", line_end(like)))
