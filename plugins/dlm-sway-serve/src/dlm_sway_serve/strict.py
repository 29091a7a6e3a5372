"""JSON as the standard has it: no NaN, no infinity, no half of a character, no depth that ends a program."""

from __future__ import annotations

import json
import math
from typing import Any, Final, NoReturn

MOST_DEPTH: Final = 64
MOST_DIGITS: Final = 300


def loads(raw: bytes) -> Any:
    """The data in ``raw``.

    Raises:
        json.JSONDecodeError: it is not strict JSON, or is nested too deeply.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise json.JSONDecodeError("not UTF-8", "", error.start) from None
    try:
        data = json.loads(text, parse_constant=_no_constant, parse_float=_finite, parse_int=_short)
        json.dumps(data, ensure_ascii=False).encode("utf-8")  # an escape can smuggle in half a character
    except json.JSONDecodeError:
        raise
    except RecursionError:
        raise json.JSONDecodeError(f"nested more than {MOST_DEPTH} deep", "", 0) from None
    except UnicodeEncodeError:
        raise json.JSONDecodeError("a text holds half a character (a lone surrogate)", "", 0) from None
    except ValueError as error:
        raise json.JSONDecodeError(str(error), "", 0) from None
    if _deeper(data, MOST_DEPTH):
        raise json.JSONDecodeError(f"nested more than {MOST_DEPTH} deep", "", 0)
    return data


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number in JSON")


def _finite(text: str) -> float:
    if not math.isfinite(found := float(text)):
        raise ValueError(f"the number {text[:40]} is too large")
    return found


def _short(text: str) -> int:
    if len(text) > MOST_DIGITS:
        raise ValueError(f"a number has {len(text)} digits")
    return int(text)


def _deeper(data: Any, levels: int) -> bool:
    """Whether ``data`` is nested more than ``levels`` deep."""
    if not isinstance(data, (dict, list)):
        return False
    inner = data.values() if isinstance(data, dict) else data
    return levels == 0 or any(_deeper(one, levels - 1) for one in inner)
