"""Prose into the blocks under its headings."""

from __future__ import annotations

import re

from .identity import BLANKS
from .model import Block
from .scan import text_outside_code

_HEADING = re.compile(r" {0,3}(#{1,6})(?![^ \t])")


def parse_blocks(content: str, line: int) -> tuple[Block, ...]:
    """Every heading of ``content`` with the text below it, and the text before the first; ``line`` is its first line.

    Headings are ATX headings (``# ...``) outside of code blocks. A block may be without text.
    """
    blocks: list[Block] = []
    headings: list[tuple[int, str]] = []
    start, level, lines = line, 0, list[str]()

    def close() -> None:
        text = "\n".join(lines).strip()
        if text or level:
            blocks.append(Block(tuple(name for _, name in headings), text, start, level))
        lines.clear()

    for index, text, in_code in text_outside_code(content):
        found = None if in_code or "#" not in text else _HEADING.match(text)
        if found is None:
            lines.append(text)
            continue
        close()
        start, level = line + index, len(found[1])
        headings = [(above, name) for above, name in headings if above < level]
        headings.append((level, _name(text[found.end() :])))
    close()
    return tuple(blocks)


def _name(rest: str) -> str:
    """What stands behind the opening ``#``, without the closing ones."""
    name = rest.strip(BLANKS)
    bare = name.rstrip("#")
    return bare.rstrip(BLANKS) if not bare or bare[-1] in BLANKS else name
