"""``dlm doctor``, with and without a document, on the toy backend."""

from __future__ import annotations

import dataclasses
import json
import sys
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from dlm.cli.main import main
from dlm.entries import AcceleratorEntry, BackendEntry, CheckEntry
from dlm.errors import TrainingFailed
from dlm.hardware.accelerator import Accelerator, Remark
from dlm.hardware.capabilities import Device, processor_only
from dlm.hardware.forecast import STAND_IN
from dlm.hookspecs import hookimpl
from dlm.testing import only_plugins
from dlm.testing.toy import ToyBackend, ToyPlugin, ToyWorkbench
from dlm.training.run import TrainOptions, train


@pytest.fixture
def run(home):
    """Run ``dlm`` with plugins; what it printed and its exit code."""

    def go(*arguments, plugins=None):
        plugins = (ToyPlugin(),) if plugins is None else plugins
        with only_plugins(*plugins):
            found = CliRunner().invoke(main, [str(one) for one in arguments], terminal_width=80)
        assert found.exception is None or isinstance(found.exception, SystemExit), found.exception
        return found.output, found.exit_code

    return go


def files(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file()) if folder.exists() else []


def test_the_machine_is_described_in_80_columns(run, home):
    shown, code = run("doctor")
    assert code == 0
    assert all(len(line) <= 80 for line in shown.replace(str(home), "/home/ada/.dlm").splitlines())
    for label in ("dlm ", "backend ", "processor ", "memory ", "trains on ", "same again ", "home "):
        assert any(line.startswith(label) for line in shown.splitlines()), label
    assert not home.exists()


def test_without_a_backend_it_fails_and_says_what_to_install(run):
    class Absent:
        @hookimpl
        def dlm_backends(self):
            yield BackendEntry(
                name="far", target="far:Far", summary=".", tasks=frozenset({"train"}), requires=("not_installed_here",)
            )

    shown, code = run("doctor", plugins=(Absent(),))
    assert code == 1
    assert "FAIL: no backend can train: far lacks not_installed_here: pip install" in shown
    assert json.loads(run("doctor", "--json", plugins=(Absent(),))[0])["ok"] is False


def test_the_forecast_is_the_plan_of_the_run(run, home, write):
    path = write()
    before = files(home)
    shown, code = run("doctor", path, "--max-steps", 8, "--seed", 7, "--json")
    assert code == 0
    assert files(home) == before
    assert ToyBackend.loaded[f"path:{path.parent / 'base'}"] == 0
    foreseen = json.loads(shown)["plan"]
    with only_plugins(ToyPlugin()):
        report = train(path, options=TrainOptions(max_steps=8, seed=7))
    (phase,) = foreseen["phases"]
    assert (phase["phase"], phase["steps"], phase["rows"]) == ("sft", 8, report.plan.recipe.batch_rows)
    # The base's own answers were not there yet; now they are, and the plan is the same to the token.
    assert any("general questions" in note for note in foreseen["notes"])
    again = json.loads(run("doctor", path, "--max-steps", 8, "--seed", 7, "--json")[0])["plan"]
    assert again["phases"][0]["tokens"] == report.plan.tokens
    assert again["notes"] == []


def test_every_adapter_has_its_line_in_the_forecast(run, write):
    path = write("training:\n  adapters:\n    plans: {lora_r: 4}\n    code: {}")
    shown, code = run("doctor", path, "--max-steps", 8)
    assert code == 0
    assert "plans: 8 steps of" in shown
    assert "code: 8 steps of" in shown
    phases = json.loads(run("doctor", path, "--max-steps", 8, "--json")[0])["plan"]["phases"]
    assert [one["adapter"] for one in phases] == ["plans", "code"]
    with only_plugins(ToyPlugin()):
        train(path, options=TrainOptions(max_steps=8))
        report = train(path, options=TrainOptions(max_steps=8))
    again = json.loads(run("doctor", path, "--max-steps", 8, "--json")[0])["plan"]["phases"]
    assert [one["tokens"] for one in again] == [plan.tokens for plan in report.plans]


def test_the_stand_in_for_an_answer_is_as_long_as_it_is_said_to_be(run, write):
    shown, _ = run("doctor", write())
    assert f"{len(STAND_IN.split())} words each" in " ".join(shown.split())


def test_what_would_refuse_is_shown_with_its_way_out_and_exit_code_1(run, write):
    shown, code = run("doctor", write("training:\n  precision: fp16"))
    assert code == 1
    assert "REFUSED: training.precision: fp16 loses small gradients" in shown
    assert "remove the key" in shown
    assert shown.rstrip().endswith("Training would be refused.")


def test_what_this_version_does_not_train_is_shown_with_its_line(run, write):
    path = write("training:\n  optimizer: galore_adamw")
    shown, code = run("doctor", path)
    assert code == 1
    assert f"REFUSED: {path}:6:3" in " ".join(shown.split())


def test_a_base_that_is_not_here_leaves_the_plan_open(run, write, tmp_path):
    path = write()
    path.write_text(path.read_text().replace(f"path:{tmp_path / 'base'}", "smollm2-135m"))
    shown, code = run("doctor", path)
    assert code == 0
    assert "smollm2-135m, not on this disk yet" in shown
    assert "`dlm base pull smollm2-135m`" in " ".join(shown.split())


def test_options_of_a_plan_need_a_document(run):
    shown, code = run("doctor", "--measure")
    assert code == 2
    assert "dlm doctor DOC" in shown


def npu():
    return (Device("mps", "one NPU", None, None, bf16=False),)


def check(home, document):
    yield Remark("fail", f"{home.name} is haunted, {document.title if document else 'no document'}", "move")


NPU = Accelerator(probe=npu)


class Plugin:
    @hookimpl
    def dlm_accelerators(self):
        yield AcceleratorEntry(name="npu", target=f"{__name__}:NPU", summary="One device more.")

    @hookimpl
    def dlm_checks(self):
        yield CheckEntry(name="haunted", target=f"{__name__}:check", summary="Looks for ghosts.")


def test_plugins_add_devices_and_findings(run, write, monkeypatch):
    # Test modules are not importable by name; an entry's target has to be.
    monkeypatch.setitem(sys.modules, __name__, SimpleNamespace(NPU=NPU, check=check))
    shown, code = run("doctor", write(), plugins=(ToyPlugin(), Plugin()))
    assert code == 1
    assert "device     one NPU" in shown
    assert "FAIL: home is haunted, Lamp: move" in shown


def test_a_kind_of_device_that_the_backend_uses_is_not_named_twice(run, write, monkeypatch):
    monkeypatch.setitem(sys.modules, __name__, SimpleNamespace(NPU=NPU, check=lambda *_: ()))
    own = dataclasses.replace(processor_only(), devices=npu())
    monkeypatch.setattr(ToyBackend, "hardware", lambda _: own)
    shown, _ = run("doctor", plugins=(ToyPlugin(), Plugin()))
    assert shown.count("one NPU, mps") == 1


def test_measuring_shows_both_numbers(run, write, monkeypatch):
    from dlm.hardware.estimate import Estimate, Measured, Part

    estimate = Estimate((Part("base", 900_000_000, "a base"), Part("layers", 300_000_000, "kept")), 10**9, 4, 90, 40)
    monkeypatch.setattr(ToyBackend, "estimate", lambda *_: estimate)
    monkeypatch.setattr(ToyWorkbench, "measure", lambda *_: Measured(10**9, "resident memory", 1.5), raising=False)
    shown, _ = run("doctor", write(), "--measure")
    assert "about 1.2 GB at the fullest step" in shown
    assert "1.0 GB of resident memory; the estimate is 20% above" in " ".join(shown.split())
    found = json.loads(run("doctor", write(), "--measure", "--json")[0])["plan"]
    assert (found["memory"]["peak"], found["measured"]["peak"]) == (1_200_000_000, 1_000_000_000)


def test_a_forecast_never_trains(write, home):
    from dlm.errors import CouldNotTell
    from dlm.hardware.forecast import Unasked

    bench = Unasked(ToyWorkbench.__new__(ToyWorkbench))
    with pytest.raises(CouldNotTell):
        bench.train()
    with pytest.raises(CouldNotTell):
        list(bench.own_answers([]))
    assert not issubclass(CouldNotTell, TrainingFailed)


def test_one_phase_alone_can_be_foreseen(run, write):
    path = write()
    planned = {}
    for phase in ("sft", "cpt"):
        shown, code = run("doctor", path, "--phase", phase, "--json")
        assert code == 0
        planned[phase] = json.loads(shown)["plan"]["phases"]
    assert [[one["phase"] for one in parts] for parts in planned.values()] == [["sft"], ["cpt"]]
    shown, code = run("doctor", path, "--phase", "sleep")
    assert code != 0
    assert "sleep" in shown
    assert run("doctor", "--phase", "sft")[1] == 2
