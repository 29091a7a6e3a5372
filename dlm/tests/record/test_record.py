"""What a run leaves in ``metrics.db``, through the whole of ``dlm train``."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace

import pytest

from dlm.errors import NonFiniteWeights, StoreError
from dlm.record import database
from dlm.record.reading import curve, history
from dlm.record.tables import open_for_writing
from dlm.store.recover import DIED
from dlm.testing.toy import ToyWorkbench
from dlm.training.run import Observer, TrainOptions, train

pytestmark = pytest.mark.usefixtures("plugins")
FEW = TrainOptions(max_steps=8)


class Says(Observer):
    def __init__(self):
        self.lines = []

    def say(self, line):
        self.lines.append(line)


def log_of(store, run=1):
    (path,) = store.layout.logs.glob(f"train-{run:06d}-*.jsonl")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def without_times(found):
    return replace(
        found,
        phases=tuple(replace(one, started_at=None) for one in found.phases),
        steps=tuple(replace(one, at=None) for one in found.steps),
        evals=tuple(replace(one, at=None) for one in found.evals),
        tokenization=None,
    )


def test_every_step_and_evaluation_is_in_the_database(store, write):
    report = train(write(), options=FEW)
    found, log = curve(store, 1), log_of(store)
    steps = [record for record in log if record["type"] == "step"]
    assert [step.step for step in found.steps] == list(range(1, 9))
    for name in ("loss", "anchor_kl", "lr", "grad_norm", "tokens", "tokens_per_sec"):
        assert [getattr(step, name) for step in found.steps] == [record[name] for record in steps]
    assert all(step.tokens_per_sec > 0 for step in found.steps)
    evaluations = [record for record in log if record["type"] == "evaluation"]
    assert [one.val_loss for one in found.evals] == [record["held_out_loss"] for record in evaluations]
    (run,) = history(store).runs
    assert (run.status, run.adapter_version, run.seed, run.phase) == ("ok", 1, 42, "sft")
    assert (run.first_val_loss, run.best_val_loss) == (report.outcome.held_out_before, report.outcome.held_out_best)
    assert (run.steps, run.steps_done, run.tokens) == (8, 8, report.outcome.tokens)
    assert 0 < run.seconds <= report.seconds
    assert run.early_stopped is False


def test_the_tokenised_cache_is_told_of(store, write):
    path = write()
    train(path, options=FEW)
    train(path, options=FEW)
    first, second = (curve(store, run).tokenization for run in (1, 2))
    assert first.cache_misses > 0
    assert (second.cache_hits, second.cache_misses) == (first.cache_hits + first.cache_misses, 0)
    assert second.total_sections == 2
    assert second.cache_bytes_after > 0


def test_without_the_database_the_log_tells_the_same(store, write):
    train(write(), options=FEW)
    told = curve(store, 1)
    store.layout.metrics.unlink()
    assert without_times(curve(store, 1)) == without_times(told)
    (run,) = history(store).runs
    assert (run.status, run.adapter_version, run.steps) == ("ok", 1, 8)


def test_looking_creates_no_file(store, write):
    assert history(store).runs == ()
    assert not store.layout.root.exists()
    train(write(), options=FEW)
    before = sorted(store.layout.root.rglob("*"))
    history(store)
    curve(store, 1)
    assert sorted(store.layout.root.rglob("*")) == before
    assert not list(store.layout.root.glob("metrics.db-*"))


def test_a_killed_run_is_shown_as_failed_before_and_after_recovery(store, write, elsewhere):
    path = write()
    dead = elsewhere(path, pause=0.2, die_at=6)
    assert dead.wait(60) == -9, dead.stderr.read()
    (run,) = history(store).runs
    assert (run.status, run.message) == ("failed", DIED)
    # Written in time: what was measured before the kill is not lost with the process.
    assert len(curve(store, 1).steps) >= 3
    train(path, options=FEW)
    first, second = history(store).runs
    assert (first.status, second.status) == ("failed", "ok")
    with sqlite3.connect(store.layout.metrics) as rows:
        assert rows.execute("SELECT status, message FROM runs WHERE run_id = 1").fetchone() == ("failed", DIED)
    rows.close()


def test_a_running_run_is_running_for_another_process(store, write, elsewhere, until):
    process = elsewhere(write(), steps=40)
    until(lambda: len(curve(store, 1).steps) > 2)
    (run,) = history(store).runs
    assert (run.status, run.steps, run.adapter_version) == ("running", 40, None)
    assert process.wait(60) == 0, process.stderr.read()
    assert history(store).runs[0].status == "ok"


def test_a_diverged_run_is_rejected_and_its_nan_is_null(store, write):
    with pytest.raises(NonFiniteWeights):
        train(write("training:\n  learning_rate: 1.0e+308\n  warmup_ratio: 0.0"), options=FEW)
    (run,) = history(store).runs
    assert run.status == "rejected"
    assert "NaN or infinity" in run.message
    assert any(step.loss is None for step in curve(store, 1).steps)


def test_a_clock_that_jumps_back_changes_no_order(store, write, monkeypatch):
    times = iter(f"2026-11-05T11:{59 - n // 60:02d}:{59 - n % 60:02d}Z" for n in range(3600))
    monkeypatch.setattr(database, "now", lambda: next(times))
    train(write(), options=FEW)
    train(write(), options=FEW)
    assert [run.run_id for run in history(store).runs] == [1, 2]
    found = curve(store, 2)
    assert [step.step for step in found.steps] == list(range(1, 9))
    assert found.steps[0].at > found.steps[-1].at
    seconds = [step.seconds for step in found.steps]
    assert seconds == sorted(seconds)


def test_what_cannot_be_written_is_told_once_and_the_run_is_kept(store, write):
    store.layout.metrics.mkdir(parents=True)
    says = Says()
    report = train(write(), options=FEW, observer=says)
    assert report.version == 1
    (told,) = [line for line in says.lines if "metrics.db" in line]
    assert "cannot be written" in told
    assert "the run goes on" in told
    assert len(curve(store, 1).steps) == 8


def test_a_complete_record_can_be_asked_for(store, write):
    store.layout.metrics.mkdir(parents=True)
    with pytest.raises(StoreError, match="--strict-metrics"):
        train(write(), options=replace(FEW, strict_metrics=True))
    assert store.current() is None
    assert store.manifest().training_runs[-1].status == "failed"


class Blocks(Observer):
    """Another program that keeps the database to itself for a part of the run."""

    def __init__(self, path):
        self.path, self.lines, self.other = path, [], None

    def stepped(self, event):
        if event.step == 2:
            self.other = sqlite3.connect(self.path, isolation_level=None)
            self.other.execute("BEGIN IMMEDIATE")
        if event.step == 7:
            self.other.execute("ROLLBACK")
            self.other.close()

    def say(self, line):
        self.lines.append(line)


def test_a_database_that_was_busy_for_a_while_has_no_gap(store, write, monkeypatch):
    monkeypatch.setattr(database, "EVERY", 0)
    watcher = Blocks(store.layout.metrics)
    train(write(), options=FEW, observer=watcher)
    assert sum("cannot be written" in line for line in watcher.lines) == 1
    with sqlite3.connect(store.layout.metrics) as rows:
        assert rows.execute("SELECT count(*), max(step) FROM steps").fetchone() == (8, 8)
        assert rows.execute("SELECT status FROM runs").fetchone() == ("ok",)
    rows.close()


def test_a_record_that_lacks_its_end_fails_a_strict_run_and_keeps_its_version(store, write):
    class Keeps(Observer):
        def stepped(self, event):
            if event.step == 8:
                self.other = sqlite3.connect(store.layout.metrics, isolation_level=None)
                self.other.execute("BEGIN IMMEDIATE")

    keeps = Keeps()
    with pytest.raises(StoreError, match="v1 is whole and current all the same"):
        train(write(), options=replace(FEW, strict_metrics=True), observer=keeps)
    keeps.other.close()
    assert store.current().number == 1
    (run,) = history(store).runs
    assert (run.status, run.adapter_version) == ("ok", 1)


def test_a_damaged_database_is_set_aside_and_begun_anew(store, write):
    train(write(), options=FEW)
    store.layout.metrics.write_bytes(b"no database" * 500)
    problems = history(store).problems
    assert len(problems) == 1
    assert "metrics.db cannot be read" in problems[0]
    assert len(curve(store, 1).steps) == 8
    says = Says()
    train(write(), options=FEW, observer=says)
    assert any("moved to" in line and "metrics.db.damaged-1" in line for line in says.lines)
    assert not history(store).problems
    assert [len(curve(store, run).steps) for run in (1, 2)] == [8, 8]


def test_a_database_of_a_newer_dlm_is_left_as_it_is(store, write):
    store.layout.root.mkdir(parents=True)
    open_for_writing(store.layout.metrics).close()
    with sqlite3.connect(store.layout.metrics) as rows:
        rows.execute("PRAGMA user_version = 99")
    rows.close()
    before = store.layout.metrics.read_bytes()
    says = Says()
    train(write(), options=FEW, observer=says)
    assert any("newer dlm" in line for line in says.lines)
    assert store.layout.metrics.read_bytes() == before


@pytest.mark.parametrize("at_rest", [True, False], ids=["at rest", "with its log"])
def test_the_database_of_the_trainer_before_is_read_too(store, at_rest):
    store.layout.root.mkdir(parents=True)
    path = store.layout.root / "metrics.sqlite"
    prior = sqlite3.connect(path, isolation_level=None)
    prior.executescript(
        "PRAGMA journal_mode = WAL;"
        "CREATE TABLE runs (run_id INTEGER PRIMARY KEY, started_at TEXT NOT NULL, ended_at TEXT,"
        " adapter_version INTEGER, phase TEXT, seed INTEGER, status TEXT);"
        "CREATE TABLE steps (run_id INTEGER, step INTEGER, loss REAL, lr REAL, grad_norm REAL, tokens_per_sec REAL,"
        " peak_vram_mb INTEGER, at TEXT, PRIMARY KEY (run_id, step));"
        "CREATE TABLE evals (run_id INTEGER, step INTEGER, val_loss REAL, perplexity REAL, retention REAL, at TEXT,"
        " PRIMARY KEY (run_id, step));"
        "INSERT INTO runs VALUES (4, '2025-05-01T10:00:00Z', '2025-05-01T10:09:00Z', 3, 'sft', 1, 'ok');"
        "INSERT INTO steps VALUES (4, 20, 1.5, 2e-4, 0.5, NULL, NULL, '2025-05-01T10:04:00Z');"
        "INSERT INTO steps VALUES (4, 10, 2.5, 2e-4, 0.7, NULL, NULL, '2025-05-01T10:02:00Z');"
        "INSERT INTO evals VALUES (4, 20, 1.7, NULL, NULL, '2025-05-01T10:04:00Z');"
    )
    if at_rest:
        prior.close()
    before = sorted(one.name for one in store.layout.root.iterdir())
    (run,) = history(store).runs
    assert (run.run_id, run.status, run.adapter_version, run.best_val_loss) == (4, "ok", 3, 1.7)
    found = curve(store, 4)
    assert [(step.step, step.loss) for step in found.steps] == [(10, 2.5), (20, 1.5)]
    assert sorted(one.name for one in store.layout.root.iterdir()) == before
    prior.close()


def test_a_run_without_its_last_steps_was_stopped_early(store, write, monkeypatch):
    whole = ToyWorkbench.train

    def stops(self, plan, on_step, *others):
        def stepped(event):
            on_step(replace(event, steps=len(plan.steps)))

        return whole(self, replace(plan, steps=plan.steps[:5]), stepped, *others)

    monkeypatch.setattr(ToyWorkbench, "train", stops)
    train(write(), options=FEW)
    (run,) = history(store).runs
    assert (run.early_stopped, run.steps_done, run.steps) == (True, 5, 8)
    assert log_of(store)[-1]["early_stopped"] is True
    (summary,) = store.layout.logs.glob("*.summary.json")
    assert json.loads(summary.read_text(encoding="utf-8"))["early_stopped"] is True


def test_a_run_whose_plan_became_shorter_went_to_its_end(store, write, monkeypatch):
    """Drawn anew at an evaluation, longer rows fill the budget in fewer steps."""
    whole = ToyWorkbench.train
    monkeypatch.setattr(
        ToyWorkbench, "train", lambda self, plan, *others: whole(self, replace(plan, steps=plan.steps[:5]), *others)
    )
    train(write(), options=FEW)
    (run,) = history(store).runs
    assert (run.early_stopped, run.steps_done, run.steps) == (False, 5, 8)
