"""The comments by which tools sign the sections they write: ``<!-- dlm-auto-synth: key="value" -->``.

They stand on the first lines of a section, belong to no type's grammar, and are no part of a section's identity.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .findings import Report

_MARKER = re.compile(r"[ \t]*<!--[ \t]*dlm-auto-([a-z]+):(.*)-->[ \t]*")
_VALUE = re.compile(r"([a-z_]+)=\"([^\"]*)\"")


class _Kind(NamedTuple):
    """One tool's signature."""

    sections: frozenset[str]
    """In any other type the comment is text."""
    keys: frozenset[str]
    """All of them, each once, none empty."""


_KINDS = {
    "harvest": _Kind(frozenset({"instruction", "preference"}), frozenset({"source"})),
    "synth": _Kind(
        frozenset({"instruction"}), frozenset({"synth_teacher", "synth_strategy", "synth_at", "source_section_id"})
    ),
    "mined": _Kind(
        frozenset({"preference"}),
        frozenset({"judge_name", "judge_score_chosen", "judge_score_rejected", "mined_at", "mined_run_id"}),
    ),
}


class Marked(NamedTuple):
    """A section's lines without its signature."""

    provenance: dict[str, str]
    lines: list[str]
    taken: int
    """How many lines were the signature."""


def take_markers(kind: str, lines: list[str], line: int, report: Report) -> Marked:
    """Split the signatures off a section of type ``kind`` whose first line is ``line``; bad ones are reported."""
    provenance: dict[str, str] = {}
    taken = 0
    while taken < len(lines) and (found := _MARKER.fullmatch(lines[taken])) and _applies(found[1], kind):
        values = _VALUE.findall(found[2])
        if _sound(found[1], found[2], values):
            provenance |= {"written_by": found[1], **dict(values)}
        else:
            keys = ", ".join(sorted(_KINDS[found[1]].keys))
            fix = f'write each of {keys} once, as key="value", or remove the comment'
            report(line + taken, 1, f"a dlm-auto-{found[1]} comment that cannot be read", fix)
        taken += 1
    return Marked(provenance, lines[taken:], taken)


def _applies(tool: str, kind: str) -> bool:
    return tool in _KINDS and kind in _KINDS[tool].sections


def _sound(tool: str, text: str, values: list[tuple[str, str]]) -> bool:
    keys = [key for key, value in values if value.strip()]
    return set(keys) == _KINDS[tool].keys and len(keys) == len(values) and not _VALUE.sub("", text).strip()
