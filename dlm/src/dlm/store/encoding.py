"""JSON and time as the store writes them: strict, sorted, UTC."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


def now() -> str:
    """The time in UTC to the second, for example ``2026-11-05T12:00:00Z``."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def jsonable(value: Any) -> Any:
    """``value`` as strict JSON can say it: NaN and infinities become ``None``, dataclasses and paths plain data.

    Bytes of a path that are not UTF-8 are spelled out, as ``\\xff``.

    Raises:
        TypeError: it holds something that JSON has no word for.
    """
    if isinstance(value, str):
        return value if value.isascii() else _utf8(value)
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Path):
        return _utf8(str(value))
    if is_dataclass(value) and not isinstance(value, type):
        return jsonable(asdict(value))
    if isinstance(value, Mapping):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(jsonable(item) for item in value)
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray)):
        return [jsonable(item) for item in value]
    raise TypeError(f"cannot be written as JSON: {type(value).__name__}")


def _utf8(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def canonical(value: Any) -> str:
    """Text of a JSON file: sorted keys, two spaces, trailing newline."""
    return json.dumps(jsonable(value), sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def line(value: Any) -> str:
    """One line of a ``.jsonl`` file, newline included."""
    return json.dumps(jsonable(value), sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"
