"""The lines of a file as they stand on the disk, each with its own end, and replacing parts of a text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_END = re.compile(r"\r\n|\r|\n")


class Edit(NamedTuple):
    """``text[start:end]`` becomes ``new``."""

    start: int
    end: int
    new: str


def split_lines(text: str) -> list[str]:
    """The lines of ``text`` with their ends; joined they are ``text``. LF, CRLF and CR end a line, nothing else."""
    return _LINE.findall(text)


def line_end(text: str) -> str:
    """The line end that ``text`` uses most; LF when it has none."""
    found = Counter(_END.findall(text)).most_common(1)
    return found[0][0] if found else "\n"


def splice(text: str, edits: Iterable[Edit]) -> str:
    """``text`` with every edit made; they must not overlap. Two at one place are made in the order given."""
    parts: list[str] = []
    done = 0
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        parts += [text[done : edit.start], edit.new]
        done = edit.end
    return "".join([*parts, text[done:]])
