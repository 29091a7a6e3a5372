"""What a model wrote, taken apart: JSON Lines as asked for, and what models write instead.

Nothing here judges; every piece goes on to :mod:`.cleaning` and the checks.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_THOUGHT = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.S | re.I)
_FENCE = re.compile(r"(?m)^\s*```\w*\s*$")
_BULLET = re.compile(r"^\s*(?:\(?\d{1,3}[.):]\)?|[-*•–])\s+")
_ASKED = re.compile(r"^\W{0,4}(?:q|question)\s*\d{0,3}\W{0,3}[:.)]\W{0,3}\s*(?P<rest>.+)$", re.I)
_ANSWERED = re.compile(r"^\W{0,4}(?:a|answer)\s*\d{0,3}\W{0,3}[:.)]\W{0,3}\s*(?P<rest>.+)$", re.I)
_QUOTES = {'"': '"', "“": "”", "'": "'", "‘": "’", "`": "`"}


class Candidate(NamedTuple):
    """One fact as the teacher asks for it."""

    questions: tuple[str, ...]
    """At least one; several are wordings of the same."""
    answer: str


class Reading(NamedTuple):
    """A reply, read."""

    candidates: tuple[Candidate, ...]
    malformed: int
    """Pieces that are neither what was asked for nor an empty line."""


def read_facts(reply: str) -> Reading:
    """Questions with answers: JSON Lines, one JSON array, or ``Q:`` and ``A:`` lines."""
    found: list[Candidate] = []
    malformed = 0
    waiting: list[str] = []
    for piece in _pieces(reply):
        if isinstance(piece, str):
            if (asked := _ASKED.match(piece)) is not None:
                waiting.append(asked["rest"])
            elif waiting and (answered := _ANSWERED.match(piece)) is not None:
                found.append(Candidate(tuple(waiting), answered["rest"]))
                waiting = []
            else:
                malformed += 1
        elif (candidate := _candidate(piece)) is not None:
            found.append(candidate)
        else:
            malformed += 1
    return Reading(tuple(found), malformed + len(waiting))


def read_wordings(reply: str) -> Reading:
    """Questions alone: lines with or without numbers, strings in JSON. Each is a candidate without an answer."""
    found: list[Candidate] = []
    malformed = 0
    for piece in _pieces(reply):
        said = _wordings(piece)
        found += [Candidate((wording,), "") for wording in said]
        malformed += not said
    return Reading(tuple(found), malformed)


def _pieces(reply: str) -> Iterator[Any]:
    """Every JSON value of the reply, arrays taken apart, and every other line as a string."""
    text = _FENCE.sub("", _THOUGHT.sub("", reply)).strip()
    whole = _json(text)
    if isinstance(whole, list):
        yield from whole
        return
    if whole is not None:
        yield whole
        return
    for line in text.splitlines():
        stripped = _BULLET.sub("", line).strip().rstrip(",")
        if stripped and stripped not in "[]{}":
            value = _json(stripped)
            yield from value if isinstance(value, list) else [stripped if value is None else value]


def _json(text: str) -> Any:
    """The value that ``text`` is, or ``None``; bare words and numbers are text."""
    if not text.startswith(("{", "[", '"')):
        return None
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None


def _candidate(piece: Any) -> Candidate | None:
    if not isinstance(piece, dict):
        return None
    lowered = {str(key).casefold(): value for key, value in piece.items()}
    asked = next((lowered[key] for key in ("questions", "question", "q") if key in lowered), None)
    answer = next((lowered[key] for key in ("answer", "a") if key in lowered), None)
    questions = [asked] if isinstance(asked, str) else asked
    if not isinstance(answer, str) or not isinstance(questions, list) or not questions:
        return None
    if not all(isinstance(question, str) for question in questions):
        return None
    return Candidate(tuple(_bare(question) for question in questions), _bare(answer))


def _wordings(piece: Any) -> list[str]:
    if isinstance(piece, dict):
        lowered = {str(key).casefold(): value for key, value in piece.items()}
        piece = next((lowered[key] for key in ("questions", "question", "q", "paraphrase") if key in lowered), None)
    several = piece if isinstance(piece, list) else [piece]
    said = [_bare(one) for one in several if isinstance(one, str)]
    # A line that ends with a colon announces what comes.
    return [one for one in said if one and not one.endswith(":")]


def _bare(text: str) -> str:
    """Without a number, a ``Q:`` and quotation marks around it."""
    text = _BULLET.sub("", text).strip()
    if (asked := _ASKED.match(text)) is not None:
        text = asked["rest"].strip()
    if len(text) > 1 and _QUOTES.get(text[0]) == text[-1] and text[0] not in text[1:-1]:
        text = text[1:-1].strip()
    return text
