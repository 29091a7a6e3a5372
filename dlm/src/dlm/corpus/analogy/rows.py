"""``Label: value`` lines and Markdown tables, read as things with properties."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from ..nouns import singular
from ..sentences import FUNCTION_WORDS
from .templates import NAMED, VALUE
from .words import plain, words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_FENCE = re.compile(r" {0,3}(?:```|~~~)")
_ENTRY = re.compile(
    r"\s*(?P<bullet>(?:[-*+]|\d+[.)])\s+)?(?P<label>[^\W\d_][\w /'’&-]{0,38}?)\s*(?::|：)\s+(?P<value>\S.*?)\s*$"
)
_RULE = re.compile(r"\s*\|?\s*:?-{2,}:?\s*(?:\|\s*:?-{2,}:?\s*)*\|?\s*$")
_EMPTY = frozenset(("", "-", "–", "—", "?", "n/a", "none", "yes", "no", "x", "✓", "✗", "tbd", "todo", "unknown"))
MOST_LABEL_WORDS = 4
MOST_VALUE_WORDS = 14


class Row(NamedTuple):
    """A property of something as a list or a table gives it."""

    label: str
    value: str
    name: str
    """First cell of the row; empty when the heading above says what it is about."""
    line: str
    """As written, without the bullet."""


def rows(text: str) -> list[Row]:
    """Every property that lists, lines and tables of ``text`` give."""
    found: list[Row] = []
    for chunk in _chunks(text):
        found += _table(chunk) if "|" in chunk[0] else _entries(chunk)
    return found


def _chunks(text: str) -> Iterator[list[str]]:
    """Runs of lines between blank ones; code is left out."""
    fenced, chunk = False, []
    for line in (*text.split("\n"), ""):
        fence = bool(_FENCE.match(line))
        if not (fenced or fence) and line.strip():
            chunk.append(plain(line))
        elif chunk:
            yield chunk
            chunk = []
        fenced ^= fence


def _entries(chunk: Sequence[str]) -> list[Row]:
    """``Label: value`` lines, when every line of the chunk is one or starts with a bullet."""
    matches = [_ENTRY.match(line) for line in chunk]
    if not all(match or re.match(r"\s*(?:[-*+]|\d+[.)])\s", line) for match, line in zip(matches, chunk, strict=True)):
        return []
    plainly = [match for match in matches if match and not match["bullet"]]
    found = matches if len(plainly) != 1 or len(chunk) == 1 else [match for match in matches if match not in plainly]
    return [
        Row(match["label"], match["value"].rstrip(".;,"), "", match[0].strip().lstrip("-*+ "))
        for match in found
        if match and _is_label(match["label"]) and _is_value(match["value"])
    ]


def _table(chunk: Sequence[str]) -> list[Row]:
    """The cells of a table with a header, each with its row's first cell and its column's name."""
    lines = [line for line in chunk if "|" in line]
    if len(lines) < 3 or not _RULE.match(lines[1]):
        return []
    header, *body = (_cells(line) for line in (lines[0], *lines[2:]))
    body = [cells for cells in body if len(cells) == len(header) and cells[0]]
    names = [cells[0] for cells in body]
    if len(header) < 2 or len(set(names)) < len(names):
        return []
    return [
        Row(label, cell, _name(header[0], cells[0]), " | ".join(cells))
        for cells in body
        for label, cell in zip(header[1:], cells[1:], strict=True)
        if _is_label(label) and _is_value(cell)
    ]


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]


def _name(column: str, cell: str) -> str:
    """What a row is about: a bare number takes its column's name, ``step 3``."""
    bare = not any(sign.isalpha() for sign in cell) or len(cell) < 2
    return f"{label_in_text(column)} {cell}" if bare and column else cell


def _is_label(label: str) -> bool:
    found = words(label)
    grey = {word.low for word in found} & FUNCTION_WORDS - {
        "of",
        "the",
        "a",
        "in",
        "on",
        "to",
        "and",
        "for",
        "by",
        "at",
    }
    return 0 < len(found) <= MOST_LABEL_WORDS and not grey and label[0].isalpha()


def _is_value(value: str) -> bool:
    """Whether it can stand in a sentence: short, and no sentence itself."""
    found = words(value)
    sentence = value.endswith((".", "!", "?")) and len(found) > 5
    return value.lower() not in _EMPTY and len(found) <= MOST_VALUE_WORDS and not sentence and "|" not in value


def label_in_text(label: str) -> str:
    """``Opening hours`` as it stands inside of a sentence; ``SLO`` and ``Wi-Fi`` keep their capitals."""
    first = label.split(maxsplit=1)[0]
    return label if any(sign.isupper() for sign in first[1:]) or "`" in label else label[0].lower() + label[1:]


def question_of(row: Row) -> str:
    """What somebody asks who wants the value of ``row``, with a slot for the thing."""
    label = label_in_text(row.label)
    if _is_count(row):
        return f"How many {label} for {NAMED}?"
    if _is_noun(label):
        return f"What {_verb(label)} the {label} of {NAMED}?"
    return f"What does it say for {NAMED} under “{label}”?"


def sentence_of(row: Row) -> str:
    """The property as a sentence, with slots."""
    label = label_in_text(row.label)
    if _is_count(row):
        return f"The number of {label} for {NAMED} is {VALUE}."
    return (
        f"The {label} of {NAMED} {_verb(label)} {VALUE}." if _is_noun(label) else f"For {NAMED}, “{label}” is {VALUE}."
    )


def _head(label: str) -> str:
    """The noun that the others describe: ``hours`` of ``opening hours on Sunday``."""
    return re.split(r" (?:of|in|on|to|for|by|at)\b", label.lower())[0].split()[-1]


def _is_count(row: Row) -> bool:
    head = _head(row.label)
    return row.value.isdigit() and head != singular(head) != ""


def _is_noun(label: str) -> bool:
    """Whether *the label of something* is English: its head is a noun that is known, or capital letters."""
    first, *_, last = [label, *label.split()]
    ends_open = last in FUNCTION_WORDS
    return not ends_open and (bool(singular(_head(first))) or any(sign.isupper() for sign in last))


def _verb(label: str) -> str:
    head = _head(label)
    return "are" if head != singular(head) != "" else "is"
