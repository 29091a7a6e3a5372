"""One file of a source as a section. Its text is never read as a document: a fence in it is text."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from ...document.identity import section_id
from ...document.model import Block, Section
from ...document.prose import parse_blocks

SOURCE = "source"
"""The attribute that holds a file's path in its source; part of the section's identity."""
_WITH_HEADINGS = (".md", ".markdown", ".mdown", ".mdx", ".qmd", ".rmd", ".txt")


def source_section(
    path: str, text: str, origin: str, tags: Mapping[str, str], weight: float, known_id: str = ""
) -> Section:
    """The section that the file ``path`` of a source is.

    ``path`` is relative to the source, so that a source that moves as a whole keeps its ids; ``origin`` is relative to
    the document's folder. ``known_id`` saves making the id again.
    """
    return Section(
        type="prose",
        content=text,
        line=1,
        id=known_id or source_id(path, text),
        body=source_blocks(path, text),
        attributes={SOURCE: path},
        origin=origin,
        tags=tags,
        weight=weight,
    )


def source_id(path: str, text: str) -> str:
    """Id of the section that the file ``path`` of a source with ``text`` is."""
    return section_id("prose", None, {SOURCE: path}, text)


def source_blocks(path: str, text: str) -> tuple[Block, ...]:
    """The body of such a section: the file's path stands above its own headings.

    Only Markdown and plain text have headings; in code, `#` begins a comment.
    """
    whole = (Block((path,), text.strip("\n"), 1, 1),)
    if not path.lower().endswith(_WITH_HEADINGS):
        return whole
    return tuple(Block((path, *b.headings), b.text, b.line, b.level or 1) for b in parse_blocks(text, 1)) or whole


def prior_source_ids(section: Section) -> frozenset[str]:
    """Every id that the prior trainer may have given the file that ``section`` is; none for a section of a document.

    It hashed the text below a line that named the file, with the blank lines that happened to stand at the end.
    """
    path = section.attributes.get(SOURCE)
    if path is None or not section.origin:
        return frozenset()
    stripped = section.content.strip("\n")
    texts = {section.content, stripped, stripped + "\n", section.content.strip(), section.content.strip() + "\n"}
    headed = (f"prose\n# source: {path}\n\n{text}" for text in texts)
    return frozenset(hashlib.sha256(text.encode()).hexdigest()[:16] for text in headed)
