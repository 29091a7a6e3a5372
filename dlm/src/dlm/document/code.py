"""Fenced code blocks as CommonMark 0.31 has them, line by line: nothing inside of one is markup of dlm.

Followed as far as a scanner of lines can: block quotes and list items, into which a code block may be put and whose
end ends it, paragraphs with their lazy continuation, headings and thematic breaks. HTML blocks are not: three backticks
inside of one open a code block here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_BLANKS = re.compile(r" *")
_FENCE = re.compile(r"(`{3,})([^`]*)\Z|(~{3,})")
_CLOSING = re.compile(r"(`{3,}|~{3,}) *\Z")
_HEADING = re.compile(r"#{1,6}(?: |\Z)")
_UNDERLINE = re.compile(r"(?:-+|=+) *\Z")
_ITEM = re.compile(r"(?:[-+*]|([0-9]{1,9})[.)])(?= |\Z)")
_SPECIAL = frozenset(" \t`~>-+*_=#<0123456789")
"""Where a line begins with none of these, it is a paragraph's, or blank."""
_QUOTE = 0
_LONGEST_BREAK = 1000
_DEEPEST = 16
"""Containers within containers that are told apart; a line with more is text from there on."""


@dataclass
class CodeFences:
    """Feed it the lines in order; :meth:`step` says whether a line is part of a fenced code block."""

    mark: str = ""
    """The fence that is open, or was last."""
    line: int = 0
    """Of that fence, counted from 1; 0 when none is open."""
    _seen: int = field(default=0, repr=False)
    _containers: list[int] = field(default_factory=list, repr=False)
    """Outermost first: a block quote, or the columns by which a list item's text is indented."""
    _paragraph: bool = field(default=False, repr=False)
    _bare_item: bool = field(default=False, repr=False)
    """The innermost container is a list item whose marker stood alone on its line."""

    @property
    def unclosed(self) -> int:
        """Line of a fence that is open and in no container, 0 without one: the end of a container closes its own."""
        return 0 if self._containers else self.line

    def step(self, text: str) -> bool:
        """Whether ``text`` opens, continues or closes a code block."""
        self._seen += 1
        if not self.line and not self._containers and text[:1] not in _SPECIAL:
            self._paragraph = text != ""
            return False
        # Tab stops are counted from the start of the line, so what stands behind a marker keeps its column.
        expanded = text.expandtabs(4) if "\t" in text else text
        pos, matched = self._continued(expanded)
        if self.line:
            if matched == len(self._containers):
                self._close(expanded, pos)
                return True
            self.line = 0
        return self._begun(expanded, pos, matched)

    def _continued(self, text: str) -> tuple[int, int]:
        """Behind the marks of the open containers that ``text`` is still in, and how many those are."""
        pos = 0
        for matched, width in enumerate(self._containers):
            bare = _bare(text, pos)
            if width == _QUOTE:
                if bare - pos > 3 or text[bare : bare + 1] != ">":
                    return pos, matched
                pos = bare + 1 + (text[bare + 1 : bare + 2] == " ")
            elif bare == len(text):
                if self._bare_item and matched == len(self._containers) - 1:
                    return pos, matched
                pos = bare
            elif bare - pos < width:
                return pos, matched
            else:
                pos += width
        return pos, len(self._containers)

    def _close(self, text: str, pos: int) -> None:
        bare = _bare(text, pos)
        found = _CLOSING.match(text, bare) if bare - pos <= 3 else None
        if found and found[1][0] == self.mark[0] and len(found[1]) >= len(self.mark):
            self.line = 0

    def _begun(self, text: str, pos: int, matched: int) -> bool:
        """Take the containers and the block that begin at ``pos``; whether it is a code block."""
        lazy = self._paragraph and matched < len(self._containers)
        flows = self._paragraph and not lazy
        while True:
            bare = _bare(text, pos)
            if bare == len(text) or bare - pos > 3:
                break
            if (found := self._container(text, pos, matched, flows=flows)) is None:
                break
            width, pos = found
            self._containers[matched:] = [width]
            matched, lazy, flows, self._paragraph = matched + 1, False, False, False
            self._bare_item = width != _QUOTE and _bare(text, pos) == len(text)
            if self._bare_item:
                return False
        self._bare_item = False
        return self._leaf(text, pos, matched, lazy=lazy, flows=flows)

    @staticmethod
    def _container(text: str, pos: int, depth: int, *, flows: bool) -> tuple[int, int] | None:
        """The container that begins behind the blanks at ``pos``, and where its text does; ``flows`` in a paragraph."""
        bare = _bare(text, pos)
        if depth >= _DEEPEST or (text[bare] in "-=" and flows and _UNDERLINE.match(text, bare)):
            return None
        if text[bare] == ">":
            return _QUOTE, bare + 1 + (text[bare + 1 : bare + 2] == " ")
        found = _ITEM.match(text, bare)
        if found is None or _thematic(text, bare):
            return None
        gap = _bare(text, found.end()) - found.end()
        empty = found.end() + gap == len(text)
        if flows and (empty or (found[1] and int(found[1]) != 1)):
            return None
        after = found.end() + (gap if gap <= 4 and not empty else 1)
        return after - pos, min(after, len(text))

    def _leaf(self, text: str, pos: int, matched: int, *, lazy: bool, flows: bool) -> bool:
        """What stands behind the containers; ``lazy`` may continue a paragraph of one that it has left."""
        bare = _bare(text, pos)
        rest, indented = text[bare : bare + 1], bare - pos > 3
        opened = None if indented or rest not in ("`", "~") else _FENCE.match(text, bare)
        ends = rest == "" or (not indented and (_thematic(text, bare) or _HEADING.match(text, bare) is not None))
        if opened is None and not ends and lazy:
            return False
        del self._containers[matched:]
        if opened:
            self.mark, self.line = opened[1] or opened[3], self._seen
        underlined = flows and not indented and _UNDERLINE.match(text, bare)
        comment = text.startswith("<!--", bare)
        self._paragraph = not (opened or ends or underlined) and (flows or not (indented or comment))
        return opened is not None


def _bare(text: str, pos: int) -> int:
    """Where the blanks that begin at ``pos`` end."""
    found = _BLANKS.match(text, pos)
    return found.end() if found else pos


def _thematic(text: str, bare: int) -> bool:
    """Whether a line of three or more ``-``, ``_`` or ``*`` begins at ``bare``."""
    if (mark := text[bare]) not in "-_*" or len(text) > _LONGEST_BREAK:
        return False
    rest = text[bare:]
    return not rest.strip(mark + " ") and rest.count(mark) >= 3
