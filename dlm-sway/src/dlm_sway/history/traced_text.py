"""A trace's sums as JSON, as Markdown and as text of 80 columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from .compare_text import cell
from .traced import Share, Traced


def to_json(found: Traced) -> dict[str, Any]:
    """JSON data, with the keys of earlier versions."""
    return {
        "total_events": found.total.events,
        "total_wall_ms": found.total.ms,
        "overall_hit_rate": found.total.hit_rate,
        "per_probe": [
            {
                "probe": one.name,
                "n_events": one.events,
                "total_ms": one.ms,
                "cache_hits": one.hits,
                "cache_misses": one.misses,
                "hit_rate": one.hit_rate,
            }
            for one in found.per_probe
        ],
        "per_view": [{"view_id": one.name, "n_events": one.events, "total_ms": one.ms} for one in found.per_view],
        "slowest": [one._asdict() for one in found.slowest],
        "runs": list(found.runs),
        "malformed_lines": found.malformed,
    }


def headline(found: Traced) -> str:
    """One line."""
    total = found.total
    return f"sway trace — {total.events} events, total {total.ms / 1000:.2f}s, hit rate {total.hit_rate:.1%}"


def markdown(found: Traced) -> str:
    """For pull requests and wikis."""
    lines = [f"# {headline(found)}", ""]
    for note in notes(found):
        lines += [f"- {note}", ""]
    for title, head, rows in tables(found):
        lines += [f"## {title}", "", _row(head), _row(["---", *["---:"] * (len(head) - 1)])]
        lines += [*map(_row, rows), ""]
    return "\n".join(lines)


def text(found: Traced) -> str:
    """For reading. Long names are cut in the middle, numbers never."""
    lines = [headline(found), *(f"note: {note}" for note in notes(found))]
    for title, head, rows in tables(found):
        shown = [[_short(row[0]), *row[1:]] for row in [head, *rows]]
        widths = [max(len(row[column]) for row in shown) for column in range(len(head))]
        lines += ["", title]
        lines += ["  " + _columns(row, widths) for row in shown]
    return "\n".join(lines) + "\n"


def notes(found: Traced) -> Iterator[str]:
    """What a reader must know about the file."""
    if len(found.runs) > 1:
        yield f"{len(found.runs)} runs are added up; --run last shows the last, --run ID one of them"
    if found.malformed:
        yield f"{found.malformed} lines are no event and left out"


def tables(found: Traced) -> Iterator[tuple[str, list[str], list[list[str]]]]:
    """Title, head and rows of each table; a share of the time where there is any."""
    head = ["events", "ms", "share", "hits", "hit rate"]
    yield "Per probe", ["probe", *head], [_cells(one, found.total) for one in found.per_probe]
    yield "Per view", ["view", *head], [_cells(one, found.total) for one in found.per_view]
    slowest = [
        [one.probe, one.view_id, one.op, one.prompt_hash, f"{one.wall_ms:.1f}", "hit" if one.hit else "asked"]
        for one in found.slowest
    ]
    yield "Slowest questions", ["probe", "view", "operation", "prompt", "ms", ""], slowest


def _cells(one: Share, total: Share) -> list[str]:
    share = f"{one.ms / total.ms:.0%}" if total.ms else "—"
    return [one.name or "—", str(one.events), f"{one.ms:.1f}", share, str(one.hits), f"{one.hit_rate:.1%}"]


def _columns(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *rest = (value.ljust(width) for value, width in zip(row, widths, strict=True))
    return "  ".join([first, *rest]).rstrip()


def _short(name: str, width: int = 24) -> str:
    return name if len(name) <= width else f"{name[: width // 2 - 1]}...{name[-(width // 2 - 2) :]}"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(map(cell, cells))} |"
