"""A run's curve out of its log: for runs that are older than the database, or that it could not take."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ..training.summary import perplexity
from .rows import Curve, EvalRow, PhaseRow, StepRow

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def curve_of(path: Path) -> Curve:
    """What the log at ``path`` says, up to the first half line; empty when there is no such file."""
    phases: list[PhaseRow] = []
    steps: list[StepRow] = []
    evals: list[EvalRow] = []
    for record in _records(path):
        known = {"phase": phases[-1].phase, "adapter": phases[-1].adapter} if phases else {"phase": None}
        kind, at = record.get("type"), record.get("timestamp")
        if kind == "phase_start":
            phases.append(PhaseRow.read({**record, "started_at": at}))
        elif kind == "step":
            steps.append(StepRow.read({**record, **known, "seconds": record.get("elapsed_seconds"), "at": at}))
        elif kind == "evaluation":
            loss, recall = record.get("held_out_loss"), record.get("held_out_recall")
            pairs = record.get("accuracy") is not None
            measured = {"val_loss": loss, "perplexity": None if pairs else perplexity(loss), "recall": recall}
            evals.append(EvalRow.read({**record, **measured, **known, "at": at}))
    return Curve(tuple(phases), tuple(steps), tuple(evals))


def _records(path: Path) -> Iterator[dict[str, Any]]:
    if not path.is_file():
        return
    with path.open(encoding="utf-8") as file:
        for line in file:
            try:
                record = json.loads(line)
            except ValueError:
                # The last line of a run that was killed, or is being written.
                return
            if isinstance(record, dict):
                yield record
