"""The two kinds of fence: ``::type::`` lines that open a section, and the code blocks in which nothing does.

Both are decided line by line. Code fences follow CommonMark 0.31, section 4.5, as far as containers are not concerned:
a fence inside a list item or a quotation is found by its own indentation.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .identity import BLANKS

_SECTION = re.compile(r"::([A-Za-z0-9_#/-]+)((?:[ \t]+[A-Za-z_][\w-]*=\"[^\"]*\")*)[ \t]*::[ \t]*")
_ATTRIBUTE = re.compile(r"([A-Za-z_][\w-]*)=\"([^\"]*)\"")
_LOOSE = re.compile(r"::([A-Za-z0-9_-]+)(?:#[^ \t:]*)?[ \t]+[^ \t].*::[ \t]*")
_ADAPTER = re.compile(r"[a-z][a-z0-9_]{0,31}")
_CODE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")

ADAPTER_RULE = "a lower-case letter, then up to 31 lower-case letters, digits or underscores"


@dataclass
class CodeFences:
    """Feed it the lines in order; :meth:`step` says whether a line is part of a fenced code block."""

    mark: str = ""
    line: int = 0
    """Of the fence that is open, 0 when none is."""
    _seen: int = field(default=0, repr=False)

    def step(self, text: str) -> bool:
        """Whether ``text`` opens, continues or closes a code block."""
        self._seen += 1
        found = _CODE.fullmatch(text) if "```" in text or "~~~" in text else None
        if self.line:
            if found and self._closes(found[1], found[2]):
                self.line = 0
            return True
        if found is None or (found[1][0] == "`" and "`" in found[2]):
            return False
        self.mark, self.line = found[1], self._seen
        return True

    def _closes(self, mark: str, rest: str) -> bool:
        return mark[0] == self.mark[0] and len(mark) >= len(self.mark) and not rest.strip(BLANKS)


@dataclass(frozen=True)
class SectionFence:
    """A line that looks like ``::type#adapter key="value"::``, before anyone has asked whether the type exists."""

    word: str
    adapter: str | None
    """``None`` without ``#``; not yet checked."""
    attributes: tuple[tuple[str, str], ...]


def section_fence(line: str) -> SectionFence | None:
    """``line`` as a section fence, or ``None`` when it is text."""
    if not line.startswith("::") or (found := _SECTION.fullmatch(line)) is None:
        return None
    word, mark, adapter = found[1].partition("#")
    return SectionFence(word, adapter if mark else None, tuple(_ATTRIBUTE.findall(found[2])))


def loose_fence_word(line: str) -> str | None:
    """The word of a line that was probably meant as a fence with attributes but is not written as one."""
    found = _LOOSE.fullmatch(line) if line.startswith("::") else None
    return found[1] if found else None


def valid_adapter(name: str) -> bool:
    """Whether ``name`` may stand after ``#`` and under ``training.adapters``."""
    return _ADAPTER.fullmatch(name) is not None
