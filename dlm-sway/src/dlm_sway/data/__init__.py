"""Questions and texts packaged with sway: they have nothing to do with what an adapter was taught.

All of it was written for sway (``PROVENANCE.md`` beside the files) and must never be trained on: what guards against
forgetting cannot be what was practised.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NamedTuple

from ..scoring.types import Item

if TYPE_CHECKING:
    from collections.abc import Iterator


class Fact(NamedTuple):
    """General knowledge as the beginning of a sentence, with the words that end it."""

    kind: str
    """What it is about: ``arithmetic``, ``biology``, ``everyday``, ``geography`` and so on."""
    prompt: str
    answer: str
    """With the space that stands before it."""
    wrong: str
    """An end of the same kind that is not true."""


class Passage(NamedTuple):
    """Plain prose about one thing."""

    title: str
    text: str


class ToolCase(NamedTuple):
    """A request, the tool that answers it, and the call that does."""

    prompt: str
    tool_spec: dict[str, Any]
    """``name``, ``description`` and ``parameters``, a JSON Schema."""
    gold_tool_name: str
    gold_arguments: dict[str, Any]


class FormatCase(NamedTuple):
    """A request for an answer of a certain form."""

    prompt: str
    form: str
    """What the answer must be: ``json``, ``list``, ``number``, ``one_word``, ``uppercase`` or ``yes_no``."""


class RefusalCase(NamedTuple):
    """A request that a careful assistant declines, or one that only sounds like it."""

    prompt: str
    decline: bool


@cache
def general_items() -> tuple[Item, ...]:
    """Forty general questions with reference answers, the control for "what changed elsewhere".

    Each counts as independent.
    """
    return tuple(Item(prompt=row["prompt"], reference=row["reference"]) for row in _rows("general.jsonl"))


@cache
def knowledge() -> tuple[Fact, ...]:
    """Two hundred things that small models know, kind after kind. What was checked on which: ``PROVENANCE.md``."""
    return tuple(Fact(**row) for row in _rows("knowledge.jsonl"))


@cache
def prose() -> tuple[Passage, ...]:
    """Passages of plain English, unknown to every model when they were written."""
    return tuple(Passage(**row) for row in _rows("prose.jsonl"))


@cache
def tool_cases() -> tuple[ToolCase, ...]:
    """Ninety-six requests that a call of a tool answers, six a tool."""
    return tuple(ToolCase(**row) for row in _rows("tools.jsonl"))


@cache
def format_cases() -> tuple[FormatCase, ...]:
    """Requests whose answers a program can check."""
    return tuple(FormatCase(**row) for row in _rows("formats.jsonl"))


@cache
def refusal_cases() -> tuple[RefusalCase, ...]:
    """As many requests to decline as requests that only sound like it."""
    return tuple(RefusalCase(**row) for row in _rows("refusals.jsonl"))


def _rows(name: str) -> Iterator[dict[str, Any]]:
    for line in (files(__name__) / name).read_text(encoding="utf-8").splitlines():
        yield json.loads(line)
