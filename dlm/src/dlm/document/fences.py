"""Section fences: lines ``::type::``, each read by itself. Code blocks, in which nothing is one: :mod:`.code`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

_SECTION = re.compile(r"::([A-Za-z0-9_#/-]{1,128})((?:[ \t]+[A-Za-z_][\w-]*=\"[^\"]*\")*)[ \t]*::[ \t]*")
_ATTRIBUTE = re.compile(r"([A-Za-z_][\w-]*)=\"([^\"]*)\"")
_LOOSE = re.compile(r"::([A-Za-z0-9_-]{1,128})(?:#[^ \t:]*)?[ \t]+[^ \t].*::[ \t]*")
_ADAPTER = re.compile(r"[a-z][a-z0-9_]{0,31}")
_LONGEST = 2**20

ADAPTER_RULE = "a lower-case letter, then up to 31 lower-case letters, digits or underscores"


class Attribute(NamedTuple):
    """One ``key="value"`` of a fence."""

    key: str
    value: str
    col: int
    """Of the key, counted from 1."""


@dataclass(frozen=True)
class SectionFence:
    """A line that looks like ``::type#adapter key="value"::``, before anyone has asked whether the type exists."""

    word: str
    adapter: str | None
    """``None`` without ``#``; not yet checked."""
    attributes: tuple[Attribute, ...]


def section_fence(line: str) -> SectionFence | None:
    """``line`` as a section fence, or ``None`` when it is text."""
    if not line.startswith("::") or len(line) > _LONGEST or (found := _SECTION.fullmatch(line)) is None:
        return None
    word, mark, adapter = found[1].partition("#")
    written = _ATTRIBUTE.finditer(line, found.start(2), found.end(2)) if found[2] else ()
    attributes = tuple(Attribute(each[1], each[2], each.start() + 1) for each in written)
    return SectionFence(word, adapter if mark else None, attributes)


def loose_fence_word(line: str) -> str | None:
    """The word of a line that was probably meant as a fence with attributes but is not written as one."""
    found = _LOOSE.fullmatch(line) if line.startswith("::") else None
    return found[1] if found else None


def valid_adapter(name: str) -> bool:
    """Whether ``name`` may stand after ``#`` and under ``training.adapters``."""
    return _ADAPTER.fullmatch(name) is not None
