"""Asking how runs went. Needs no lock, creates no file, and is right while a run is going.

The database has the numbers, the manifest the last word on how a run ended, the log what the database lacks.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from ..errors import StoreError, UsageProblem
from ..store.lock import is_held
from ..store.recover import DIED
from . import from_log
from .rows import Curve, EvalRow, HeldOut, PhaseRow, RunRow, StepRow, TokenizationRow
from .tables import open_for_reading, readable

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable
    from datetime import datetime
    from pathlib import Path

    from ..store import Store
    from ..store.manifest import Manifest, TrainingRun

Row = TypeVar("Row", StepRow, EvalRow)
Numbers = dict[tuple[str | None, str], int]
"""Of the phases of a run, by adapter and phase."""
MOMENT = "%Y-%m-%dT%H:%M:%SZ"


class History(NamedTuple):
    """Every run of a document, the oldest first."""

    runs: tuple[RunRow, ...]
    problems: tuple[str, ...]
    """What could not be read, one line each; what could be is told all the same."""

    def run(self, run_id: int) -> RunRow:
        """The run ``run_id``.

        Raises:
            UsageProblem: there is none.
        """
        found = next((run for run in self.runs if run.run_id == run_id), None)
        if found is None:
            numbers = [run.run_id for run in self.runs]
            known = f"its runs are {numbers[0]} to {numbers[-1]}" if numbers else "it has none yet"
            raise UsageProblem(f"this document has no run {run_id}: {known}; `dlm metrics show DOC` lists them")
        return found


def history(store: Store) -> History:
    """The runs of ``store``, each with its true status."""
    problems: list[str] = []
    found: dict[int, RunRow] = {}
    for path in readable(store.layout):
        try:
            found = {run.run_id: run for run in _runs_in(path)} | found
        except StoreError as problem:
            problems.append(str(problem))
    manifest = _manifest(store, problems)
    for told in manifest.training_runs if manifest else ():
        found[told.run_id] = _agreeing(found.get(told.run_id, RunRow(told.run_id)), told)
    runs = [found[run_id] for run_id in sorted(found)]
    if any(run.status == "running" for run in runs) and not is_held(store.layout):
        runs = [_died(run, store) if run.status == "running" else run for run in runs]
    return History(tuple(runs), tuple(problems))


def curve(store: Store, run_id: int) -> Curve:
    """Steps and evaluations of one run; empty when nothing was written of it."""
    for path in readable(store.layout):
        try:
            with open_for_reading(path) as database:
                found = _curve_in(database, run_id)
        except StoreError:
            # Told by history(); the log has the same.
            continue
        if found.steps or found.evals:
            return found
    logs = sorted(store.layout.logs.glob(f"train-{run_id:06d}-*.jsonl"))
    return from_log.curve_of(logs[-1]) if logs else Curve()


def _manifest(store: Store, problems: list[str]) -> Manifest | None:
    try:
        return store.manifest()
    except StoreError as problem:
        problems.append(str(problem))
        return None


def _agreeing(run: RunRow, told: TrainingRun) -> RunRow:
    """``run`` as the manifest tells it: its writer may have died before it could write the end itself."""
    if told.status == "running" and run.status != "running":
        return run
    known: dict[str, Any] = {
        "started_at": run.started_at or _moment(told.started_at),
        "ended_at": run.ended_at or _moment(told.ended_at),
        "adapter_version": told.adapter_version if told.adapter_version is not None else run.adapter_version,
        "seed": run.seed if run.seed is not None else told.seed,
        "message": run.message or told.message,
        "base_model": run.base_model or told.base_model,
        "steps": run.steps if run.steps is not None else told.steps,
        "best_val_loss": run.best_val_loss if run.best_val_loss is not None else told.final_val_loss,
    }
    return replace(run, status=told.status, **known)


def _died(run: RunRow, store: Store) -> RunRow:
    """A run that nobody is running: what the next training's recovery will make of it."""
    made = [version for version in store.versions() if version.facts.get("run_id") == run.run_id]
    if made:
        return replace(run, status="ok", adapter_version=made[-1].number)
    return replace(run, status="failed", message=DIED)


def _runs_in(path: Path) -> list[RunRow]:
    with open_for_reading(path) as database:
        if not _columns(database, "runs"):
            # Just being made by another process.
            return []
        done = _done(database)
        losses = _losses(database)
        rows = database.execute("SELECT * FROM runs ORDER BY run_id").fetchall()
    return [replace(RunRow.read(row), **done.get(row["run_id"], {}), **losses.get(row["run_id"], {})) for row in rows]


def _done(database: sqlite3.Connection) -> dict[int, dict[str, Any]]:
    """How far each run came, and how fast, over its phases."""
    if not {"phase", "tokens", "seconds"} <= _columns(database, "steps"):
        # Of the trainer before this one, which had one phase and measured no speed.
        query = (
            "SELECT run_id, count(*) AS steps_done, avg(tokens_per_sec) AS tokens_per_sec FROM steps GROUP BY run_id"
        )
    else:
        one = "run_id, adapter, phase" if "adapter" in _columns(database, "steps") else "run_id, phase"
        query = (
            "SELECT run_id, sum(steps) AS steps_done, sum(tokens) / nullif(sum(seconds), 0) AS tokens_per_sec FROM "
            "(SELECT run_id, count(*) AS steps, max(tokens) - min(tokens) AS tokens, max(seconds) - min(seconds) AS "
            f"seconds FROM steps GROUP BY {one}) GROUP BY run_id"
        )
    rows = database.execute(query).fetchall()
    return {row["run_id"]: {name: row[name] for name in ("steps_done", "tokens_per_sec")} for row in rows}


def _losses(database: sqlite3.Connection) -> dict[int, dict[str, Any]]:
    """The held-out losses that each phase of each run began with, and those of the weights it kept."""
    phases = _phase_numbers(database)
    found: dict[int, list[EvalRow]] = {}
    for row in database.execute("SELECT * FROM evals"):
        found.setdefault(row["run_id"], []).append(EvalRow.read(row))
    return {run: _by_phase(_ordered(evals, phases.get(run, {}))) for run, evals in found.items()}


def _by_phase(evals: list[EvalRow]) -> dict[str, Any]:
    parts = [_first_and_best(list(some)) for _, some in groupby(evals, key=lambda one: (one.adapter, one.phase))]
    last = parts[-1]
    return {"first_val_loss": last.first_val_loss, "best_val_loss": last.best_val_loss, "held_out": tuple(parts)}


def _first_and_best(evals: list[EvalRow]) -> HeldOut:
    kept = [one for one in evals if one.best] or evals
    return HeldOut(evals[0].phase, evals[0].val_loss, kept[-1].val_loss, evals[0].adapter)


def _curve_in(database: sqlite3.Connection, run_id: int) -> Curve:
    def rows(table: str) -> list[dict[str, Any]]:
        if not _columns(database, table):
            return []
        return database.execute(f"SELECT * FROM {table} WHERE run_id = ?", (run_id,)).fetchall()

    phases = sorted((PhaseRow.read(row) for row in rows("phases")), key=lambda phase: phase.number)
    numbers = {(phase.adapter, phase.phase): phase.number for phase in phases}
    tokenization = next((TokenizationRow.read(row) for row in rows("tokenization")), None)
    steps = _ordered([StepRow.read(row) for row in rows("steps")], numbers)
    return Curve(
        tuple(phases), tuple(steps), tuple(_ordered([EvalRow.read(r) for r in rows("evals")], numbers)), tokenization
    )


def _ordered(rows: Iterable[Row], numbers: Numbers) -> list[Row]:
    """By phase and step, never by the time: a clock may jump back."""
    return sorted(rows, key=lambda row: (numbers.get((row.adapter, row.phase or ""), 0), row.step))


def _phase_numbers(database: sqlite3.Connection) -> dict[int, Numbers]:
    found: dict[int, Numbers] = {}
    if _columns(database, "phases"):
        for row in database.execute("SELECT * FROM phases"):
            phase = PhaseRow.read(row)
            found.setdefault(row["run_id"], {})[phase.adapter, phase.phase] = phase.number
    return found


def _columns(database: sqlite3.Connection, table: str) -> set[str]:
    return {row["name"] for row in database.execute(f"PRAGMA table_info({table})")}


def _moment(when: datetime | None) -> str | None:
    return when.strftime(MOMENT) if when else None
