"""Writing a run into ``metrics.db`` while it goes. What cannot be written is said once, and tried again at the end."""

from __future__ import annotations

import math
import sqlite3
import time
from typing import TYPE_CHECKING, Any

from ..errors import StoreError
from ..store.encoding import now
from ..store.files import free_megabytes
from ..training.summary import perplexity
from .tables import DAMAGED, close_after_writing, open_for_writing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ..store.manifest import Manifest
    from ..store.tokens import CacheStats
    from ..training.events import Evaluated, PhaseStarted, RunEnded, RunStarted, StepLogged

EVERY = 0.5
"""Seconds between writes: readers see a step at most this much later, and thousands of small steps cost no more."""
AGAIN = 30.0
"""Seconds after a failed write before the next is tried."""


class Recorder:
    """Turns the events of one run into rows.

    A row that cannot be written stays in memory and is written with the next that can, so a disk that was full for a
    while, or another program's lock, leaves no gap.
    """

    def __init__(self, path: Path, say: Callable[[str], None], *, strict: bool) -> None:
        self._path, self._say, self._strict = path, say, strict
        self._database: sqlite3.Connection | None = None
        self._waiting: list[tuple[str, dict[str, Any]]] = []
        self._next = 0.0
        self._told = False
        self._run_id = 0
        self._phase = self._adapter = ""
        self._phases: list[str] = []
        self._adapters: list[str] = []

    def started(self, event: RunStarted, manifest: Manifest | None) -> None:
        """``manifest`` knows how the runs before really ended: one that was killed could not say so itself."""
        self._run_id = event.run_id
        for run in manifest.training_runs if manifest else ():
            if run.status != "running":
                self._update(
                    "runs",
                    "run_id = :run_id AND status = 'running'",
                    run_id=run.run_id,
                    status=run.status,
                    ended_at=run.ended_at.strftime("%Y-%m-%dT%H:%M:%SZ") if run.ended_at else None,
                    adapter_version=run.adapter_version,
                    message=run.message,
                )
        self._insert(
            "runs",
            run_id=event.run_id,
            started_at=now(),
            seed=event.seed,
            status="running",
            base_model=event.base,
            steps=event.steps,
            warm_from=event.warm_from,
            resumed_from=event.resumed_from,
        )
        self.write()

    def tokenised(self, sections: int, stats: CacheStats) -> None:
        self._insert(
            "tokenization",
            run_id=self._run_id,
            total_sections=sections,
            cache_hits=stats.hits,
            cache_misses=stats.misses,
            total_tokenize_seconds=stats.seconds,
            cache_bytes_after=stats.bytes,
            at=now(),
        )

    def phase_started(self, event: PhaseStarted) -> None:
        self._phase, self._adapter = event.phase, event.adapter or ""
        self._insert(
            "phases",
            run_id=self._run_id,
            number=event.number,
            phase=event.phase,
            steps=event.steps,
            tokens=event.tokens,
            started_at=now(),
            adapter=self._adapter,
        )
        self._name("phase", self._phases, event.phase)
        self._name("adapters", self._adapters, self._adapter)
        self.write()

    def _name(self, column: str, known: list[str], name: str) -> None:
        """Add ``name`` to those that the run's row joins in ``column``, once."""
        if name and name not in known:
            known.append(name)
            self._update("runs", "run_id = :run_id", run_id=self._run_id, **{column: "+".join(known)})

    def stepped(self, event: StepLogged) -> None:
        self._insert(
            "steps",
            run_id=self._run_id,
            phase=self._phase,
            adapter=self._adapter,
            step=event.step,
            loss=event.loss,
            anchor_kl=event.anchor_kl,
            lr=event.lr,
            grad_norm=event.grad_norm,
            tokens=event.tokens,
            tokens_per_sec=event.tokens_per_sec,
            seconds=event.elapsed_seconds,
            at=now(),
        )
        if time.monotonic() >= self._next:
            self.write()

    def evaluated(self, event: Evaluated) -> None:
        self._insert(
            "evals",
            run_id=self._run_id,
            phase=self._phase,
            adapter=self._adapter,
            step=event.step,
            val_loss=event.held_out_loss,
            # A loss of pairs is no mean log-probability of a text.
            perplexity=perplexity(event.held_out_loss) if event.accuracy is None else None,
            recall=event.held_out_recall,
            accuracy=event.accuracy,
            margin=event.margin,
            held_out_prose_loss=event.held_out_prose_loss,
            held_out_answer_loss=event.held_out_answer_loss,
            best=event.best,
            at=now(),
        )
        if time.monotonic() >= self._next:
            self.write()

    def ended(self, event: RunEnded) -> None:
        """The last rows; whatever could not be written before is tried once more."""
        outcome = event.finished.outcome
        self._update(
            "runs",
            "run_id = :run_id",
            run_id=self._run_id,
            ended_at=now(),
            status=event.finished.status,
            adapter_version=event.finished.version,
            message=event.finished.message,
            tokens=event.tokens,
            device=outcome.device if outcome else None,
            precision=outcome.precision if outcome else None,
            seconds=event.seconds,
            early_stopped=event.early_stopped,
        )
        self.write()

    def close(self) -> None:
        """Let go of the file."""
        database, self._database = self._database, None
        if database is not None:
            try:
                close_after_writing(database)
            except sqlite3.Error as problem:
                self._tell(problem)

    def write(self) -> None:
        """Write what is waiting, in one transaction.

        Raises:
            StoreError: it cannot be written, and the caller asked for a complete record.
        """
        try:
            self._write()
        except (sqlite3.Error, OSError) as problem:
            self._next = time.monotonic() + AGAIN
            self._failed(problem)
        else:
            self._next = time.monotonic() + EVERY

    def _write(self) -> None:
        database = self._database = self._database or self._open()
        database.execute("BEGIN IMMEDIATE")
        try:
            for statement, values in self._waiting:
                database.execute(statement, values)
            database.execute("COMMIT")
        except BaseException:
            if database.in_transaction:
                database.execute("ROLLBACK")
            raise
        self._waiting.clear()

    def _open(self) -> sqlite3.Connection:
        """A damaged file is set aside: its runs are still in the logs."""
        try:
            return open_for_writing(self._path)
        except sqlite3.DatabaseError as problem:
            if getattr(problem, "sqlite_errorcode", 0) & 0xFF not in DAMAGED:
                raise
            aside = _set_aside(self._path)
            self._say(f"the metrics database was damaged ({problem}): moved to {aside}, and begun anew")
            return open_for_writing(self._path)

    def _failed(self, problem: Exception) -> None:
        if self._strict:
            raise StoreError(
                f"{self._what(problem)}, and --strict-metrics asks for a complete record: make room, or leave it out"
            ) from problem
        self._tell(problem)

    def _tell(self, problem: Exception) -> None:
        if not self._told:
            self._told = True
            self._say(f"{self._what(problem)}: the run goes on, its log is complete, and this is tried again")

    def _what(self, problem: Exception) -> str:
        return f"{self._path} cannot be written ({problem}; {free_megabytes(self._path)} MB are free)"

    def _insert(self, table: str, **values: Any) -> None:
        names = ", ".join(values)
        marks = ", ".join(f":{name}" for name in values)
        self._waiting.append((f"INSERT OR REPLACE INTO {table} ({names}) VALUES ({marks})", _plain(values)))

    def _update(self, table: str, where: str, **values: Any) -> None:
        changed = ", ".join(f"{name} = :{name}" for name in values if name != "run_id")
        self._waiting.append((f"UPDATE {table} SET {changed} WHERE {where}", _plain(values)))


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """NaN and infinities become NULL, as they become null in the log."""
    return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in values.items()}


def _set_aside(path: Path) -> Path:
    aside = next(place for n in range(1, 1000) if not (place := path.with_name(f"{path.name}.damaged-{n}")).exists())
    path.replace(aside)
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    return aside
