"""Bytes to frontmatter text and raw sections, line by line. Knows no section type and no frontmatter key."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from .code import CodeFences
from .fences import SectionFence, loose_fence_word, section_fence
from .identity import BLANKS

if TYPE_CHECKING:
    from .findings import Report

_LINE_END = re.compile(r"\r\n?")
_LONGEST_MARK = 40


class Framed(NamedTuple):
    """A file cut in two. Lines are counted from 1."""

    frontmatter: str | None
    """Text between the ``---`` lines; it begins on line 2."""
    body: list[str]
    body_line: int


@dataclass
class RawSection:
    """The lines between two section fences."""

    fence: SectionFence | None
    """``None`` for what stands before the first fence."""
    fence_line: int
    line: int
    lines: list[str] = field(default_factory=list)

    @property
    def blank(self) -> bool:
        """Whether there is nothing in it to see."""
        return not any(line.strip(BLANKS) for line in self.lines)


def decode(data: bytes, report: Report) -> str | None:
    """Strict UTF-8; ``None`` after a report that names the first byte that is none."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = normalise(data[: error.start].decode("utf-8")).split("\n")
        what = f"not UTF-8: byte 0x{data[error.start]:02x}"
        report(len(before), len(before[-1]) + 1, what, "save the file as UTF-8 (in most editors: Save with encoding)")
    return None


def normalise(text: str) -> str:
    """``text`` without byte order mark and with LF line ends."""
    text = text.removeprefix("\ufeff")
    return _LINE_END.sub("\n", text) if "\r" in text else text


def frame(text: str, report: Report) -> Framed:
    """Cut normalised ``text`` at its ``---`` lines; without them everything is body, after a report."""
    lines = text.split("\n")
    fix = "begin with the lines that `dlm init new.dlm` writes: `---`, dlm_id, base_model, `---`"
    if not text.strip():
        report(1, 1, "the document is empty", f"{fix}; then write what the model shall learn")
    elif lines[0].rstrip(BLANKS) != "---":
        report(1, 1, "there is no frontmatter: the first line is not `---`", fix)
    else:
        for number, line in enumerate(lines[1:], start=2):
            if line.rstrip(BLANKS) == "---":
                inner = "".join(f"{line.rstrip(BLANKS)}\n" for line in lines[1 : number - 1])
                return Framed(inner, lines[number:], number + 1)
        report(1, 1, "the frontmatter that begins here never ends", "write a line `---` after its last key")
        return Framed(None, [], 1)
    return Framed(None, lines, 1)


def sections(lines: list[str], first_line: int, known: Collection[str], report: Report) -> list[RawSection]:
    """Cut the body at its section fences, which are never inside a code block; a section ends every list and quotation.

    ``known`` are the section words that exist: a word with a slash, or with attributes that are not written as
    attributes, is a fence (or a mistake) only when it is one of them, and else plain text.
    """
    found = [RawSection(None, 0, first_line)]
    code = CodeFences()
    for number, line in enumerate(lines, start=first_line):
        if code.step(line) or line[:1] not in (":", "\\"):
            found[-1].lines.append(line)
        elif (fence := _fence(line, known)) is not None:
            found.append(RawSection(fence, number, number + 1))
            code = CodeFences()
        else:
            _check_loose(line, number, known, report)
            found[-1].lines.append(_unescaped(line, known))
    if code.unclosed:
        mark = code.mark if len(code.mark) <= _LONGEST_MARK else f"{code.mark[:3]}..."
        what = f"the code block that opens here with {mark} never closes"
        fix = f"write a line {mark} where it ends, or put a backslash before this one if it is text"
        report(found[-1].line + code.unclosed - 1, 1, what, fix)
    return found


def text_outside_code(content: str) -> Iterator[tuple[int, str, bool]]:
    """Each line of ``content`` as (index from 0, line, whether it is part of a code block)."""
    lines = content.split("\n")
    if "```" not in content and "~~~" not in content:
        yield from ((index, line, False) for index, line in enumerate(lines))
        return
    code = CodeFences()
    for index, line in enumerate(lines):
        yield index, line, code.step(line)


def _fence(line: str, known: Collection[str]) -> SectionFence | None:
    fence = section_fence(line)
    return None if fence is None or ("/" in fence.word and fence.word not in known) else fence


def _unescaped(line: str, known: Collection[str]) -> str:
    """``line`` without one backslash, if only its backslashes keep it from being a fence."""
    if not line.startswith("\\"):
        return line
    bare = line.lstrip("\\")
    return line[1:] if _fence(bare, known) is not None or loose_fence_word(bare) in known else line


def _check_loose(line: str, number: int, known: Collection[str], report: Report) -> None:
    word = loose_fence_word(line)
    if word in known:
        what = f"a ::{word}:: line whose attributes cannot be read"
        fix = f'write them as ::{word} key="value" key="value"::, or put a backslash before the line if it is text'
        report(number, 1, what, fix)
