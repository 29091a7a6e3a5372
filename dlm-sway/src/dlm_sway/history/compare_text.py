"""A comparison of saved results as JSON, as Markdown and as text of 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final

from ..report import format as fmt
from ..report.document import EPOCH
from .change import Change
from .compare import MEASURED, Compared, Outcome, Row, deltas

WIDTH: Final = 80
MARKS: Final[dict[Outcome, str]] = {
    "worse": "WORSE",
    "better": "BETTER",
    "lost": "LOST",
    "not told apart": "SAME?",
    "undirected": "-",
    "not compared": "-",
}
_ORDER: Final = tuple(MARKS)


def to_json(found: Compared) -> dict[str, Any]:
    """JSON data. The keys of earlier versions mean what they meant; ``changes`` holds intervals and outcomes."""
    scores = {row.name: [None if one is None else one["score"] for one in row.probes] for row in found.rows}
    return {
        "labels": [run.label for run in found.runs],
        "timestamps": [run.result["finished_at"] for run in found.runs],
        "probe_names": [row.name for row in found.rows],
        "scores": scores,
        "deltas": {name: deltas(values) for name, values in scores.items()},
        "composite_series": [run.result["score"]["overall"] for run in found.runs],
        "raws": {row.name: [None if one is None else one["raw"] for one in row.probes] for row in found.rows},
        "verdicts": {row.name: [None if one is None else one["verdict"] for one in row.probes] for row in found.rows},
        "against": found.runs[found.against].label,
        "regression_threshold": found.margin,
        "latest_regressions": [{"probe": row.name, "delta": _delta(row)} for row in _worst_first(found)],
        "changes": [_change(row) for row in found.rows],
        "notes": list(found.notes),
        "exit_code": found.exit_code,
    }


def _change(row: Row) -> dict[str, Any]:
    change = row.change
    return {
        "probe": row.name,
        "kind": row.kind,
        "outcome": row.outcome,
        "why": row.why,
        "before": change.before if change else None,
        "after": change.after if change else None,
        "delta": change.delta if change else None,
        "ci_95": list(change.bounds) if change and change.bounds else None,
        "paired": change.paired if change else None,
        "n_items": change.n if change else 0,
        "worse_when": row.worse,
        "margin": row.margin,
        "p_worse": row.p_worse,
        "p_better": row.p_better,
    }


def _worst_first(found: Compared) -> list[Row]:
    """Regressions, the largest against the earlier value first."""

    def loss(row: Row) -> float:
        change = row.change
        return abs(change.delta) / abs(change.before) if change and change.before else 0.0

    return sorted(found.having("worse"), key=lambda row: (-loss(row), row.name))


def _delta(row: Row) -> float | None:
    return row.change.delta if row.change else None


def text(found: Compared, width: int = WIDTH) -> str:
    """For reading, what needs a look first."""
    return "\n".join(_lines(found, width)) + "\n"


def _lines(found: Compared, width: int) -> Iterator[str]:
    unjudged = all(_unjudged(run.result) for run in found.runs)
    yield "sway diff: two adapters, one base" if unjudged else f"sway compare: {len(found.runs)} runs"
    for run in found.runs:
        result = run.result
        if _unjudged(result):
            yield f"  {run.label}  {fmt.label(result['adapter_id'])}"
            continue
        when = "" if result["finished_at"] == EPOCH else result["finished_at"][:16].replace("T", " ")
        words = [when, result["conclusion"] or result["score"].get("band", "")]
        yield f"  {run.label}  {'  '.join(filter(None, words))}  score {fmt.score(result['score']['overall'])}"
    yield from wrapped(f"{found.runs[-1].label} against {found.runs[found.against].label}{_rule(found)}", width, "")
    for note in found.notes:
        yield from wrapped(f"note: {note}", width, "")
    yield ""
    for row in sorted(found.rows, key=lambda row: (_ORDER.index(row.outcome), row.name)):
        yield from row_lines(row, width)
    yield ""
    yield closing(found)


def _unjudged(result: dict[str, Any]) -> bool:
    """Whether it holds numbers only, as those of ``sway diff`` do."""
    return any(probe["verdict"] == MEASURED for probe in result["probes"])


def _rule(found: Compared) -> str:
    room = f", by more than {found.margin:.0%} of the earlier value" if found.margin else ""
    return f": worse means shown to be worse{room}, p two-sided over all entries (Holm)"


def closing(found: Compared) -> str:
    """One line: how many of each."""
    counts = [(len(found.having(one)), one) for one in _ORDER]
    return ", ".join(f"{count} {one}" for count, one in counts if count) or "no entries"


def row_lines(row: Row, width: int = WIDTH) -> Iterator[str]:
    """One entry: its numbers, how they moved, and what that shows."""
    kind = f" ({row.kind})" if row.kind != row.name else ""
    yield from wrapped(f"{MARKS[row.outcome]:<6} {row.name}{kind}  {_series(row)}", width, " " * 7)
    detail = [] if row.change is None else [_moved(row.change)]
    if row.p_worse is not None and row.p_better is not None:
        better = row.outcome == "better"
        detail.append(f"p={fmt.p(row.p_better if better else row.p_worse)}")
    if row.why:
        detail.append(row.why)
    if detail:
        yield from wrapped(" " * 7 + ", ".join(detail), width, " " * 7)


def _series(row: Row) -> str:
    if all(one is None or one["raw"] is None for one in row.probes):
        return " -> ".join(fmt.MISSING if one is None else one["verdict"] for one in row.probes)
    return " -> ".join(fmt.MISSING if one is None else _number(one) for one in row.probes)


def _number(probe: dict[str, Any]) -> str:
    return fmt.raw(probe["raw"]) + ("" if probe["verdict"] == MEASURED else f" {probe['verdict']}")


def _moved(change: Change) -> str:
    how = f"same {change.n} items" if change.paired else "not the same items"
    return f"{signed(change.delta)} {fmt.ci(change.bounds)}, {how}"


def signed(value: float | None) -> str:
    """A difference, with its sign; nothing that rounds to zero gets one."""
    if value is None:
        return fmt.MISSING
    return "0.000" if abs(value) < 5e-5 else f"{value:+,.3f}"


def wrapped(text: str, width: int = WIDTH, indent: str = "") -> list[str]:
    """``text`` in lines of at most ``width``, broken between words. The first keeps its own indent."""
    lead = text[: len(text) - len(text.lstrip())]
    return textwrap.wrap(
        text.strip(),
        width,
        initial_indent=lead,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def markdown(found: Compared) -> str:
    """For pull requests and wikis."""
    return "\n".join(_markdown(found)) + "\n"


def _markdown(found: Compared) -> Iterator[str]:
    unjudged = all(_unjudged(run.result) for run in found.runs)
    title = "sway diff — two adapters, one base" if unjudged else f"sway compare — {len(found.runs)} runs"
    yield from (f"# {title}", "", "## Runs", "")
    yield from ("| run | finished | conclusion | score |", "| --- | --- | --- | ---: |")
    for run in found.runs:
        result = run.result
        cells = (run.label, result["finished_at"], result["conclusion"], fmt.score(result["score"]["overall"]))
        yield _cells(*cells)
    yield from ("", *(f"- {cell(note)}" for note in found.notes), *([""] if found.notes else []))
    yield from _scores(found)
    yield from _changes(found)
    yield from _regressions(found)


def _scores(found: Compared) -> Iterator[str]:
    if all(_unjudged(run.result) for run in found.runs):
        return
    labels = [run.label for run in found.runs]
    steps = [f"Δ {a}→{b}" for a, b in pairwise(labels)]
    yield from ("## Scores", "", _cells("probe", *labels, *steps))
    yield _cells("---", *["---:"] * (len(labels) + len(steps)))
    rows = [(row.name, [None if one is None else one["score"] for one in row.probes]) for row in found.rows]
    rows.append(("**composite**", [run.result["score"]["overall"] for run in found.runs]))
    for name, values in rows:
        moved = [fmt.MISSING if d is None else "0.00" if abs(d) < 5e-5 else f"{d:+.2f}" for d in deltas(values)]
        yield _cells(name, *map(fmt.score, values), *moved)
    yield ""


def _changes(found: Compared) -> Iterator[str]:
    yield from (f"## Changes ({cell(found.runs[found.against].label)} → {cell(found.runs[-1].label)})", "")
    yield _cells("probe", "kind", "before", "after", "change", "95% interval", "items", "p", "outcome")
    yield _cells("---", "---", *["---:"] * 3, "---", "---", "---:", "---")
    for row in found.rows:
        change = row.change
        p = row.p_better if row.outcome == "better" else row.p_worse
        numbers = (
            (fmt.raw(change.before), fmt.raw(change.after), signed(change.delta), fmt.ci(change.bounds))
            if change
            else (fmt.MISSING,) * 4
        )
        items = f"same {change.n}" if change and change.paired else "not the same" if change else fmt.MISSING
        outcome = f"{row.outcome}: {row.why}" if row.why else row.outcome
        yield _cells(row.name, f"`{row.kind}`", *numbers, items, fmt.p(p), outcome)
    yield ""


def _regressions(found: Compared) -> Iterator[str]:
    yield from (f"## Regressions (worse by more than {found.margin:.0%} of the earlier value)", "")
    rows = _worst_first(found)
    yield from (f"- **{cell(row.name)}** — `{signed(_delta(row))}`" for row in rows)
    yield from (f"- **{cell(row.name)}** — {cell(row.why)}" for row in found.having("lost"))
    if not rows and not found.having("lost"):
        yield "None is shown."


def _cells(*values: str) -> str:
    return f"| {' | '.join(cell(value) for value in values)} |"


def cell(value: str) -> str:
    """One line; what a result wrote must not become markup."""
    return " ".join(value.split()).replace("<", "&lt;").replace("|", "\\|")
