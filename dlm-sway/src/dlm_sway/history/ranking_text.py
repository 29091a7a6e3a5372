"""A leaderboard of adapters as JSON, as Markdown and as text of 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any, Final

from ..report import format as fmt
from .compare_text import WIDTH, cell
from .ranking import Board, Matrix

_WAYS: Final = {"lower": "more is better", "higher": "less is better", None: "neither way is better"}


def to_json(found: Matrix) -> dict[str, Any]:
    """JSON data."""
    return {
        "base": found.base,
        "tests": found.tests,
        "leaderboard": [{"place": place, **one._asdict()} for place, one in enumerate(found.standings, start=1)],
        "entries": [_entry(board) for board in found.boards],
        "left_out": [{"entry": name, "why": why} for name, why in found.left_out],
    }


def _entry(board: Board) -> dict[str, Any]:
    rows = [
        {
            "adapter": one.label,
            "value": one.probe["raw"],
            "ci_95": one.probe["ci_95"],
            "n_items": one.probe["n_items"],
            "verdict": one.probe["verdict"],
            "shown_worse_than": list(one.beaten_by),
        }
        for one in board.cells
    ]
    return {"entry": board.name, "kind": board.kind, "worse_when": board.worse, "adapters": rows}


def text(found: Matrix, width: int = WIDTH) -> str:
    """For reading."""
    return "\n".join(_lines(found, width)) + "\n"


def _lines(found: Matrix, width: int) -> Iterator[str]:
    yield f"sway matrix: {len(found.standings)} adapters on {fmt.label(found.base)}"
    yield from textwrap.wrap(_rule(found), width, break_on_hyphens=False)
    yield ""
    label = max(len(one.label) for one in found.standings)
    for place, one in enumerate(found.standings, start=1):
        rank = fmt.MISSING if one.mean_rank is None else f"{one.mean_rank:.2f}"
        yield f"{place:>3}  {one.label:<{label}}  shown better {one.better}, worse {one.worse}, mean rank {rank}"
    for board in found.boards:
        yield ""
        kind = f" ({board.kind})" if board.kind != board.name else ""
        yield f"{board.name}{kind}: {_WAYS[board.worse]}"
        yield from _board(board, label, width)
    if found.left_out:
        yield ""
    for name, why in found.left_out:
        yield from textwrap.wrap(f"not compared: {name}: {why}", width, subsequent_indent="  ", break_long_words=False)


def _board(board: Board, label: int, width: int) -> Iterator[str]:
    for one in board.cells:
        verdict = "" if one.probe["verdict"] == "measured" else f"  {one.probe['verdict']}"
        beaten = f"  shown worse than {', '.join(one.beaten_by)}" if one.beaten_by else ""
        line = f"     {one.label:<{label}}  {fmt.raw(one.probe['raw'])} {fmt.ci(one.probe['ci_95'])}{verdict}{beaten}"
        yield from textwrap.wrap(line, width, subsequent_indent=" " * 9, break_long_words=False, break_on_hyphens=False)


def _rule(found: Matrix) -> str:
    return (
        f"Every pair on the same items, {found.tests} tests, two-sided 5% over all of them (Holm). "
        "What is not shown worse may be as good as the first."
    )


def markdown(found: Matrix) -> str:
    """For pull requests and wikis."""
    lines = [f"# sway matrix — {len(found.standings)} adapters", "", f"**Base:** `{found.base}`  ", "", _rule(found)]
    lines += ["", "## Leaderboard", "", "| place | adapter | shown better | shown worse | mean rank |"]
    lines += ["| ---: | --- | ---: | ---: | ---: |"]
    for place, one in enumerate(found.standings, start=1):
        rank = fmt.MISSING if one.mean_rank is None else f"{one.mean_rank:.2f}"
        lines.append(f"| {place} | {cell(one.label)} | {one.better} | {one.worse} | {rank} |")
    for board in found.boards:
        lines += ["", f"## {cell(board.name)} (`{cell(board.kind)}`, {_WAYS[board.worse]})", ""]
        lines += ["| adapter | number | 95% interval | items | verdict | shown worse than |"]
        lines += ["| --- | ---: | --- | ---: | --- | --- |"]
        lines += [_row(one.label, one.probe, one.beaten_by) for one in board.cells]
    if found.left_out:
        lines += ["", "## Not compared", "", *(f"- {cell(name)}: {cell(why)}" for name, why in found.left_out)]
    return "\n".join(lines) + "\n"


def _row(label: str, probe: dict[str, Any], beaten_by: tuple[str, ...]) -> str:
    verdict = fmt.MISSING if probe["verdict"] == "measured" else probe["verdict"]
    items = str(probe["n_items"] or fmt.MISSING)
    cells = (label, fmt.raw(probe["raw"]), fmt.ci(probe["ci_95"]), items, verdict, ", ".join(beaten_by) or fmt.MISSING)
    return f"| {' | '.join(map(cell, cells))} |"
