"""A run of two phases, whose steps both count from 1."""

from __future__ import annotations

import csv
import io

import pytest
from click.testing import CliRunner

from dlm.cli.main import main
from dlm.entries import PhaseEntry
from dlm.hookspecs import hookimpl
from dlm.record.reading import curve, history
from dlm.testing import only_plugins
from dlm.testing.toy import ToyPlugin
from dlm.training.phases import Phase
from dlm.training.run import TrainOptions, train

# Trained first, and last in the alphabet: order is by number.
READING = Phase(name="text", kinds=frozenset({"prose"}))


class Offers:
    @hookimpl
    def dlm_phases(self):
        yield PhaseEntry(name="text", target=f"{__name__}:READING", summary="", order=50)


@pytest.fixture
def trained(write, monkeypatch):
    with only_plugins(ToyPlugin(), Offers()) as manager:
        resolve = manager.resolve
        monkeypatch.setattr(manager, "resolve", lambda hook, name: READING if name == "text" else resolve(hook, name))
        path = write()
        return path, train(path, options=TrainOptions(max_steps=6))


def test_steps_stand_in_the_order_in_which_they_were_made(trained, store):
    _, report = trained
    found = curve(store, 1)
    assert [(one.number, one.phase) for one in found.phases] == [(1, "text"), (2, "sft")]
    made = [(plan.phase, step) for plan in report.plans for step in range(1, len(plan.steps) + 1)]
    assert [(step.phase, step.step) for step in found.steps] == made
    (run,) = history(store).runs
    assert (run.phase, run.steps, run.steps_done) == ("text+sft", len(made), len(made))
    assert run.tokens == sum(outcome.tokens for outcome in report.outcomes)
    assert [(one.phase, one.first_val_loss, one.best_val_loss) for one in run.held_out] == [
        (plan.phase, outcome.held_out_before, outcome.held_out_best)
        for plan, outcome in zip(report.plans, report.outcomes, strict=True)
    ]
    last = report.outcomes[1]
    assert (run.first_val_loss, run.best_val_loss) == (last.held_out_before, last.held_out_best), "of one phase both"
    assert run.early_stopped is False


def test_the_log_alone_tells_the_phases_too(trained, store):
    told = curve(store, 1)
    store.layout.metrics.unlink()
    again = curve(store, 1)
    assert [(step.phase, step.step, step.loss) for step in again.steps] == [
        (step.phase, step.step, step.loss) for step in told.steps
    ]


def test_one_phase_can_be_asked_for(trained):
    path, report = trained

    def shown(*more):
        return CliRunner().invoke(main, ["metrics", "show", str(path), *more]).stdout

    rows = list(csv.DictReader(io.StringIO(shown("--run", "1", "--phase", "text", "--csv"))))
    assert {row["phase"] for row in rows} == {"text"}
    assert [int(row["step"]) for row in rows] == list(range(len(report.plans[0].steps) + 1))
    drawn = shown("--run", "1")
    assert "nats a token, text: " in drawn
    assert "nats a token, sft: " in drawn
    assert drawn.index(", text: ") < drawn.index(", sft: ")


def test_the_list_has_the_held_out_losses_of_each_phase_under_one_another(trained):
    path, report = trained

    def shown(*more):
        return CliRunner().invoke(main, ["metrics", "show", str(path), *more]).stdout

    header, run, *phases, _ = lines = shown().splitlines()
    column = header.index("held-out")
    assert all(len(line) <= 80 for line in lines[:-1])
    assert len(run) <= column
    for line, plan, outcome in zip(phases, report.plans, report.outcomes, strict=True):
        assert line[:column].strip() == plan.phase
        assert line[column:] == f"{outcome.held_out_before:.2f} -> {outcome.held_out_best:.2f}"
    (alone,) = [line for line in shown("--phase", "text").splitlines() if " ok " in line]
    assert alone[column:] == f"{report.outcomes[0].held_out_before:.2f} -> {report.outcomes[0].held_out_best:.2f}"
