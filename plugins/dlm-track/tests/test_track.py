"""Real trainings, read back by the programs that are meant to draw them."""

from __future__ import annotations

import json
import os
import struct
import sys

import pytest

import dlm_track.for_dlm
from dlm.errors import NonFiniteWeights, UsageProblem
from dlm.record.reading import curve
from dlm.record.trackers import TrackerContext
from dlm.store import Store
from dlm.testing import only_plugins, toy_base
from dlm.testing.toy import ToyPlugin
from dlm.training.run import Observer, TrainOptions, train
from dlm_track.board import TensorBoard
from dlm_track.wandb_run import WeightsAndBiases

DLM_ID = "01J0000000000000000000000A"
DOCUMENT = """---
dlm_id: {id}
dlm_version: 15
base_model: path:{base}
{more}---
# Lamp

The lamp stands in the cellar. It was built by Ada Hale.

::instruction::
### Q
Who built the lamp?
### A
Ada Hale built the lamp.
"""


class Says(Observer):
    def __init__(self):
        self.lines = []

    def say(self, line):
        self.lines.append(line)


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("DLM_HOME", str(tmp_path / "home"))
    return Store(tmp_path / "home", DLM_ID)


@pytest.fixture
def trained(tmp_path, store):
    """``trained("tensorboard")`` trains with it; what was said."""

    def run(name, more=""):
        path = tmp_path / "lamp.dlm"
        path.write_text(DOCUMENT.format(id=DLM_ID, base=toy_base(tmp_path / "base"), more=more), encoding="utf-8")
        says = Says()
        with only_plugins(ToyPlugin(), dlm_track.for_dlm):
            train(path, options=TrainOptions(max_steps=12, track=(name,)), observer=says)
        return says.lines

    return run


def scalars(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(folder), size_guidance={"scalars": 0, "tensors": 0})
    found.Reload()
    from tensorboard.util import tensor_util

    return {
        tag: [(one.step, float(tensor_util.make_ndarray(one.tensor_proto))) for one in found.Tensors(tag)]
        for tag in found.Tags()["tensors"]
    }


def test_tensorboard_reads_back_every_step_and_evaluation(trained, store):
    lines = trained("tensorboard")
    folder = store.layout.root / "trackers" / "tensorboard"
    assert any(f"tensorboard --logdir '{folder}'" in line for line in lines)
    drawn, known = scalars(folder / "run-000001"), curve(store, 1)
    assert [step for step, _ in drawn["sft/loss"]] == [step.step for step in known.steps] == list(range(1, 13))
    assert [value for _, value in drawn["sft/loss"]] == pytest.approx([step.loss for step in known.steps], rel=1e-6)
    assert [value for _, value in drawn["sft/learning_rate"]] == pytest.approx([step.lr for step in known.steps])
    held_out = [(one.step, one.val_loss) for one in known.evals]
    assert drawn["sft/held_out_loss"] == [(step, pytest.approx(value, rel=1e-6)) for step, value in held_out]
    anchored = [step.step for step in known.steps if step.anchor_kl is not None]
    assert [step for step, _ in drawn["sft/anchor_kl"]] == anchored
    assert not [line for line in lines if "muted" in line]


def test_a_diverged_run_draws_its_finite_part(trained, store):
    with pytest.raises(NonFiniteWeights):
        trained("tensorboard", "training:\n  learning_rate: 1.0e+308\n  warmup_ratio: 0.0\n")
    drawn = scalars(store.layout.root / "trackers" / "tensorboard" / "run-000001")
    assert drawn["sft/loss"]
    assert len(drawn["sft/loss"]) < 12


@pytest.mark.parametrize(("name", "tracker"), [("tensorboard", TensorBoard), ("wandb", WeightsAndBiases)])
def test_a_missing_package_is_missed_before_anything_is_trained(tmp_path, monkeypatch, name, tracker):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(UsageProblem, match="pip install"):
        tracker(TrackerContext(tmp_path, print))


def test_describing_the_trackers_imports_neither_of_them():
    from dlm.testing import modules_after

    after = modules_after("import dlm_track.for_dlm")
    assert not {name.partition(".")[0] for name in after} & {"tensorboard", "wandb", "numpy", "google"}


def test_wandb_keeps_a_run_that_can_be_sent_later(trained, store, monkeypatch):
    pytest.importorskip("wandb")
    for name in ("WANDB_MODE", "WANDB_API_KEY", "WANDB_ERROR_REPORTING"):
        monkeypatch.delenv(name, raising=False)
    lines = trained("wandb")
    assert os.environ.pop("WANDB_ERROR_REPORTING") == "false"
    assert not [line for line in lines if "muted" in line], lines
    assert any("nothing is sent: wandb sync" in line for line in lines)
    (run,) = (store.layout.root / "trackers" / "wandb").rglob("run-*.wandb")
    written = logged(run)
    assert [int(row["sft/step"]) for row in written if "sft/loss" in row] == list(range(1, 13))
    known = curve(store, 1)
    drawn = [float(row["sft/held_out_loss"]) for row in written if "sft/held_out_loss" in row]
    assert drawn == [one.val_loss for one in known.evals]
    assert b"cellar" not in run.read_bytes()


def logged(path):
    """The rows of history in a run's file."""
    from wandb.proto import wandb_internal_pb2

    rows = []
    for data in records(path.read_bytes()):
        record = wandb_internal_pb2.Record()
        record.ParseFromString(data)
        if items := record.history.item:
            rows.append({item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in items})
    return rows


def records(data, block=32768, header=7):
    """The parts of a log in LevelDB's format, joined: checksum, length, kind before each, in blocks."""
    at, parts = header, b""
    while at + header <= len(data):
        if block - at % block < header:
            at += block - at % block
            continue
        _, length, kind = struct.unpack_from("<IHB", data, at)
        parts += data[at + header : at + header + length]
        at += header + length
        if kind in (1, 4):
            yield parts
            parts = b""
