"""A result held against a stored one, value by value, but for what differs from run to run and from machine to machine.

For a test that says: the same suite on the same models still gives the same numbers. Whether a change of numbers is
more than chance is another question, which :mod:`.compare` answers.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final, NamedTuple

from ..errors import TargetError

MASKED: Final = frozenset(
    {
        *("started_at", "finished_at", "wall_seconds", "duration_s", "backend_stats", "sway_version"),
        *("adapter_id", "base_model_id", "spec_path", "models", "dlm_source"),
        *("command", "platform", "python", "versions", "traceback"),
    }
)
"""Keys that are not looked at, wherever they stand: times, places, and the machine."""

TOLERANCE: Final = 1e-4
"""By how much a number may differ where its key has no tolerance of its own."""

TOLERANCES: Final[Mapping[str, float]] = {"score": 1e-4, "overall": 1e-4}
"""Key -> tolerance, for the number under it and all numbers below it."""

_TEXTS: Final = frozenset({"message", "summary", "findings", "reasons"})
"""Sentences with rounded numbers in them: a number there may differ by its last digit."""
_NUMBER: Final = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?")
_MISSING: Final = object()


class Diff(NamedTuple):
    """One place where two results differ."""

    path: str
    """Such as ``$.probes[0].raw``."""
    actual: Any
    expected: Any
    reason: str

    def __str__(self) -> str:
        return f"{self.path}: {self.reason} (actual={_short(self.actual)}, expected={_short(self.expected)})"


class Rules(NamedTuple):
    """What may differ."""

    masked: frozenset[str] = MASKED
    tolerances: Mapping[str, float] = TOLERANCES
    otherwise: float = TOLERANCE


USUAL: Final = Rules()


def differences(actual: Any, expected: Any, rules: Rules = USUAL) -> list[Diff]:
    """Every place where ``actual`` is not what was ``expected``, in the order of the stored result."""
    return list(_walk(actual, expected, "$", "", rules.otherwise, rules))


def read(path: Path) -> Any:
    """The JSON in ``path``; NaN and infinities of earlier versions are read as they are.

    Raises:
        TargetError: the file cannot be read, or is not JSON.
    """
    try:
        return json.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise TargetError(f"{path}: {error.strerror}: write results with `sway run SPEC --json FILE`") from error
    except (ValueError, RecursionError) as error:
        raise TargetError(f"{path}: not JSON: {error}: write results with `sway run SPEC --json FILE`") from error


def _walk(actual: Any, expected: Any, path: str, key: str, tolerance: float, rules: Rules) -> Iterator[Diff]:
    if _kind(actual) != _kind(expected):
        yield Diff(path, actual, expected, "type mismatch")
    elif isinstance(expected, dict):
        yield from _mapping(actual, expected, path, tolerance, rules)
    elif isinstance(expected, list):
        if len(actual) != len(expected):
            yield Diff(path, len(actual), len(expected), "list length")
        for at, (one, other) in enumerate(zip(actual, expected, strict=False)):
            yield from _walk(one, other, f"{path}[{at}]", key, tolerance, rules)
    elif _kind(expected) == "number":
        if not _close(actual, expected, tolerance):
            yield Diff(path, actual, expected, f"differs by more than {tolerance:g}")
    elif actual != expected and not (key in _TEXTS and isinstance(expected, str) and _reads_alike(actual, expected)):
        yield Diff(path, actual, expected, "value mismatch")


def _mapping(
    actual: dict[str, Any], expected: dict[str, Any], path: str, tolerance: float, rules: Rules
) -> Iterator[Diff]:
    for key in [*expected, *(key for key in actual if key not in expected)]:
        place = f"{path}.{key}"
        if key in rules.masked:
            continue
        if key not in actual:
            yield Diff(place, None, expected[key], "missing key")
        elif key not in expected:
            yield Diff(place, actual[key], None, "unexpected key")
        else:
            yield from _walk(actual[key], expected[key], place, key, rules.tolerances.get(key, tolerance), rules)


def _kind(value: Any) -> str:
    """Whole and other numbers are one kind; true and false are none."""
    if isinstance(value, bool) or value is None:
        return type(value).__name__
    return "number" if isinstance(value, (int, float)) else type(value).__name__


def _close(actual: float, expected: float, tolerance: float) -> bool:
    if actual == expected:
        return True
    try:
        a, b = float(actual), float(expected)
    except OverflowError:  # JSON holds whole numbers of any length
        return False
    return (math.isnan(a) and math.isnan(b)) or abs(a - b) <= tolerance


def _reads_alike(actual: str, expected: str) -> bool:
    """The same words, and numbers that differ by one in their last digit at most."""
    if _NUMBER.sub("#", actual) != _NUMBER.sub("#", expected):
        return False
    pairs = zip_longest(_NUMBER.findall(actual), _NUMBER.findall(expected), fillvalue="")
    return all(one == other or _neighbours(one, other) for one, other in pairs)


def _neighbours(one: str, other: str) -> bool:
    a, b = float(one.replace(",", "")), float(other.replace(",", ""))
    if "." not in other and "e" not in other:
        return a == b  # a count is not rounded
    return abs(a - b) <= 1.001 * max(_last_digit(one), _last_digit(other))


def _last_digit(number: str) -> float:
    digits, _, exponent = number.partition("e")
    decimals = len(digits.partition(".")[2])
    return float(10.0 ** (int(exponent or 0) - decimals))


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
