"""The result JSON as text: strict, sorted, indented, so that two results can be compared line by line."""

from __future__ import annotations

import json
from typing import Any


def render(result: dict[str, Any]) -> str:
    """``result`` as strict JSON."""
    return json.dumps(result, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"
