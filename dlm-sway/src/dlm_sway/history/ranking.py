"""Which of several adapters is shown to be better than which: every pair, entry by entry, on the same items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, NamedTuple

from ..stats.multiplicity import holm
from .change import ALPHA, Worse, moved_p
from .compare import Run, change_of, worse_when


class Standing(NamedTuple):
    """One adapter over all entries."""

    label: str
    better: int
    """In how many comparisons it is shown to be better."""
    worse: int
    """In how many it is shown to be worse."""
    mean_rank: float | None
    """Mean place over the entries that say which way is better; 1 is first."""


class Cell(NamedTuple):
    """One adapter in one entry."""

    label: str
    probe: dict[str, Any]
    beaten_by: tuple[str, ...]
    """Adapters that are shown to be better here."""


@dataclass(frozen=True)
class Board:
    """One entry over all adapters, the best number first where one way is better."""

    name: str
    kind: str
    worse: Worse | None
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Matrix:
    """All adapters, and all entries that gave a number."""

    base: str
    standings: tuple[Standing, ...]
    """The leader first: the fewest shown losses, then the most shown wins, then the mean rank."""
    boards: tuple[Board, ...]
    left_out: tuple[tuple[str, str], ...]
    """Entries without a number, and why."""
    tests: int
    """Pairs that could be tested; p-values are adjusted over all of them."""


class _Pair(NamedTuple):
    entry: str
    better: str
    worse: str
    p: float


def rank(runs: Sequence[Run], seeks: Mapping[str, str]) -> Matrix:
    """The results of the same entries for each adapter, as a leaderboard."""
    names = [probe["name"] for probe in runs[0].result["probes"]]
    columns = {name: [_probe(run, name) for run in runs] for name in names}
    numbered = [name for name in names if all(one["raw"] is not None for one in columns[name])]
    ways = {name: worse_when(columns[name][0], seeks) for name in numbered}
    pairs = [pair for name in numbered for pair in _pairs(name, runs, columns[name], ways[name])]
    adjusted = holm([pair.p for pair in pairs])
    shown = [pair for pair, p in zip(pairs, adjusted, strict=True) if p <= ALPHA]
    boards = tuple(_board(name, runs, columns[name], ways[name], shown) for name in numbered)
    missing = [name for name in names if name not in numbered]
    return Matrix(
        base=runs[0].result["base_model_id"],
        standings=tuple(_standings(runs, boards, shown)),
        boards=boards,
        left_out=tuple((name, _why(runs, columns[name])) for name in missing),
        tests=len(pairs),
    )


def _probe(run: Run, name: str) -> dict[str, Any]:
    return next(one for one in run.result["probes"] if one["name"] == name)


def _why(runs: Sequence[Run], column: Sequence[dict[str, Any]]) -> str:
    label, probe = next((run.label, one) for run, one in zip(runs, column, strict=True) if one["raw"] is None)
    return f"{label}: {probe['verdict']}: {probe['message']}"


def _pairs(name: str, runs: Sequence[Run], column: Sequence[dict[str, Any]], worse: Worse | None) -> list[_Pair]:
    """Every pair that can be tested, the better number as the better one."""
    if worse is None:
        return []
    found = []
    for (one, first), (other, second) in combinations(zip(runs, column, strict=True), 2):
        change = change_of(first, second)
        if change.testable:
            toward: Worse = "lower" if change.delta < 0 else "higher"
            better, beaten = (one, other) if toward == worse else (other, one)
            found.append(_Pair(name, better.label, beaten.label, moved_p(change, toward)))
    return found


def _board(
    name: str, runs: Sequence[Run], column: Sequence[dict[str, Any]], worse: Worse | None, shown: Sequence[_Pair]
) -> Board:
    cells = [
        Cell(run.label, probe, tuple(p.better for p in shown if p.entry == name and p.worse == run.label))
        for run, probe in zip(runs, column, strict=True)
    ]
    if worse is not None:
        cells.sort(key=lambda cell: cell.probe["raw"], reverse=worse == "lower")
    return Board(name, column[0]["kind"], worse, tuple(cells))


def _standings(runs: Sequence[Run], boards: Sequence[Board], shown: Sequence[_Pair]) -> list[Standing]:
    directed = [board for board in boards if board.worse is not None]
    found = []
    for run in runs:
        places = [_place(board, run.label) for board in directed]
        mean = sum(places) / len(places) if places else None
        better = sum(pair.better == run.label for pair in shown)
        found.append(Standing(run.label, better, sum(pair.worse == run.label for pair in shown), mean))
    return sorted(found, key=lambda one: (one.worse, -one.better, one.mean_rank or 0.0, one.label))


def _place(board: Board, label: str) -> float:
    """1 for the best number; equal numbers share the mean of their places."""
    numbers = [cell.probe["raw"] for cell in board.cells]
    own = next(cell.probe["raw"] for cell in board.cells if cell.label == label)
    places = [place for place, number in enumerate(numbers, start=1) if number == own]
    return sum(places) / len(places)
