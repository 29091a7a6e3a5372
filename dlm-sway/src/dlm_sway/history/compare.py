"""Saved results beside each other, oldest first: what changed from one run to the newest, entry by entry.

Results of any writer of schema version 1 are read; an entry is found again by its name. Nothing is measured here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final, Literal, NamedTuple

from ..errors import TargetError
from ..stats.multiplicity import holm
from ..suite.gate import DISABLED
from .change import ALPHA, Change, Worse, moved_p, paired, unpaired

Outcome = Literal["worse", "better", "not told apart", "undirected", "not compared", "lost"]

MEASURED: Final = "measured"
"""In the place of a verdict where a number was taken that nobody judged."""

_DECIDED: Final = ("pass", "fail", "warn", "inconclusive", MEASURED)


class Run(NamedTuple):
    """One saved result, under the name it has here."""

    label: str
    result: dict[str, Any]


@dataclass(frozen=True)
class Row:
    """One entry over all runs; where a run does not have it, its place holds ``None``."""

    name: str
    probes: tuple[dict[str, Any] | None, ...]
    outcome: Outcome
    """Of the newest run against the one it is compared with. ``lost``: there was a verdict, and now there is none."""
    change: Change | None = None
    worse: Worse | None = None
    """Which way its number must not move; ``None`` when nobody says."""
    margin: float = 0.0
    """By how much it may, in the unit of the number."""
    p_worse: float | None = None
    """That it got worse by more than the margin; two-sided, adjusted over the entries by Holm."""
    p_better: float | None = None
    """That it got better at all; the same."""
    why: str = ""
    """Why nothing could be told."""

    @property
    def kind(self) -> str:
        """The newest known."""
        return next(str(one["kind"]) for one in reversed(self.probes) if one is not None)


@dataclass(frozen=True)
class Compared:
    """All runs, and the newest against one of them."""

    runs: tuple[Run, ...]
    rows: tuple[Row, ...]
    """In the order of their names."""
    against: int
    """Index of the run that the newest is compared with."""
    margin: float
    """Share of the earlier value by which a number may get worse."""
    notes: tuple[str, ...] = ()
    """What else differs between these two runs, and may be the cause."""

    def having(self, outcome: Outcome) -> tuple[Row, ...]:
        """The rows with this outcome."""
        return tuple(row for row in self.rows if row.outcome == outcome)

    @property
    def exit_code(self) -> Literal[0, 1, 4]:
        """1: something is shown to be worse. 4: nothing is, but a verdict was lost. 0: neither."""
        return 1 if self.having("worse") else 4 if self.having("lost") else 0


def compare(
    runs: Sequence[Run],
    *,
    margin: float = 0.0,
    against: Literal["previous", "first"] = "previous",
    seeks: Mapping[str, str] | None = None,
) -> Compared:
    """The newest of ``runs`` against the one before it, or against the first.

    ``margin`` is a share of the earlier value. ``seeks`` says what kinds look for, where a result does not.

    Raises:
        TargetError: fewer than two runs.
    """
    if len(runs) < 2:
        raise TargetError("one result has nothing to be compared with: name two or more, the oldest first")
    named = tuple(Run(label, run.result) for label, run in zip(_labels(runs), runs, strict=True))
    at = 0 if against == "first" else len(runs) - 2
    tables = [_by_name(run.result) for run in named]
    rows = [
        _row(name, tuple(table.get(name) for table in tables), at, margin, seeks or {})
        for name in sorted({name for table in tables for name in table})
    ]
    notes = _differences(named[at], named[-1])
    return Compared(named, tuple(_judged(rows)), at, margin, tuple(notes))


def deltas(values: Sequence[float | None]) -> list[float | None]:
    """From each value to the next; ``None`` where one of them is missing."""
    return [None if a is None or b is None else b - a for a, b in pairwise(values)]


def _labels(runs: Sequence[Run]) -> list[str]:
    """Each run's own label, with a number where two are the same."""
    seen: dict[str, int] = {}
    found = []
    for run in runs:
        seen[run.label] = number = seen.get(run.label, 0) + 1
        found.append(run.label if number == 1 else f"{run.label} ({number})")
    return found


def _by_name(result: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Entries by name; earlier versions let two share one, and the second is then ``name (2)``."""
    found: dict[str, dict[str, Any]] = {}
    for probe in result["probes"]:
        name, number = probe["name"], 1
        while name in found:
            number += 1
            name = f"{probe['name']} ({number})"
        found[name] = probe
    return found


def _row(name: str, probes: tuple[dict[str, Any] | None, ...], at: int, margin: float, seeks: Mapping[str, str]) -> Row:
    before, after = probes[at], probes[-1]
    row = Row(name, probes, "not compared")
    if before is None or after is None:
        return _without(row, before, after)
    if before["kind"] != after["kind"]:
        return replace(row, why=f"was {before['kind']}, is {after['kind']}: not the same question")
    if before["verdict"] in _DECIDED and after["verdict"] not in _DECIDED and not _disabled(after):
        return replace(row, outcome="lost", why=f"was {before['verdict']}, is {after['verdict']}: {after['message']}")
    if before["raw"] is None or after["raw"] is None:
        return _without_numbers(row, before["verdict"], after["verdict"])
    change, worse = change_of(before, after), worse_when(after, seeks)
    room = margin * abs(change.before)
    row = replace(row, change=change, worse=worse, margin=room)
    if not change.testable:
        return replace(row, why=_untestable(change))
    if worse is None:
        return replace(row, outcome="undirected", why="more is neither better nor worse")
    better: Worse = "higher" if worse == "lower" else "lower"
    return replace(
        row, outcome="not told apart", p_worse=moved_p(change, worse, room), p_better=moved_p(change, better)
    )


def _without(row: Row, before: dict[str, Any] | None, after: dict[str, Any] | None) -> Row:
    if before is not None and before["verdict"] in _DECIDED:
        return replace(row, outcome="lost", why=f"was {before['verdict']}, is not in the newest run")
    return replace(row, why="not in the newest run" if after is None else "new")


def _without_numbers(row: Row, before: str, after: str) -> Row:
    """Of a check that measures nothing, such as ``integrity``, the verdict is all there is."""
    outcomes: dict[tuple[str, str], Outcome] = {("pass", "fail"): "worse", ("fail", "pass"): "better"}
    if (before, after) in outcomes:
        return replace(row, outcome=outcomes[before, after], why=f"was {before}, is {after}")
    return replace(row, why="no number in both runs")


def _disabled(probe: Mapping[str, Any]) -> bool:
    return bool(probe["verdict"] == "skip" and probe["evidence"].get("skip_reason") == DISABLED)


def _untestable(change: Change) -> str:
    if change.bounds is None:
        return "no interval in both runs"
    return f"{change.units} independent items are too few to tell"


def change_of(before: Mapping[str, Any], after: Mapping[str, Any]) -> Change:
    """How an entry's number moved: item by item where both runs asked the same, else by both intervals."""
    found = _items(before), _items(after)
    one, other = found
    if one is not None and other is not None and one[0] == other[0] and len(one[1]) == len(other[1]):
        groups = other[2] if len(other[2]) == len(other[1]) else []
        return paired(one[1], other[1], groups)
    return unpaired(before["raw"], after["raw"], _bounds(before), _bounds(after))


def _items(probe: Mapping[str, Any]) -> tuple[str, list[float], list[str]] | None:
    """What was asked, and each item's number; ``None`` where the entry's number is not their mean."""
    items = probe["evidence"].get("items")
    if not isinstance(items, Mapping) or not isinstance(items.get("asked"), str):
        return None
    values, groups = items.get("values"), items.get("groups") or []
    if not isinstance(values, list) or not values or not all(_number(one) for one in values):
        return None
    if not isinstance(groups, list) or not all(isinstance(one, str) for one in groups):
        return None
    mean = math.fsum(values) / len(values)
    if not math.isclose(mean, probe["raw"], rel_tol=1e-9, abs_tol=1e-12):
        return None
    return items["asked"], values, groups


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _bounds(probe: Mapping[str, Any]) -> tuple[float, float] | None:
    found = probe["ci_95"]
    if isinstance(found, list) and len(found) == 2 and all(_number(end) for end in found):
        low, high = found
        return (low, high) if low <= probe["raw"] <= high else None
    return None


def worse_when(probe: Mapping[str, Any], seeks: Mapping[str, str]) -> Worse | None:
    """Which way the entry's number must not move: down for an effect that was meant, past its margin for harm."""
    wanted = probe["seeks"] or seeks.get(probe["kind"])
    if wanted == "change":
        return "lower"
    if wanted != "harm":
        return None
    told, margin = probe["evidence"].get("worse"), probe["evidence"].get("margin")
    if told in ("lower", "higher"):
        return "lower" if told == "lower" else "higher"
    if _number(margin) and margin != 0:
        return "higher" if margin > 0 else "lower"
    return None


def _judged(rows: Sequence[Row]) -> list[Row]:
    """With p-values for all tests that are made together, and what they show."""
    tested = [row for row in rows if row.p_worse is not None]
    worse = holm([row.p_worse for row in tested if row.p_worse is not None])
    better = holm([row.p_better for row in tested if row.p_better is not None])
    found = {row.name: (w, b) for row, w, b in zip(tested, worse, better, strict=True)}
    return [_with(row, *found[row.name]) if row.name in found else row for row in rows]


def _with(row: Row, p_worse: float, p_better: float) -> Row:
    outcome: Outcome = "worse" if p_worse <= ALPHA else "better" if p_better <= ALPHA else "not told apart"
    return replace(row, outcome=outcome, p_worse=p_worse, p_better=p_better)


_FACTS: Final = (
    ("base model", ("base_model_id",)),
    ("list of entries", ("provenance", "suite", "suite")),
    ("suite's defaults block", ("provenance", "suite", "defaults")),
    ("seed", ("determinism", "seed")),
    ("version of sway", ("sway_version",)),
    ("backend", ("provenance", "backend", "backend")),
    ("precision", ("provenance", "backend", "dtype")),
    ("device", ("provenance", "backend", "device")),
    ("template", ("provenance", "backend", "template")),
)
"""What may change a number, beside the adapter: how people call it, and where a result says it."""


def _differences(before: Run, after: Run) -> list[str]:
    notes = []
    for what, path in _FACTS:
        one, other = _at(before.result, path), _at(after.result, path)
        if one is not None and other is not None and one != other:
            values = "" if isinstance(one, (list, dict)) else f": {_short(one)} and {_short(other)}"
            notes.append(f"the {what} differs{values}")
    for run in (before, after):
        if run.result["status"] != "finished":
            notes.append(f"{run.label} was {run.result['status']}: some entries were not asked")
    return notes


def _at(data: Any, path: Sequence[str]) -> Any:
    for key in path:
        data = data.get(key) if isinstance(data, Mapping) else None
    return data or None


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:24]}...{text[-24:]}"
