"""Several adapters in one run on real PEFT: each of its own shape, one base in memory at a time, resumed exactly."""

from __future__ import annotations

import gc
import json
import os
import signal
import weakref

import pytest

from dlm.document import read
from dlm.store import Store
from dlm.training.run import Observer, TrainOptions, train
from dlm.training.stopping import Stopped
from dlm_hf import workbench

TEXT = """---
dlm_id: 01M82XBRQYCZPBEH5AX72C4SR8
dlm_version: 15
base_model: path:{base}
training:
  precision: fp32
  recipe: plain
  adapters:
    ports: {{lora_r: 2, target_modules: [q_proj, v_proj]}}
    teams: {{lora_r: 4}}
---
Kittiwake listens on port 7413.

::instruction::
### Q
what is the port of Kittiwake ?
### A
7413 .

::instruction#teams::
### Q
who owns Kittiwake ?
### A
Soundings team .

::preference#teams::
### Prompt
How are you today ?
### Chosen
You do not know .
### Rejected
what is the weather like .
"""
STEPS = TrainOptions(max_steps=4)


@pytest.fixture
def path(tmp_path, monkeypatch, tiny_base):
    monkeypatch.setenv("DLM_HOME", str(tmp_path / "home"))
    path = tmp_path / "kittiwake.dlm"
    path.write_text(TEXT.format(base=tiny_base), encoding="utf-8")
    return path


def weights(report):
    return {file.parent.name: file.read_bytes() for file in report.path.rglob("adapter_model.safetensors")}


def test_each_adapter_has_its_own_shape_and_phases(path) -> None:
    report = train(path, options=STEPS)
    assert [(plan.adapter, plan.phase) for plan in report.plans] == [
        ("ports", "sft"),
        ("teams", "sft"),
        ("teams", "preference"),
    ]
    shapes = {}
    for name in ("ports", "teams"):
        config = json.loads((report.path / "adapters" / name / "adapter_config.json").read_text())
        shapes[name] = config["r"], sorted({one.rpartition(".")[2] for one in config["target_modules"]})
        assert (report.path / "adapters" / name / "tokenizer.json").is_file()
    assert shapes["ports"] == (2, ["q_proj", "v_proj"])
    assert shapes["teams"][0] == 4
    assert len(shapes["teams"][1]) == 7


def test_one_base_is_in_memory_at_a_time(path, monkeypatch) -> None:
    alive: list[weakref.ref] = []
    opened = workbench.open_model

    def watched(*arguments, **more):
        gc.collect()
        assert [one for one in alive if one() is not None] == []
        model = opened(*arguments, **more)
        alive.append(weakref.ref(model))
        return model

    monkeypatch.setattr(workbench, "open_model", watched)
    train(path, options=STEPS)
    assert len(alive) == 2


class Stops(Observer):
    def __init__(self, number: int, step: int) -> None:
        self.wanted, self.number, self.step = number, 0, step

    def phase_started(self, plan, number, of) -> None:
        self.number = number

    def stepped(self, event) -> None:
        if (self.number, event.step) == (self.wanted, self.step):
            os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.parametrize(("phase", "step"), [(2, 2), (3, 1)])
def test_a_run_that_stopped_in_the_second_adapter_ends_as_it_would_have(path, phase, step) -> None:
    whole = weights(train(path, options=STEPS))
    with pytest.raises(Stopped):
        train(path, options=STEPS, observer=Stops(phase, step))
    store = Store(path.parent / "home", read(path).frontmatter.dlm_id)
    assert store.checkpoint().moment.phase == phase
    assert weights(train(path, options=TrainOptions(resume=True))) == whole
