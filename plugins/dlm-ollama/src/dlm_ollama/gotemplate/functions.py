"""Functions that a template may call, and Go's idea of truth, kinds and printing.

``and`` and ``or`` are in the table for their names: what they do not need they do not evaluate, so running does them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from .nodes import TemplateFault, Unsupported


def truth(value: Any) -> bool:
    """Whether Go's ``if`` takes it for true: not false, 0, nil or empty. A struct is true, whatever it holds."""
    if isinstance(value, Mapping) and getattr(value, "is_struct", False):
        return True
    return bool(value)


def printed(value: Any) -> str:
    """As an action prints it."""
    if value is None:
        return "<no value>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int):
        return str(value)
    if kind_of(value) == "list":
        return f"[{' '.join(map(printed, value))}]"
    if kind_of(value) == "map":
        return f"map[{' '.join(f'{key}:{printed(held)}' for key, held in sorted(value.items()))}]"
    raise Unsupported(f"printing a {kind_of(value)} is not supported here")


def kind_of(value: Any) -> str:
    """The kind by which Go compares: values of different kinds are never equal, they are an error."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int"
    if isinstance(value, float):
        return "float"
    if isinstance(value, str):
        return "string"
    if isinstance(value, Mapping):
        return "struct" if getattr(value, "is_struct", False) else "map"
    return "nil" if value is None else "list"


def _same(first: Any, second: Any) -> bool:
    kinds = (kind_of(first), kind_of(second))
    if "nil" in kinds:
        return kinds[0] == kinds[1]
    if kinds[0] != kinds[1]:
        raise TemplateFault(f"incompatible types for comparison: {kinds[0]} and {kinds[1]}")
    if kinds[0] in ("list", "map", "struct"):
        raise TemplateFault(f"a {kinds[0]} cannot be compared")
    return bool(first == second)


def _eq(first: Any, *others: Any) -> bool:
    if not others:
        raise TemplateFault("missing argument for comparison")
    return any(_same(first, other) for other in others)


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def check(first: Any, second: Any) -> bool:
        if kind_of(first) not in ("int", "float", "string") or kind_of(first) != kind_of(second):
            raise TemplateFault(f"{kind_of(first)} and {kind_of(second)} have no order")
        # Go orders strings by their bytes; so does UTF-8, which code points sort alike.
        return compare(first, second)

    return check


def _len(value: Any) -> int:
    if isinstance(value, str):
        return len(value.encode())
    if kind_of(value) not in ("list", "map"):
        raise TemplateFault(f"len of {kind_of(value)}")
    return len(value)


def _index(value: Any, *keys: Any) -> Any:
    for key in keys:
        if kind_of(value) == "map" and isinstance(key, str):
            value = value.get(key)
            continue
        items = list(value.encode()) if isinstance(value, str) else value
        if kind_of(items) != "list" or kind_of(key) != "int":
            raise TemplateFault(f"cannot index {kind_of(value)} with {kind_of(key)}")
        if not 0 <= key < len(items):
            raise TemplateFault(f"index out of range: {key}")
        value = items[key]
    return value


def _slice(value: Any, *bounds: Any) -> Any:
    items = value.encode() if isinstance(value, str) else value
    if not isinstance(items, bytes) and kind_of(items) != "list":
        raise TemplateFault(f"cannot slice {kind_of(value)}")
    low, high = (*bounds, *(0, len(items))[len(bounds) :])[:2]
    if len(bounds) > 2 or not 0 <= low <= high <= len(items):
        raise TemplateFault(f"slice bounds out of range: {low}:{high}")
    part = items[low:high]
    return part.decode("utf-8", "replace") if isinstance(part, bytes) else part


def _json(value: Any) -> str:
    # Go's encoder writes these three as escapes, and everything else beyond ASCII as it is.
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _print(*values: Any) -> str:
    """Spaces between two neighbours neither of which is a string."""
    text = ""
    for place, value in enumerate(values):
        if place and not isinstance(value, str) and not isinstance(values[place - 1], str):
            text += " "
        text += printed(value)
    return text


def _unreachable(*_: Any) -> Any:
    raise AssertionError("running evaluates and/or itself")


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "and": _unreachable,
    "or": _unreachable,
    "not": lambda value: not truth(value),
    "eq": _eq,
    "ne": lambda first, second: not _same(first, second),
    "lt": _ordered(lambda a, b: bool(a < b)),
    "le": _ordered(lambda a, b: bool(a <= b)),
    "gt": _ordered(lambda a, b: bool(a > b)),
    "ge": _ordered(lambda a, b: bool(a >= b)),
    "len": _len,
    "index": _index,
    "slice": _slice,
    "print": _print,
    "json": _json,
}
