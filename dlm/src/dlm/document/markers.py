"""The comments by which tools sign the sections they write: ``<!-- dlm-auto-synth: key="value" -->``.

They stand on the first lines of a section, belong to no type's grammar, and are no part of a section's identity.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .findings import Report

_MARKER = re.compile(r"[ \t]*<!--[ \t]*dlm-auto-([a-z]{1,20}):(.*)-->[ \t]*")
_VALUE = re.compile(r"[ \t]*([a-z_]{1,40})=\"([^\"]*)\"")
_SECTION_ID = re.compile(r"[0-9a-f]{16}")
_COUNT = re.compile(r"0*[1-9][0-9]{0,17}")

_Check = tuple[str, Callable[[str], bool]]
"""What a value has to be, in words and as a test."""


def _finite(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _moment(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


_TEXT: _Check = "some text", lambda text: bool(text.strip())
_NUMBER: _Check = "a number", _finite
_WHEN: _Check = "a time such as 2026-01-31T12:00:00Z", _moment


class _Kind(NamedTuple):
    """One tool's signature."""

    sections: frozenset[str]
    """In any other type the comment is text."""
    keys: Mapping[str, _Check]
    """All of them, each once, in the order in which they are written."""


_KINDS = {
    "harvest": _Kind(frozenset({"instruction", "preference"}), {"source": _TEXT}),
    "mined": _Kind(
        frozenset({"preference"}),
        {
            "judge_name": _TEXT,
            "judge_score_chosen": _NUMBER,
            "judge_score_rejected": _NUMBER,
            "mined_at": _WHEN,
            "mined_run_id": ("a whole number from 1", lambda text: _COUNT.fullmatch(text) is not None),
        },
    ),
    "synth": _Kind(
        frozenset({"instruction"}),
        {
            "synth_teacher": _TEXT,
            "synth_strategy": ("extraction or expansion", frozenset({"extraction", "expansion"}).__contains__),
            "synth_at": _WHEN,
            "source_section_id": ("16 digits out of 0-9 and a-f", lambda text: _SECTION_ID.fullmatch(text) is not None),
        },
    ),
}


class Marked(NamedTuple):
    """A section's lines without its signature."""

    provenance: dict[str, str]
    """``written_by``, the tools with blanks between, and every key of their comments."""
    lines: list[str]
    taken: int
    """How many lines were the signature."""


def take_markers(kind: str, lines: list[str], line: int, report: Report) -> Marked:
    """Split the signatures off a section of type ``kind`` whose first line is ``line``; bad ones are reported."""
    values: dict[str, str] = {}
    tools: list[str] = []
    taken = 0
    while taken < len(lines) and (found := _MARKER.fullmatch(lines[taken])) and _applies(found[1], kind):
        tool, number = found[1], line + taken
        if tool in tools:
            report(number, 1, f"a second dlm-auto-{tool} comment in one section", "keep one of the two")
        elif (given := _values(found[2])) is None or given.keys() != _KINDS[tool].keys.keys():
            keys = ", ".join(_KINDS[tool].keys)
            fix = f'write each of {keys} once, as key="value", or remove the comment'
            report(number, 1, f"a dlm-auto-{tool} comment that cannot be read", fix)
        else:
            _check(tool, given, number, report)
            values |= given
        tools.append(tool)
        taken += 1
    provenance = {"written_by": " ".join(tools), **values} if tools else {}
    return Marked(provenance, lines[taken:], taken)


def marker_lines(provenance: Mapping[str, str]) -> Iterator[str]:
    """The comments that :func:`take_markers` reads as ``provenance``."""
    for tool in provenance.get("written_by", "").split():
        values = " ".join(f'{key}="{provenance[key]}"' for key in _KINDS[tool].keys)
        yield f"<!-- dlm-auto-{tool}: {values} -->"


def _applies(tool: str, kind: str) -> bool:
    return tool in _KINDS and kind in _KINDS[tool].sections


def _values(text: str) -> dict[str, str] | None:
    """Every ``key="value"`` of ``text``; ``None`` when there is anything else, or a key twice."""
    found: dict[str, str] = {}
    end = len(text.rstrip())
    pos = 0
    while pos < end:
        value = _VALUE.match(text, pos)
        if value is None or value[1] in found:
            return None
        found[value[1]] = value[2]
        pos = value.end()
    return found


def _check(tool: str, given: Mapping[str, str], line: int, report: Report) -> None:
    for key, (rule, sound) in _KINDS[tool].keys.items():
        if not sound(given[key]):
            shown = given[key] if len(given[key]) <= 60 else given[key][:57] + "..."
            report(line, 1, f'`{key}` of a dlm-auto-{tool} comment is "{shown}"', f"it must be {rule}")
