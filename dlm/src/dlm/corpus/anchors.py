"""The packaged prompts and passages on which the adapter is held to the base: general chat, not about any document."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

from .records import Message, Record


@cache
def anchors() -> tuple[Record, ...]:
    """Every packaged anchor, in file order. They belong to no section."""
    lines = files(__package__).joinpath("anchors.jsonl").read_text(encoding="utf-8").splitlines()
    return tuple(_record(number, json.loads(line)) for number, line in enumerate(lines, start=1))


def _record(number: int, entry: dict[str, str]) -> Record:
    group = f"anchor-{number}"
    if "text" in entry:
        return Record("anchor", "anchor", group, section_id="", text=entry["text"])
    messages = (Message("user", entry["prompt"]), Message("assistant", entry["answer"]))
    return Record("anchor", "anchor", group, section_id="", messages=messages)
