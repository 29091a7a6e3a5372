"""Every row of the matrix: when it holds, what it says, and that it stops a training."""

from __future__ import annotations

import dataclasses

import pytest

from dlm.bases import LocalBase
from dlm.errors import TrainingRefused
from dlm.hardware.accelerator import Accelerator
from dlm.hardware.capabilities import Capabilities, Determinism, Device
from dlm.hardware.estimate import Estimate, Part
from dlm.hardware.machine import Machine
from dlm.hardware.refusals import RULES, Case, Rule, objections
from dlm.hookspecs import hookimpl
from dlm.testing import only_plugins
from dlm.testing.toy import ToyBackend, ToyPlugin
from dlm.training.pace import Pace
from dlm.training.plan import Plan, Row
from dlm.training.recipe import Recipe
from dlm.training.run import TrainOptions, train

GB = 1_000_000_000
HERE = Machine("Linux", "a processor", 8, (), 16 * GB, 8 * GB)
CPU = Device("cpu", "a processor", None, 8 * GB, bf16=False)
SHORT = (Row(0, 100, 50),)
GPU = Device("cuda", "a GPU", 24 * GB, 20 * GB, bf16=True, architecture="sm_90")


def seen(device=CPU, **more) -> Capabilities:
    return Capabilities(HERE, (device,), "fp32", 8, Determinism("strict", "because"), **more)


def plan(rows=SHORT, tokens=1000) -> Plan:
    return Plan(Recipe(), (), rows, (), ((0,),), 0, 0, 1, tokens)


def needs(peak: float, least: float) -> Estimate:
    return Estimate((Part("all", int(peak * GB), ""),), int(least * GB), 4, 400, 200)


PLAIN = Case(seen(), Recipe(), plan=plan())


def change(**more) -> Case:
    return dataclasses.replace(PLAIN, **more)


@pytest.fixture
def small_context(tmp_path) -> LocalBase:
    (tmp_path / "config.json").write_text('{"text_config": {"max_position_embeddings": 512}}')
    return LocalBase("small", tmp_path, "sha256:0", "test")


HOLDS = {
    "fp16": (change(recipe=Recipe(precision="fp16")), "loses small gradients"),
    "memory": (change(estimate=needs(30, 11)), "one row of the fullest step takes about 11.0 GB, and 8.0 GB of memory"),
    "passes": (change(estimate=needs(30, 7)), "take about 30.0 GB together"),
    "bf16": (change(recipe=Recipe(precision="bf16")), "does not multiply bf16"),
    "hours": (change(plan=plan(tokens=10**7), pace=Pace(500.0, False)), "about 6 hours"),
}


@pytest.fixture
def manager():
    with only_plugins() as found:
        yield found


@pytest.mark.parametrize("name", sorted(HOLDS))
def test_a_row_holds_for_its_case_alone_and_names_a_way_out(name, manager):
    case, reason = HOLDS[name]
    (found,) = objections(case, manager)
    assert found.name == name
    assert reason in found.reason
    assert found.way_out
    assert objections(PLAIN, manager) == []


def test_a_row_longer_than_the_context_is_refused_and_a_shorter_one_is_not(small_context, manager):
    assert objections(change(base=small_context), manager) == []
    (found,) = objections(change(base=small_context, plan=plan(rows=(Row(0, 700, 10),))), manager)
    assert (found.name, found.severity) == ("context", "refuse")
    assert "700 tokens, more than the 512" in found.reason
    assert "training.sequence_len: 512" in found.way_out


def test_every_row_has_a_test():
    assert {rule.name for rule in RULES} == {*HOLDS, "context"}


def test_four_bits_are_a_way_out_of_too_little_memory_unless_they_are_taken(manager):
    (found,) = objections(change(estimate=needs(30, 11)), manager)
    assert "training.adapter: qlora" in found.way_out
    (found,) = objections(change(recipe=Recipe(adapter="qlora"), plan=None, estimate=needs(30, 11)), manager)
    assert "qlora" not in found.way_out


def test_memory_is_that_of_the_device_that_trains(manager):
    assert [one.name for one in objections(change(estimate=needs(19, 12)), manager)] == ["memory"]
    assert objections(change(estimate=needs(19, 12), capabilities=seen(GPU)), manager) == []


def test_what_is_unknown_refuses_nothing(manager):
    blind = dataclasses.replace(CPU, memory_free=None)
    unknown = Capabilities(
        dataclasses.replace(HERE, memory_free=None), (blind,), "fp32", 8, Determinism("strict", "because")
    )
    assert objections(change(capabilities=unknown, estimate=needs(900, 900)), manager) == []


class Refusing:
    @hookimpl
    def dlm_refuse_training(self, plan):
        return ["not on a Friday: try tomorrow"]


NPU = Accelerator(
    rules=(Rule("npu", "refuse", lambda case: case.plan is not None, lambda _: "the NPU is busy", lambda _: "wait"),)
)


def test_training_is_refused_with_every_reason_of_machine_and_plugins(home, write, monkeypatch):
    monkeypatch.setattr(f"{Accelerator.__module__}.OWN", Accelerator(rules=(*RULES, *NPU.rules)))
    monkeypatch.setattr(ToyBackend, "estimate", lambda self, base, plan, precision: needs(1e9, 1e9))
    with only_plugins(ToyPlugin(), Refusing()), pytest.raises(TrainingRefused) as refusal:
        train(write(), options=TrainOptions(max_steps=4))
    said = str(refusal.value)
    assert "one row of the fullest step" in said
    assert "the NPU is busy: wait" in said
    assert "not on a Friday: try tomorrow" in said
    assert not (home / "store").exists()


def test_half_precision_is_refused_before_a_tokenizer_is_loaded(home, write):
    with (
        only_plugins(ToyPlugin()),
        pytest.raises(TrainingRefused, match=r"fp16 loses small gradients.*remove the key"),
    ):
        train(write("training:\n  precision: fp16"), options=TrainOptions(max_steps=4))


def test_a_warning_is_said_and_the_run_goes_on(home, write, monkeypatch):
    from dlm.training.observer import Observer

    class Hears(Observer):
        lines: list[str]

        def __init__(self):
            self.lines = []

        def say(self, line):
            self.lines.append(line)

    monkeypatch.setattr(ToyBackend, "estimate", lambda self, base, plan, precision: needs(1e9, 0))
    heard = Hears()
    with only_plugins(ToyPlugin()):
        assert train(write(), options=TrainOptions(max_steps=4), observer=heard).version == 1
    assert any(line.startswith("note: the 4 rows of the fullest step take about") for line in heard.lines)
