"""The record of a run that trains several adapters, whose phases have the same names and whose steps count from 1."""

from __future__ import annotations

import csv
import io
import json
import sqlite3

import pytest
from click.testing import CliRunner

from dlm.cli.main import main
from dlm.record import tables
from dlm.record.reading import curve, history
from dlm.testing import only_plugins
from dlm.testing.toy import ToyPlugin
from dlm.training.run import TrainOptions, train

TWO = "training:\n  adapters:\n    plans: {lora_r: 4}\n    code: {}"


@pytest.fixture
def trained(write):
    with only_plugins(ToyPlugin()):
        path = write(TWO)
        yield path, train(path, options=TrainOptions(max_steps=6))


def show(path, *more):
    result = CliRunner().invoke(main, ["metrics", "show", str(path), *more])
    return result.stdout if result.exit_code == 0 else result.stderr


def test_each_adapters_steps_stand_by_themselves(trained, store) -> None:
    _, report = trained
    found = curve(store, 1)
    assert [(one.number, one.adapter, one.phase) for one in found.phases] == [(1, "plans", "sft"), (2, "code", "sft")]
    made = [(name, step) for name in ("plans", "code") for step in range(1, 7)]
    assert [(step.adapter, step.step) for step in found.steps] == made
    (run,) = history(store).runs
    assert (run.phase, run.adapters, run.steps, run.steps_done) == ("sft", "plans+code", 12, 12)
    assert run.tokens == sum(outcome.tokens for outcome in report.outcomes)
    store.layout.metrics.unlink()
    assert [(step.adapter, step.step, step.loss) for step in curve(store, 1).steps] == [
        (step.adapter, step.step, step.loss) for step in found.steps
    ], "the log alone tells the same"


def test_one_adapter_can_be_asked_for_and_all_are_drawn(trained) -> None:
    path, _ = trained
    rows = list(csv.DictReader(io.StringIO(show(path, "--run", "1", "--adapter", "code", "--csv"))))
    assert {row["adapter"] for row in rows} == {"code"}
    assert len(list(csv.DictReader(io.StringIO(show(path, "--run", "1", "--csv"))))) == 2 * len(rows)
    drawn = show(path, "--run", "1")
    assert "adapters   plans, code" in drawn
    assert drawn.index("nats a token, plans: ") < drawn.index("nats a token, code: ")
    assert all(len(line) <= 80 for line in drawn.splitlines() if "/" not in line)
    assert {one["adapter"] for one in json.loads(show(path, "--run", "1", "--json"))["evals"]} == {"plans", "code"}
    assert "trained no adapter 'cod': it trained plans, code" in show(path, "--run", "1", "--adapter", "cod")
    assert "give --run N" in show(path, "--adapter", "code")


@pytest.mark.parametrize("before", [1, 2])
def test_a_database_from_before_names_is_brought_over_with_every_row(tmp_path, before) -> None:
    path = tmp_path / "metrics.db"
    with sqlite3.connect(path) as old:
        more = ", held_out_prose_loss REAL, held_out_answer_loss REAL" if before == 2 else ""
        old.executescript(
            f"""
            CREATE TABLE runs (run_id INTEGER PRIMARY KEY, started_at TEXT NOT NULL, status TEXT NOT NULL, phase TEXT);
            CREATE TABLE phases (run_id INTEGER NOT NULL, number INTEGER NOT NULL, phase TEXT NOT NULL,
                steps INTEGER NOT NULL, tokens INTEGER NOT NULL, started_at TEXT NOT NULL,
                PRIMARY KEY (run_id, number)) WITHOUT ROWID;
            CREATE TABLE steps (run_id INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, phase TEXT NOT NULL,
                step INTEGER NOT NULL, loss REAL, anchor_kl REAL, lr REAL, grad_norm REAL, tokens INTEGER,
                tokens_per_sec REAL, seconds REAL, at TEXT NOT NULL, PRIMARY KEY (run_id, phase, step)) WITHOUT ROWID;
            CREATE TABLE evals (run_id INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, phase TEXT NOT NULL,
                step INTEGER NOT NULL, val_loss REAL, perplexity REAL, recall REAL, accuracy REAL, margin REAL,
                best INTEGER, at TEXT NOT NULL{more}, PRIMARY KEY (run_id, phase, step)) WITHOUT ROWID;
            INSERT INTO runs VALUES (1, 'then', 'ok', 'sft');
            INSERT INTO phases VALUES (1, 1, 'sft', 2, 9, 'then');
            INSERT INTO steps (run_id, phase, step, loss, at) VALUES (1, 'sft', 1, 2.5, 'a'), (1, 'sft', 2, 2.0, 'b');
            INSERT INTO evals (run_id, phase, step, val_loss, best, at) VALUES (1, 'sft', 2, 2.25, 1, 'b');
            PRAGMA user_version = {before};
            """
        )
    old.close()
    for _ in range(2):
        tables.close_after_writing(tables.open_for_writing(path))
    with tables.open_for_reading(path) as found:
        assert [(r["adapter"], r["step"], r["loss"]) for r in found.execute("SELECT * FROM steps")] == [
            ("", 1, 2.5),
            ("", 2, 2.0),
        ]
        assert [(r["val_loss"], r["best"]) for r in found.execute("SELECT * FROM evals")] == [(2.25, 1)]
        assert [r["adapter"] for r in found.execute("SELECT * FROM phases")] == [""]
        assert found.execute("PRAGMA user_version").fetchone()["user_version"] == tables.FORMAT
