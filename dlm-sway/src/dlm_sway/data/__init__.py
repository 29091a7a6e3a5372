"""Questions packaged with sway: general ones, that have nothing to do with what an adapter was taught."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

from ..scoring.types import Item


@cache
def general_items() -> tuple[Item, ...]:
    """Forty general questions with reference answers, the control for "what changed elsewhere".

    Each counts as independent. They were written for sway and must never be trained on: what guards against
    forgetting cannot be what was practised.
    """
    lines = (files(__name__) / "general.jsonl").read_text(encoding="utf-8").splitlines()
    return tuple(Item(prompt=row["prompt"], reference=row["reference"]) for row in map(json.loads, lines))
