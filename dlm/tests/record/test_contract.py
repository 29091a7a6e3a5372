"""The log and the summary of a run are what ``contracts/`` promises to other tools, and what its golden files show."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from dlm.errors import NonFiniteWeights
from dlm.record.from_log import curve_of
from dlm.training.run import Observer, TrainOptions, train

CONTRACTS = Path(__file__).parents[3] / "contracts"
GOLDEN = CONTRACTS / "golden" / "log"
FEW = TrainOptions(max_steps=8)

pytestmark = pytest.mark.usefixtures("plugins")


def validator(name):
    contract = json.loads((CONTRACTS / name).read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(contract)
    return Draft202012Validator(contract)


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def shapes(records):
    """What a reader can rely on: the types in their order, each with its keys."""
    found = {}
    for record in records:
        found.setdefault(record["type"], set()).add(frozenset(record))
    return found


class Stopping(Observer):
    def stepped(self, event):
        if event.step == 3:
            raise KeyboardInterrupt


def test_every_line_of_every_kind_of_run_keeps_the_contract(store, write):
    contract = validator("train-log.schema.json")
    train(write(), options=FEW)
    with pytest.raises(KeyboardInterrupt):
        train(write(), options=TrainOptions(max_steps=8, seed=2), observer=Stopping())
    with pytest.raises(NonFiniteWeights):
        train(write("training:\n  learning_rate: 1.0e+308\n  warmup_ratio: 0.0"), options=FEW)
    logs = sorted(store.layout.logs.glob("*.jsonl"))
    ends = [lines(log)[-1] for log in logs]
    assert [end["status"] for end in ends] == ["ok", "cancelled", "rejected"]
    assert [end["early_stopped"] for end in ends] == [False, False, False]
    for log in logs:
        for record in lines(log):
            contract.validate(record)


def test_every_step_is_logged_with_a_real_speed_and_held_out_losses_are_numbers(store, write):
    train(write(), options=FEW)
    (log,) = store.layout.logs.glob("*.jsonl")
    steps = [record for record in lines(log) if record["type"] == "step"]
    assert [record["step"] for record in steps] == list(range(1, 9))
    for record in steps:
        assert record["tokens_per_sec"] == pytest.approx(record["tokens"] / record["elapsed_seconds"])
    evaluations = [record for record in lines(log) if record["type"] == "evaluation"]
    assert evaluations[0]["held_out_loss"] > evaluations[-1]["held_out_loss"] > 0


def test_the_summary_keeps_its_contract(store, write):
    report = train(write(), options=FEW)
    (path,) = store.layout.logs.glob("*.summary.json")
    summary = json.loads(path.read_text(encoding="utf-8"))
    validator("train-summary.schema.json").validate(summary)
    assert summary["final_val_loss"] == report.outcome.held_out_best
    assert summary["early_stopped"] is False


def test_a_run_of_today_looks_like_the_golden_one(store, write):
    """Keys of a published record may be added; none may go, and no type may."""
    contract = validator("train-log.schema.json")
    golden = lines(GOLDEN / "ok.jsonl")
    for record in golden:
        contract.validate(record)
    train(write(), options=TrainOptions(max_steps=4))
    (log,) = store.layout.logs.glob("*.jsonl")
    today = lines(log)
    assert [record["type"] for record in today] == [record["type"] for record in golden]
    known = shapes(today)
    for kind, shape in shapes(golden).items():
        assert frozenset().union(*shape) <= frozenset().union(*known[kind]), kind
    (summary,) = store.layout.logs.glob("*.summary.json")
    old = json.loads((GOLDEN / "ok.summary.json").read_text(encoding="utf-8"))
    validator("train-summary.schema.json").validate(old)
    assert old.keys() <= json.loads(summary.read_text(encoding="utf-8")).keys()


def test_golden_logs_are_read_killed_ones_up_to_their_last_whole_line():
    whole = curve_of(GOLDEN / "ok.jsonl")
    assert [step.step for step in whole.steps] == [1, 2, 3, 4]
    assert whole.phases[0].phase == "sft"
    killed = curve_of(GOLDEN / "killed.jsonl")
    assert killed.steps == whole.steps[: len(killed.steps)]
    assert 0 < len(killed.steps) < 4
