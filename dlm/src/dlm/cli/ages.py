"""``30d``, ``12h``: how long ago, as people type it."""

from __future__ import annotations

import re

from ..errors import UsageProblem

_UNITS = {"d": 86_400, "h": 3600, "m": 60, "s": 1}


def seconds(option: str, age: str) -> int:
    """Seconds in ``age``, which was given to ``option``.

    Raises:
        UsageProblem: it is no age.
    """
    found = re.fullmatch(r"(\d{1,9})([dhms])", age)
    if found is None:
        raise UsageProblem(f"{option} {age!r} is no age: write a number and d, h, m or s, for example 30d")
    return int(found[1]) * _UNITS[found[2]]
