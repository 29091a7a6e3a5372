"""``dlm metrics``: what people and programs are shown, and the exit codes."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from dlm.cli.main import main
from dlm.record.reading import curve, history

pytestmark = pytest.mark.usefixtures("plugins")


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def trained(write):
    path = write()
    for steps in (40, 8):
        assert run("-q", "train", path, "--max-steps", steps, "--no-report").exit_code == 0
    return path


def test_the_list_has_a_line_a_run_in_80_columns(trained):
    shown = run("metrics", "show", trained)
    assert shown.exit_code == 0
    header, first, second, hint = shown.stdout.splitlines()
    assert header.split()[:3] == ["run", "status", "made"]
    assert first.split()[:3] == ["1", "ok", "v1"]
    assert second.split()[:3] == ["2", "ok", "v2"]
    assert "--run 2" in hint
    assert all(len(line) <= 80 for line in (header, first, second))
    limited = run("metrics", "show", trained, "--limit", 1).stdout
    assert "1 older ones: --limit 2" in limited


def test_one_run_is_drawn_in_80_columns(trained, store):
    shown = run("metrics", "show", trained, "--run-id", 1)
    assert shown.exit_code == 0
    lines = shown.stdout.splitlines()
    assert all(len(line) <= 80 for line in lines if str(trained.parent) not in line)
    plotted = [line.partition("|")[2] for line in lines if "|" in line]
    # The loss falls: what is drawn on the first line lies left of what is drawn on the last.
    assert max(plotted[0].rindex(mark) for mark in ".o" if mark in plotted[0]) < plotted[-1].index(".")
    evaluated = [line for line in lines if line.endswith("kept")]
    best = history(store).run(1).best_val_loss
    assert len(evaluated) == 1
    assert f"{best:.3f}" in evaluated[0]
    assert run("metrics", "show", trained, "--run", 1, "--phase", "sft").stdout == shown.stdout


def test_json_is_for_programs(trained, store):
    listed = json.loads(run("metrics", "show", trained, "--json").stdout)["runs"]
    assert [one["run_id"] for one in listed] == [1, 2]
    assert {"started_at", "ended_at", "adapter_version", "phase", "seed", "status"} <= listed[0].keys()
    assert listed[0]["started_at"].endswith("Z")
    one = json.loads(run("metrics", "show", trained, "--run", 2, "--json").stdout)
    assert set(one) == {"run", "phases", "steps", "evals", "tokenization"}
    assert one["run"] == listed[1]
    assert one["steps"] == [step.as_json() for step in curve(store, 2).steps]


def test_csv_begins_with_the_columns_of_old(trained, store):
    runs = list(csv.DictReader(io.StringIO(run("metrics", "show", trained, "--csv").stdout)))
    assert list(runs[0])[:6] == ["run_id", "phase", "seed", "status", "started_at", "ended_at"]
    assert [row["run_id"] for row in runs] == ["1", "2"]
    steps = list(csv.DictReader(io.StringIO(run("metrics", "show", trained, "--run", 1, "--csv").stdout)))
    assert list(steps[0])[:5] == ["step", "loss", "lr", "grad_norm", "val_loss"]
    assert [int(row["step"]) for row in steps] == list(range(41))
    assert float(steps[-1]["val_loss"]) == curve(store, 1).evals[-1].val_loss
    assert float(steps[-1]["loss"]) == curve(store, 1).steps[-1].loss


WRONG = (
    ["--run", "9"],
    ["--run", "0"],
    ["--since", "2 hours"],
    ["--phase", "sleep"],
    ["--run", "1", "--phase", "sleep"],
    ["--limit", "0"],
    ["--json", "--csv"],
)


def test_what_makes_no_sense_is_a_mistake_of_use(trained):
    for wrong in WRONG:
        shown = run("metrics", "show", trained, *wrong)
        assert (shown.exit_code, bool(shown.stderr)) == (2, True), wrong


def test_since_leaves_older_runs_out(trained, store):
    assert len(json.loads(run("metrics", "show", trained, "--since", "1h", "--json").stdout)["runs"]) == 2
    manifest = store.manifest()
    import sqlite3

    old = (datetime.now(UTC) - timedelta(days=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    with sqlite3.connect(store.layout.metrics) as rows:
        rows.execute("UPDATE runs SET started_at = ? WHERE run_id = 1", (old,))
    rows.close()
    assert manifest is not None
    since = run("metrics", "show", trained, "--since", "1d", "--json").stdout
    assert [one["run_id"] for one in json.loads(since)["runs"]] == [2]


def test_before_the_first_training_it_says_what_to_do(write, store):
    shown = run("metrics", "show", write())
    assert shown.exit_code == 0
    assert "dlm train" in shown.stdout
    assert not store.layout.root.exists()


def test_watch_follows_a_run_to_its_end(write, store, elsewhere, until):
    path = write()
    process = elsewhere(path, steps=12, pause=0.15)
    until(lambda: curve(store, 1).steps)
    shown = run("metrics", "watch", path, "--poll-seconds", 0.1)
    assert process.wait(30) == 0, process.stderr.read()
    assert shown.exit_code == 0
    lines = shown.stdout.splitlines()
    assert lines[0].startswith("run 1 of 12 steps")
    assert sum("held-out" in line for line in lines) == len(curve(store, 1).evals)
    assert sum("loss" in line and "held-out" not in line for line in lines) > 2
    assert lines[-1].startswith("run 1 ended: ok, made v1 after")


def test_watch_says_so_when_nothing_runs(trained):
    shown = run("metrics", "watch", trained)
    assert shown.exit_code == 0
    assert "no training of" in shown.stdout
