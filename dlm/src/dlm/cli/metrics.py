"""``dlm metrics show | watch``: how trainings went, and how the one that is running goes."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ..record.reading import History
    from ..record.rows import Curve, RunRow
    from ..store import Store

RUN_COLUMNS = (
    "run_id",
    "phase",
    "seed",
    "status",
    "started_at",
    "ended_at",
    "adapter_version",
    "steps_done",
    "tokens",
    "tokens_per_sec",
    "seconds",
    "first_val_loss",
    "best_val_loss",
    "adapters",
)
STEP_COLUMNS = (
    "step",
    "loss",
    "lr",
    "grad_norm",
    "val_loss",
    "phase",
    "anchor_kl",
    "recall",
    "tokens",
    "tokens_per_sec",
    "seconds",
    "at",
    "held_out_prose_loss",
    "held_out_answer_loss",
    "adapter",
)


@click.group(short_help="Show how trainings went, step by step.")
def metrics() -> None:
    """What was measured in the trainings of a document: losses, held-out questions, speed."""


@metrics.command(short_help="List the trainings, or show one as a curve.")
@click.argument("doc", type=click.Path())
@click.option("--run", "--run-id", "number", type=click.IntRange(min=1), metavar="N", help="One run, with its curve.")
@click.option("--phase", metavar="NAME", help="Only what this phase did.")
@click.option("--adapter", metavar="NAME", help="With --run: only what trained this adapter.")
@click.option("--since", metavar="AGE", help="Only runs begun that long ago: 2h, 7d, 30m or 90s.")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="At most so many runs.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--csv", "as_csv", is_flag=True, help="Print lines of comma-separated values.")
def show(
    doc: str,
    number: int | None,
    phase: str | None,
    adapter: str | None,
    since: str | None,
    limit: int,
    as_json: bool,
    as_csv: bool,
) -> None:
    """List the trainings of DOC, the newest last; with --run, show one as a curve.

    Losses are nats a token, held-out ones on wordings that are never trained. Looks, and changes nothing.
    """
    from ..errors import UsageProblem
    from ..record.reading import history
    from .curves import list_text, run_text

    if as_json and as_csv:
        raise UsageProblem("--json and --csv contradict each other: give one of them")
    if adapter is not None and number is None:
        raise UsageProblem("--adapter shows a part of one run: give --run N with it")
    store = _open(doc)
    found = history(store)
    _tell(found)
    if number is not None:
        run, curve = found.run(number), _curve(store, number, phase, adapter)
        click.echo(_run_data(run, curve, as_json=as_json) if as_json or as_csv else run_text(run, curve, doc), nl=False)
        return
    runs = _chosen(found, phase, since)
    newest = runs[-limit:]
    if as_json:
        click.echo(json.dumps({"runs": [run.as_json() for run in newest]}, indent=2, ensure_ascii=False))
    elif as_csv:
        click.echo(_csv(RUN_COLUMNS, [run.as_json() for run in newest]), nl=False)
    else:
        click.echo(list_text(newest, len(runs), doc), nl=False)


@metrics.command(short_help="Follow the training that is running.")
@click.argument("doc", type=click.Path())
@click.option(
    "--poll-seconds", type=click.FloatRange(min=0.1), default=1.0, show_default=True, help="How often to look."
)
def watch(doc: str, poll_seconds: float) -> None:
    """Follow the training of DOC that is running, from any terminal, and end when it ends."""
    from ..record.watching import follow
    from .curves import end_text, seen_text

    store = _open(doc)
    shown = False
    for seen in follow(store, poll_seconds):
        shown = True
        for line in seen_text(seen):
            click.echo(line)
        if seen.ended:
            click.echo(end_text(seen.run))
    if not shown:
        click.echo(f"no training of {doc} is running; `dlm metrics show {doc}` lists those that were")


def _open(doc: str) -> Store:
    from pathlib import Path

    from ..document import read
    from ..store import Store, home

    return Store(home(), read(Path(doc)).frontmatter.dlm_id)


def _tell(found: History) -> None:
    for problem in found.problems:
        click.echo(f"warning: {problem}", err=True)


def _chosen(found: History, phase: str | None, since: str | None) -> list[RunRow]:
    """The runs that the options ask for.

    Raises:
        UsageProblem: no run has the phase, or the age is none.
    """
    from ..errors import UsageProblem

    runs = list(found.runs)
    if phase is not None:
        known = sorted({name for run in runs for name in (run.phase or "").split("+") if name})
        if phase not in known:
            raise UsageProblem(f"no run of this document has a phase {phase!r}: it has {', '.join(known) or 'none'}")
        runs = [run.in_phase(phase) for run in runs if phase in (run.phase or "").split("+")]
    if since is not None:
        from datetime import UTC, datetime, timedelta

        from .ages import seconds

        oldest = (datetime.now(UTC) - timedelta(seconds=seconds("--since", since))).strftime("%Y-%m-%dT%H:%M:%SZ")
        runs = [run for run in runs if (run.started_at or "") >= oldest]
    return runs


def _curve(store: Store, number: int, phase: str | None, adapter: str | None) -> Curve:
    """The run's curve, or the part of it that ``phase`` made, or that trained ``adapter``.

    Raises:
        UsageProblem: the run had no such phase, or trained no such adapter.
    """
    from ..errors import UsageProblem
    from ..record.reading import curve

    found = curve(store, number)
    if adapter is not None:
        if adapter not in (names := list(dict.fromkeys(one.adapter for one in found.phases))):
            had = ", ".join(name for name in names if name) or "one without a name"
            raise UsageProblem(f"run {number} trained no adapter {adapter!r}: it trained {had}")
        found = found.of(adapter)
    if phase is None:
        return found
    if phase not in (known := list(dict.fromkeys(one.phase for one in found.phases))):
        raise UsageProblem(f"run {number} had no phase {phase!r}: it had {', '.join(known) or 'none'}")
    return found.only(phase)


def _run_data(run: RunRow, curve: Curve, *, as_json: bool) -> str:
    """One run for a program."""
    if as_json:
        return json.dumps({"run": run.as_json(), **curve.as_json()}, indent=2, ensure_ascii=False) + "\n"
    held_out = {(one.adapter, one.phase, one.step): one for one in curve.evals}
    rows = [step.as_json() for step in curve.steps]
    for row in rows:
        if found := held_out.pop((row["adapter"], row["phase"], row["step"]), None):
            row |= {"val_loss": found.val_loss, "recall": found.recall}
    # What the run began with was measured before any step.
    before = [one.as_json() for one in curve.evals if (one.adapter, one.phase, one.step) in held_out]
    return _csv(STEP_COLUMNS, [*before, *rows])


def _csv(columns: tuple[str, ...], rows: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
