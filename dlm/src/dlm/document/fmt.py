"""The canonical layout of a document, as far as it can be had without changing what the document says.

Line ends, the blanks at the end of lines, blank lines around sections and the spelling of fences are laid out. Ids,
keys, comments, code blocks and every visible character of the text stay.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..errors import DlmError
from .findings import Findings
from .identity import BLANKS
from .mapping import read_mapping
from .read import parse
from .scan import RawSection, frame, normalise, sections, text_outside_code
from .text import fence_line, known_words

if TYPE_CHECKING:
    from .model import Document

_HEADING = re.compile(r" {0,3}#{1,6}(?![^ \t])")
_MAYBE_CODE = re.compile(r"(?: {4}| {0,3}\t)")
_BREAK = "  "


def formatted(text: str, path: str = "<text>") -> str:
    """The document ``text`` in canonical layout; what is laid out so already comes back as it is.

    Raises:
        DocumentError: with every mistake in ``text``.
    """
    document = parse(text, path)
    findings = Findings(path)
    plain = normalise(text)
    framed = frame(plain, findings.report)
    lines = plain.split("\n")
    found = sections(framed.body, framed.body_line, known_words(), findings.report)
    parts = ["\n".join(part) for section in found if (part := _part(section, lines))]
    head = "\n".join(["---", *_frontmatter(framed.frontmatter or ""), "---"])
    airy = found[0].lines and not found[0].lines[0].strip(BLANKS)
    body = ("\n\n" if airy else "\n") + "\n\n".join(parts) if parts else ""
    made = f"{head}{body}\n"
    _same(document, parse(made, path))
    return made


def _frontmatter(text: str) -> list[str]:
    """Its lines without blank lines at either end, if they mean nothing there."""
    stripped = text.strip("\n") + "\n"
    return (stripped if _data(stripped) == _data(text) else text).split("\n")[:-1]


def _data(text: str) -> object:
    found = read_mapping(text, 1, lambda *_: None)
    return None if found is None else found[0]


def _part(section: RawSection, lines: list[str]) -> list[str]:
    """One section, its fence included, without the blank lines around it."""
    start = section.line - 1
    content = _laid_out(lines[start : start + len(section.lines)])
    while content and not content[-1].strip(BLANKS):
        content.pop()
    leading = next((index for index, line in enumerate(content) if line.strip(BLANKS)), 0)
    if section.fence is None:
        return content[leading:]
    attributes = [(attribute.key, attribute.value) for attribute in section.fence.attributes]
    return [fence_line(section.fence.word, section.fence.adapter, attributes), *content[max(leading - 1, 0) :]]


def _laid_out(lines: list[str]) -> list[str]:
    """``lines`` without blanks at their ends, but for code, and for the two that break a line in Markdown."""
    made: list[str] = []
    for index, line, in_code in text_outside_code("\n".join(lines)):
        bare = line.rstrip(BLANKS)
        if in_code or (bare and _MAYBE_CODE.match(line)):
            made.append(line)
            continue
        below = lines[index + 1].strip(BLANKS) if index + 1 < len(lines) else ""
        breaks = line.endswith(_BREAK) and bare and below and not _HEADING.match(line)
        made.append(bare + _BREAK if breaks else bare)
    return made


def _same(before: Document, after: Document) -> None:
    """Hold the new layout to its promise.

    Raises:
        DlmError: it says something else than the document did.
    """

    def said(document: Document) -> list[object]:
        each = [(s.id, s.type, s.adapter, s.attributes, s.provenance, s.weight) for s in document.sections]
        return [document.frontmatter, document.title, *each]

    if said(before) != said(after):
        raise DlmError(
            f"{before.location}: its layout cannot be changed without changing what it says; nothing was written. "
            "This is a fault in dlm: please report it with the document"
        )
