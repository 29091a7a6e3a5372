"""Template text to pieces: literal text with its trimming done, and the words of each action."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from .nodes import TemplateFault

if TYPE_CHECKING:
    from collections.abc import Iterator

BLANK = " \t\r\n"
"""What Go trims, and nothing else."""

_WORD = re.compile(
    r"""
    (?P<space>[ \t\r\n]+)
  | (?P<string>"(?:\\.|[^"\\\n])*")
  | (?P<raw>`[^`]*`)
  | (?P<char>'(?:\\.|[^'\\\n])+')
  | (?P<number>[+-]?\d[\w.]*)
  | (?P<variable>\$\w*)
  | (?P<field>\.[^\W\d]\w*)
  | (?P<dot>\.)
  | (?P<name>[^\W\d]\w*)
  | (?P<mark>:=|[=|(),])
    """,
    re.VERBOSE,
)
_ESCAPE = re.compile(
    r"""\\(?:
        ([abfnrtv\\'"])
      | (?:x(?=[\da-fA-F]{2})([\da-fA-F]{2}) | u([\da-fA-F]{4}) | U([\da-fA-F]{8}))
      | ([0-7]{3})
    )""",
    re.VERBOSE,
)
_LETTERS = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
Kind = Literal["space", "constant", "variable", "field", "dot", "name", "mark"]


class Word(NamedTuple):
    """One word of an action; ``value`` is set for a constant."""

    kind: Kind
    text: str
    value: Any = None


@dataclass(frozen=True)
class Piece:
    """Literal text, or the words of an action."""

    text: str = ""
    words: tuple[Word, ...] | None = None


def pieces(source: str) -> Iterator[Piece]:
    """The template from start to end, comments left out.

    Raises:
        TemplateFault: an action or a comment is not closed, or has a character that Go does not know.
    """
    at, trim = 0, False
    while True:
        opening = source.find("{{", at)
        text = source[at:] if opening < 0 else source[at:opening]
        if trim:
            text = text.lstrip(BLANK)
        if opening < 0:
            if text:
                yield Piece(text)
            return
        inside = opening + 2
        if source[inside : inside + 1] == "-" and source[inside + 1 : inside + 2] in tuple(BLANK):
            text, inside = text.rstrip(BLANK), inside + 1
        if text:
            yield Piece(text)
        words, at, trim = _action(source, inside)
        if words is not None:
            yield Piece(words=words)


def _action(source: str, at: int) -> tuple[tuple[Word, ...] | None, int, bool]:
    """Words from behind ``{{``, where the action ends, and whether it trims what follows. ``None`` for a comment."""
    start = len(source[:at]) + len(source[at:]) - len(source[at:].lstrip(BLANK))
    if source.startswith("/*", start):
        return _comment(source, start)
    words: list[Word] = []
    while True:
        if source.startswith("}}", at):
            return tuple(words), at + 2, False
        if source[at : at + 1] in tuple(BLANK) and re.match(r"[ \t\r\n]+-\}\}", source[at:]):
            return tuple(words), source.index("-}}", at) + 3, True
        found = _WORD.match(source, at)
        if found is None:
            raise TemplateFault(f"{_place(source, at)}: {source[at : at + 10]!r} cannot stand in an action")
        words.append(_word(source, found))
        at = found.end()


def _comment(source: str, start: int) -> tuple[None, int, bool]:
    end = source.find("*/", start)
    closing = re.compile(r"[ \t\r\n]+-\}\}|\}\}").match(source, end + 2) if end >= 0 else None
    if closing is None:
        raise TemplateFault(f"{_place(source, start)}: this comment is not closed with */}}}} ")
    return None, closing.end(), closing.group().endswith("-}}")


def _word(source: str, found: re.Match[str]) -> Word:
    kind, text = found.lastgroup, found.group()
    try:
        if kind == "string":
            return Word("constant", text, _unquoted(text))
        if kind == "raw":
            return Word("constant", text, text[1:-1])
        if kind == "char":
            return Word("constant", text, ord(_unquoted(f'"{text[1:-1]}"')))
        if kind == "number":
            return Word("constant", text, _number(text))
    except (ValueError, TypeError) as problem:
        raise TemplateFault(f"{_place(source, found.start())}: {text} is not a constant") from problem
    return Word(kind, text)  # type: ignore[arg-type]


def _unquoted(text: str) -> str:
    """A Go string in quotes. Escapes of single bytes beyond ASCII have no text of their own, and are refused."""

    def character(found: re.Match[str]) -> str:
        letter, byte, *wide, octal = found.groups()
        if letter:
            return _LETTERS.get(letter, letter)
        number = int(octal, 8) if octal else int(byte or next(filter(None, wide)), 16)
        if ((byte or octal) and number > 0x7F) or 0xD800 <= number < 0xE000:
            raise ValueError(f"{found.group()} is no character")
        return chr(number)

    if "\\" in _ESCAPE.sub("", text):
        raise ValueError("it has an escape that Go does not know")
    return _ESCAPE.sub(character, text[1:-1])


def _number(text: str) -> int | float:
    return int(text, 0) if re.fullmatch(r"[+-]?(0x[\da-fA-F_]+|0b[01_]+|0o?[0-7_]+|\d[\d_]*)", text) else float(text)


def _place(source: str, at: int) -> str:
    """Line and column of the template."""
    line = source.count("\n", 0, at) + 1
    return f"template:{line}:{at - source.rfind(chr(10), 0, at)}"
