"""Text under headers of its own, ``### Q`` and the like: which lines are headers, and the text below each.

What may follow what lies in :mod:`.pairs` and :mod:`.formats`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from .scan import text_outside_code

if TYPE_CHECKING:
    from .findings import Report

_NEARLY = re.compile(r"###[ \t]*([A-Za-z]+)[ \t]*:?([ \t]+.*)?")
_WORD = re.compile(r"[^ \t]+")
_LONGEST = 200
"""A line longer than this is text: nobody means it as a header."""


class Grammar(NamedTuple):
    """The headers of one section type."""

    headers: Mapping[str, frozenset[str]]
    """Each word that may follow ``###``, with the flags that may follow it as ``!flag``."""
    order: str
    """How a section begins and goes on, as advice."""


@dataclass
class Part:
    """One header and the text below it."""

    name: str
    flags: frozenset[str]
    line: int
    col: int
    lines: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Without blank lines and blanks at either end."""
        return "\n".join(self.lines).strip()


class _Header(NamedTuple):
    """A line that is a header, or was probably meant as one."""

    name: str
    exact: bool
    flags: tuple[tuple[str, int], ...]
    """Each word behind the name, with its offset in the line."""


def parts(content: str, line: int, grammar: Grammar, report: Report) -> list[Part]:
    """The headers of ``content``, whose first line is ``line`` of the file, with their texts.

    A header inside a code block is text, and so is one behind backslashes, of which it loses one.
    """
    found: list[Part] = []
    stray = False
    for index, text, in_code in text_outside_code(content):
        if not in_code and "###" in text:
            header = _header(text.strip(), grammar)
            if header is not None:
                found.append(_part(header, text, line + index, grammar, report))
                continue
            text = _unescaped(text, grammar)
        if found:
            found[-1].lines.append(text)
        elif text.strip() and not stray:
            stray = True
            first = next(iter(grammar.headers))
            fix = f"move it to a ::prose:: section, or below a `### {first}`"
            report(line + index, _col(text), f"text before the first `### {first}`", fix)
    return found


def header_like(text: str, grammar: Grammar) -> bool:
    """Whether a line of text, as it stands, would be read as a header or a misspelt one."""
    return "###" in text and _header(text.strip(), grammar) is not None


def _header(text: str, grammar: Grammar) -> _Header | None:
    if text[:4] == "### " and text[4:] in grammar.headers:
        return _Header(text[4:], True, ())
    if not text.startswith("###") or len(text) > _LONGEST or (found := _NEARLY.fullmatch(text)) is None:
        return None
    name = next((name for name in grammar.headers if name.lower() == found[1].lower()), None)
    if name is None:
        return None
    words = tuple((word[0], word.start()) for word in _WORD.finditer(text, found.end(1)) if word[0] != ":")
    flags = grammar.headers[name]
    meant = all(word.startswith("!") for word, _ in words) or words[0][0].lower() in {f"!{flag}" for flag in flags}
    exact = text == " ".join([f"### {name}", *(word for word, _ in words)])
    return _Header(name, exact, words) if meant else None


def _part(header: _Header, text: str, line: int, grammar: Grammar, report: Report) -> Part:
    col, allowed = _col(text), grammar.headers[header.name]
    flags: set[str] = set()
    for word, offset in header.flags:
        flag = word.removeprefix("!")
        if (mistake := _mistake(word, header.name, allowed, flags)) is not None:
            report(line, col + offset, *mistake)
        flags |= {flag} & allowed
    if not header.exact and all(word.removeprefix("!") in allowed for word, _ in header.flags):
        right = " ".join([f"### {header.name}", *(f"!{flag}" for flag in sorted(flags))])
        what = f"`{text.strip()}` is not a header"
        report(line, col, what, f"write `{right}`, or put a backslash before it if it is text")
    return Part(header.name, frozenset(flags), line, col)


def _mistake(word: str, name: str, allowed: frozenset[str], seen: set[str]) -> tuple[str, str] | None:
    """What is wrong with one word behind a header, and what to do."""
    flag = word.removeprefix("!")
    if word.startswith("!") and flag in allowed:
        return (f"`{word}` is written twice", "keep one of the two") if flag in seen else None
    if not allowed:
        return f"`### {name}` takes no `{word}`", "remove it, or put a backslash before the line if it is text"
    close = difflib.get_close_matches(flag.lower(), sorted(allowed), n=1)
    guess = (
        f"did you mean `!{close[0]}`?" if close else f"the flags are {', '.join(f'`!{f}`' for f in sorted(allowed))}"
    )
    return f"`{word}` is no flag of `### {name}`", f"{guess} Put a backslash before the line if it is text"


def _unescaped(text: str, grammar: Grammar) -> str:
    """``text`` without one backslash, if only its backslashes keep it from being a header."""
    bare = text.lstrip()
    if not bare.startswith("\\") or _header(bare.lstrip("\\").strip(), grammar) is None:
        return text
    return text[: len(text) - len(bare)] + bare[1:]


def _col(text: str) -> int:
    return len(text) - len(text.lstrip()) + 1
