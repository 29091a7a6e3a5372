"""What a trace says about where the time went: by entry, by view, and the slowest questions.

Writing traces is the business of :mod:`dlm_sway.scoring.trace`; files of earlier versions are read too.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from ..errors import TargetError

UNASSIGNED: Final = "<unassigned>"
"""What was asked by no entry, such as the question whether the model gives numbers at all."""


class Event(NamedTuple):
    """One question."""

    ts: float = 0.0
    run: str = ""
    probe: str = UNASSIGNED
    view_id: str = ""
    prompt_hash: str = ""
    top_k: int = 0
    op: str = ""
    wall_ms: float = 0.0
    hit: bool = False


class Share(NamedTuple):
    """What one entry or one view took."""

    name: str
    events: int
    ms: float
    hits: int

    @property
    def misses(self) -> int:
        """Questions that were put to the backend."""
        return self.events - self.hits

    @property
    def hit_rate(self) -> float:
        """Share of the questions that were answered from memory."""
        return self.hits / self.events if self.events else 0.0


@dataclass(frozen=True)
class Traced:
    """A trace, summed up. Every list of shares adds up to :attr:`total`."""

    total: Share
    per_probe: tuple[Share, ...]
    """Those that took longest first."""
    per_view: tuple[Share, ...]
    slowest: tuple[Event, ...]
    runs: tuple[str, ...]
    """In the order of the file; a file is appended to, so one may hold several."""
    malformed: int
    """Lines that are no event, left out."""


def read(path: Path, run: str = "") -> tuple[list[Event], int]:
    """The events of ``path``, only those of ``run`` where it is named (``last``: the file's last), and how many lines
    are no event.

    Raises:
        TargetError: the file cannot be read, or holds no such run.
    """
    try:
        lines = path.read_text("utf-8", errors="replace").splitlines()
    except OSError as error:
        raise TargetError(f"{path}: {error.strerror}: write a trace with `sway run SPEC --trace FILE`") from error
    found = [_event(line) for line in lines if line.strip()]
    events = [one for one in found if one is not None]
    malformed = len(found) - len(events)
    if not run or not events:
        return events, malformed
    wanted = events[-1].run if run == "last" else run
    if not (chosen := [one for one in events if one.run == wanted]):
        known = ", ".join(dict.fromkeys(one.run for one in events if one.run))
        raise TargetError(f"{path} holds no run {run!r}: it has {known or 'no names of runs'}")
    return chosen, malformed


def summed(events: Sequence[Event], malformed: int = 0, slowest: int = 10) -> Traced:
    """Where the time went."""
    return Traced(
        total=_share("total", events),
        per_probe=_shares(events, "probe"),
        per_view=_shares(events, "view_id"),
        slowest=tuple(sorted(events, key=lambda one: -one.wall_ms)[:slowest]),
        runs=tuple(dict.fromkeys(one.run for one in events if one.run)),
        malformed=malformed,
    )


def _event(line: str) -> Event | None:
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        return None  # half a line, where a run was cut off: it is counted
    if not isinstance(data, dict):
        return None
    wall = data.get("wall_ms")
    if isinstance(wall, bool) or not isinstance(wall, (int, float)) or not 0 <= wall < math.inf:
        return None
    return Event(
        ts=float(data["ts"]) if isinstance(data.get("ts"), (int, float)) else 0.0,
        run=_text(data, "run"),
        probe=_text(data, "probe") or UNASSIGNED,
        view_id=_text(data, "view_id"),
        prompt_hash=_text(data, "prompt_hash"),
        top_k=data["top_k"] if isinstance(data.get("top_k"), int) else 0,
        op=_text(data, "op"),
        wall_ms=float(wall),
        hit=data.get("hit") is True,
    )


def _text(data: dict[str, Any], key: str) -> str:
    value = data.get(key)
    return value if isinstance(value, str) else ""


def _shares(events: Iterable[Event], key: str) -> tuple[Share, ...]:
    found: dict[str, list[Event]] = {}
    for event in events:
        found.setdefault(getattr(event, key), []).append(event)
    shares = [_share(name, members) for name, members in found.items()]
    return tuple(sorted(shares, key=lambda one: (-one.ms, one.name)))


def _share(name: str, events: Sequence[Event]) -> Share:
    return Share(name, len(events), math.fsum(one.wall_ms for one in events), sum(one.hit for one in events))
