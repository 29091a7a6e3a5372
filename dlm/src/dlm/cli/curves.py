"""Runs as tables and curves for people, in 80 columns of plain characters."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from .visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..record.rows import Curve, EvalRow, HeldOut, RunRow, StepRow
    from ..record.watching import Seen

WIDTH = 79
PLOT_COLUMNS, PLOT_LINES = 66, 10
FIELDS = (4, 9, 4, 16, 7, 9, 5, 12)
SPACE = sum(FIELDS[:-1]) + 2 * (len(FIELDS) - 2)
"""Columns before the last one."""
HEADER = ("run", "status", "made", "began, UTC", "took", "steps", "tok/s", "held-out")


def list_text(runs: Sequence[RunRow], of: int, doc: str) -> str:
    """A table, one line a run, and what went wrong below its line."""
    if not runs:
        return "no training to show\n" if of else f"no training yet: run `dlm train {doc}`\n"
    lines = [_fields(HEADER)]
    for run in runs:
        lines += [_fields(_cells(run)), *_parts(run)]
        if run.status in ("failed", "rejected") and run.message:
            lines += textwrap.wrap(run.message, WIDTH, initial_indent=" " * 6, subsequent_indent=" " * 6, max_lines=2)
    if len(runs) < of:
        lines.append(f"{of - len(runs)} older ones: --limit {of}")
    lines.append(f"one with its curve: dlm metrics show {doc} --run {runs[-1].run_id}")
    return visible("\n".join(lines)) + "\n"


def run_text(run: RunRow, curve: Curve, doc: str) -> str:
    """One run: what it was, a plot for each phase, and every evaluation."""
    lines = [f"run {run.run_id} of {doc}: {_ended(run)}"]
    lines += [f"  {name:<10} {text}" for name, text in _facts(run, curve) if text]
    if run.message and run.status != "ok":
        indent = " " * 13
        lines += textwrap.wrap(run.message, WIDTH, initial_indent=f"  {'message':<10} ", subsequent_indent=indent)
    for phase in curve.phases:
        names = [phase.adapter] if phase.adapter else []
        names += [phase.phase] if len(curve.of(phase.adapter).phases) > 1 else []
        lines += _phase(curve.of(phase.adapter).only(phase.phase), "".join(f", {name}" for name in names))
    if not curve.phases:
        lines += _phase(curve, "")
    return visible("\n".join(lines)) + "\n"


def seen_text(seen: Seen) -> Iterator[str]:
    """What is new since the last look: every evaluation, and the newest step."""
    if seen.first:
        planned = f" of {seen.run.steps:,} steps" if seen.run.steps else ""
        yield f"run {seen.run.run_id}{planned}, begun {_minute(seen.run.started_at)} UTC"
    for one in seen.evals:
        whose = f"{one.adapter}  " if one.adapter else ""
        said = {"recall": one.recall, "accuracy": one.accuracy}
        shares = "".join(f"  {name} {value:.0%}" for name, value in said.items() if value is not None)
        kept = "  best so far" if one.best and one.step else ""
        yield f"{whose}step {one.step:>5}  held-out {_number(one.val_loss)}{shares}{kept}"
    if seen.steps:
        newest = seen.steps[-1]
        speed = f"  {newest.tokens_per_sec:.0f} tok/s" if newest.tokens_per_sec else ""
        whose = f"{newest.adapter}  " if newest.adapter else ""
        yield f"{whose}step {newest.step:>5}  loss {_number(newest.loss)}{speed}"


def end_text(run: RunRow) -> str:
    """The last line of a run that was watched."""
    took = f" after {_clock(run.seconds)}" if run.seconds is not None else ""
    why = f": {run.message}" if run.message and run.status != "ok" else ""
    return visible("\n".join(textwrap.wrap(f"run {run.run_id} ended: {_ended(run)}{took}{why}", WIDTH)))


def plot(steps: Sequence[StepRow], evals: Sequence[EvalRow]) -> list[str]:
    """Losses over steps: ``.`` for the mean of the steps of a column, ``o`` for held-out wordings."""
    last = max([step.step for step in steps] + [one.step for one in evals], default=0)
    columns: dict[int, list[float]] = {}
    for step in steps:
        if step.loss is not None:
            columns.setdefault(_column(step.step, last), []).append(step.loss)
    trained = {column: sum(losses) / len(losses) for column, losses in columns.items()}
    held_out = {_column(one.step, last): one.val_loss for one in evals if one.val_loss is not None}
    heights = [*trained.values(), *held_out.values()]
    if not heights:
        return []
    low, high = min(heights), max(heights)
    grid = [[" "] * PLOT_COLUMNS for _ in range(PLOT_LINES)]
    for points, mark in ((trained, "."), (held_out, "o")):
        for column, height in points.items():
            grid[_line(height, low, high)][column] = mark
    labels = {0: f"{high:.2f}", PLOT_LINES - 1: f"{low:.2f}"}
    lines = [f"{labels.get(at, ''):>8} |{''.join(row)}".rstrip() for at, row in enumerate(grid)]
    return [*lines, f"{'':>8} +{'-' * PLOT_COLUMNS}", f"{'':>10}{0:<{PLOT_COLUMNS - 8}}{last:>8,}"]


def _phase(curve: Curve, name: str) -> list[str]:
    lines = plot(curve.steps, curve.evals)
    if lines:
        lines = ["", f"  loss in nats a token{name}: . trained, o held-out wordings", *lines]
    if curve.evals:
        pairs = any(one.accuracy is not None for one in curve.evals)
        kept = max((one.step for one in curve.evals if one.best), default=None)
        text = any(one.held_out_prose_loss is not None for one in curve.evals)
        head = "   step  held-out  perplexity  recall" + ("  accuracy  margin" if pairs else "")
        lines += ["", head + ("      text   answers" if text else "")]
        lines += [_evaluation(one, pairs=pairs, text=text, kept=one.step == kept) for one in curve.evals]
    return lines or ["", "  nothing was measured"]


def _evaluation(one: EvalRow, *, pairs: bool, text: bool, kept: bool) -> str:
    line = f"{one.step:>7}  {_number(one.val_loss):>8}  {_number(one.perplexity, 2):>10}  {_share(one.recall):>6}"
    if pairs:
        line += f"  {_share(one.accuracy):>8}  {_number(one.margin, 2):>6}"
    if text:
        line += f"  {_number(one.held_out_prose_loss):>8}  {_number(one.held_out_answer_loss):>8}"
    return f"{line}  kept" if kept else line


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.0%}"


def _facts(run: RunRow, curve: Curve) -> Iterator[tuple[str, str]]:
    ended = f", ended {_minute(run.ended_at)}" if run.ended_at else ""
    yield "began", f"{_minute(run.started_at)} UTC{ended}" + (f", took {_clock(run.seconds)}" if run.seconds else "")
    where = f", {run.precision} on {run.device}" if run.precision else ""
    yield "base", f"{run.base_model}{where}, seed {run.seed}" if run.base_model else f"seed {run.seed}"
    begun = [f"version v{run.warm_from}"] if run.warm_from else []
    begun += [f"the checkpoint of run {run.resumed_from}"] if run.resumed_from else []
    yield "adapters", (run.adapters or "").replace("+", ", ")
    yield "went on", f"from {' and '.join(begun)}" if begun else ""
    done = run.steps_done if run.steps_done is not None else len(curve.steps)
    tokens = f", {run.tokens:,} tokens" if run.tokens else ""
    speed = f", {run.tokens_per_sec:,.0f} tokens a second" if run.tokens_per_sec else ""
    yield "steps", f"{_progress(done, run.steps)}{tokens}{speed}" + (", stopped early" if run.early_stopped else "")
    if (cache := curve.tokenization) and cache.cache_hits is not None and cache.cache_misses is not None:
        yield "tokenised", f"{cache.cache_misses:,} records anew, {cache.cache_hits:,} from the cache"


def _parts(run: RunRow) -> Iterator[str]:
    """A line a phase where there are several: what one is judged by is not what the next one is."""
    for one in run.held_out if len(run.held_out) > 1 else ():
        name = " ".join(part for part in (one.adapter, one.phase) if part)
        yield f"{name[-SPACE:]:>{SPACE}}  {_losses(one)}"


def _losses(one: RunRow | HeldOut) -> str:
    before, after = one.first_val_loss, one.best_val_loss
    return f"{_number(before, 2)} -> {_number(after, 2)}" if before is not None else _number(after, 2)


def _cells(run: RunRow) -> tuple[str, ...]:
    done = run.steps_done if run.steps_done is not None else (run.steps if run.status == "ok" else None)
    return (
        str(run.run_id),
        run.status,
        f"v{run.adapter_version}" if run.adapter_version else "-",
        _minute(run.started_at),
        _clock(run.seconds) if run.seconds is not None else "-",
        _progress(done, run.steps) if done is not None else "-",
        _speed(run.tokens_per_sec) if run.tokens_per_sec else "-",
        _losses(run) if len(run.held_out) < 2 else "",
    )


def _fields(cells: Sequence[str]) -> str:
    right = {0, 4, 5, 6}
    parts = [f"{c:>{w}}" if at in right else f"{c:<{w}}" for at, (c, w) in enumerate(zip(cells, FIELDS, strict=True))]
    return "  ".join(parts).rstrip()


def _ended(run: RunRow) -> str:
    return f"{run.status}, made v{run.adapter_version}" if run.adapter_version else run.status


def _speed(tokens: float) -> str:
    """At most five characters up to ten million a second."""
    return f"{tokens:.0f}" if tokens < 100_000 else f"{tokens / 1000:.0f}k"


def _progress(done: int, planned: int | None) -> str:
    return f"{done}/{planned}" if planned is not None and done != planned else f"{done}"


def _number(value: float | None, digits: int = 3) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _minute(moment: str | None) -> str:
    return moment[:16].replace("T", " ") if moment else "-"


def _clock(seconds: float | None) -> str:
    """``3:05`` or ``1:02:03``."""
    whole = round(seconds or 0)
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"


def _column(step: int, last: int) -> int:
    return round(step / max(last, 1) * (PLOT_COLUMNS - 1))


def _line(height: float, low: float, high: float) -> int:
    return round((high - height) / (high - low) * (PLOT_LINES - 1)) if high > low else PLOT_LINES // 2
