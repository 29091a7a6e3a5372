"""How long a run will take: what runs on the same base took on this machine, or a rough guess before the first one."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, NamedTuple

from ..hardware.shape import parameters
from ..store.files import write_atomic

if TYPE_CHECKING:
    from pathlib import Path

    from ..bases import LocalBase

MEASURED_RATE = 480.0
"""Tokens a second of training on a base of so many parameters, on so many cores."""
MEASURED_PARAMETERS = 134_515_008
MEASURED_CORES = 2
NEWEST = 0.5
"""Weight of the last run in the average; machines are busier at one time than at another."""


class Pace(NamedTuple):
    """Tokens a second."""

    rate: float
    measured: bool
    """On this machine, rather than guessed from the size of the base."""


def expected(base: LocalBase, home: Path) -> Pace | None:
    """The pace to expect; ``None`` when there is nothing to go by."""
    known = _read(_file(home)).get(base.digest)
    if known:
        return Pace(known, measured=True)
    size = parameters(base.path)
    if not size:
        return None
    return Pace(MEASURED_RATE * MEASURED_PARAMETERS / size * (os.cpu_count() or 1) / MEASURED_CORES, measured=False)


def remember(base: LocalBase, home: Path, tokens: int, seconds: float) -> None:
    """Keep how fast a run was, for the next one's forecast.

    Raises:
        StoreError: the disk cannot be written.
    """
    if tokens <= 0 or seconds <= 0:
        return
    file = _file(home)
    known = _read(file)
    rate, before = tokens / seconds, known.get(base.digest)
    known[base.digest] = round(rate if before is None else NEWEST * rate + (1 - NEWEST) * before, 1)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(file, json.dumps(known, indent=1, sort_keys=True) + "\n")


def _file(home: Path) -> Path:
    return home / "cache" / "pace.json"


def _read(file: Path) -> dict[str, float]:
    try:
        found = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {name: float(rate) for name, rate in found.items() if isinstance(rate, int | float) and rate > 0}
