"""A run that was stopped goes on, and ends where it would have ended; with the toy backend, through the whole flow."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from dlm.errors import NotTrained, StoreError, TrainingRefused, UsageProblem
from dlm.store import Store, checkpoint
from dlm.testing.toy import ToyWorkbench
from dlm.training import checkpoints
from dlm.training.run import Observer, TrainOptions, train
from dlm.training.stopping import Stopped

pytestmark = pytest.mark.usefixtures("plugins")
STEPS = TrainOptions(max_steps=16)
ON = TrainOptions(resume=True)


def store_of(home):
    return Store(home, "01J0000000000000000000000A")


def weights(report):
    return (report.path / "adapter_model.safetensors").read_bytes()


class Halts(Observer):
    """Does something after a step, and remembers what was said and made."""

    def __init__(self, step=None, what=None):
        self.step, self.what, self.lines, self.made, self.found, self.previews = step, what, [], [], [], []

    def say(self, line):
        self.lines.append(line)

    def planned(self, preview):
        self.previews.append(preview)

    def stepped(self, event):
        self.made.append(event.step)
        if event.step == self.step:
            self.what()

    def evaluated(self, event):
        self.found.append(event.step)


def fails():
    raise ZeroDivisionError("a bug")


def asks(number):
    return lambda: os.kill(os.getpid(), number)


def test_a_failed_run_goes_on_from_its_last_evaluation_to_the_same_weights(home, write):
    path = write()
    whole = train(path, options=STEPS)
    with pytest.raises(ZeroDivisionError):
        train(path, options=STEPS, observer=Halts(9, fails))
    assert store_of(home).checkpoint().moment == checkpoint.Moment(2, 1, 8)
    watching = Halts()
    resumed = train(path, options=ON, observer=watching)
    assert weights(resumed) == weights(whole)
    assert watching.made == list(range(9, 17)), "steps are neither made twice nor left out"
    assert watching.found[0] > 8
    for name in ("steps", "best_step", "held_out_before", "held_out_best", "final_loss", "tokens"):
        assert getattr(resumed.outcome, name) == getattr(whole.outcome, name), name
    assert watching.previews[0].plan.steps != whole.plan.steps, "the plan is the one that was revised on the way"


def test_every_moment_to_stop_at_leads_to_the_same_weights(home, write):
    path = write("training:\n  lr_scheduler: cosine")
    options = replace(STEPS, max_steps=6)
    whole = weights(train(path, options=options))
    for step in range(2, 7):
        with pytest.raises(Stopped, match=f"stopped after step {step} of 6: go on with `dlm train {path} --resume`"):
            train(path, options=options, observer=Halts(step, asks(signal.SIGTERM)))
        assert store_of(home).checkpoint().moment.step == step
        assert weights(train(path, options=ON)) == whole


def test_a_run_may_be_stopped_again_and_again(home, write):
    path = write()
    whole = weights(train(path, options=STEPS))
    with pytest.raises(Stopped):
        train(path, options=STEPS, observer=Halts(3, asks(signal.SIGINT)))
    for step in (5, 7, 11):
        with pytest.raises(Stopped):
            train(path, options=ON, observer=Halts(step, asks(signal.SIGINT)))
        assert len(list(store_of(home).layout.checkpoints.iterdir())) == 1, "one is kept"
    assert weights(train(path, options=ON)) == whole
    runs = store_of(home).manifest().training_runs
    assert [run.status for run in runs] == ["ok", "cancelled", "cancelled", "cancelled", "cancelled", "ok"]
    assert [run.resumed_from for run in runs] == [None, None, 2, 3, 4, 5]


def test_a_signal_is_told_apart_from_the_keyboard(home, write):
    path = write()
    with pytest.raises(Stopped) as by_signal:
        train(path, options=STEPS, observer=Halts(3, asks(signal.SIGTERM)))
    with pytest.raises(Stopped) as by_hand:
        train(path, options=STEPS, observer=Halts(3, asks(signal.SIGINT)))
    assert (by_signal.value.exit_code, by_hand.value.exit_code) == (143, 130)
    said = [run.message for run in store_of(home).manifest().training_runs]
    assert said == ["stopped by SIGTERM", "stopped from the keyboard"]
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_who_asks_twice_does_not_wait(home, write):
    def twice():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    path = write()
    with pytest.raises(Stopped, match="at once"):
        train(path, options=STEPS, observer=Halts(5, twice))
    assert store_of(home).checkpoint().moment.step == 4


def test_a_run_that_ended_leaves_no_checkpoint_and_nothing_to_go_on_with(home, write):
    path = write()
    train(path, options=STEPS)
    assert not store_of(home).layout.checkpoints.exists()
    with pytest.raises(NotTrained, match=f"start one with `dlm train {path}`"):
        train(path, options=ON)


def test_a_plain_training_says_that_it_could_go_on_and_begins_anew(home, write):
    path = write()
    with pytest.raises(ZeroDivisionError):
        train(path, options=STEPS, observer=Halts(9, fails))
    watching = Halts()
    report = train(path, options=STEPS, observer=watching)
    assert f"run 1 was stopped after step 8 of 16: `dlm train {path} --resume`" in "\n".join(watching.lines)
    assert watching.made[0] == 1
    assert report.resumed_from is None
    assert store_of(home).checkpoint() is None


def test_the_options_of_the_stopped_run_are_taken_and_others_refused(home, write):
    path = write()
    options = TrainOptions(seed=3, max_steps=16)
    with pytest.raises(ZeroDivisionError):
        train(path, options=options, observer=Halts(9, fails))
    with pytest.raises(TrainingRefused, match=r"--max-steps 12 \(it had 16\), --effort quick \(it had none\)"):
        train(path, options=replace(ON, max_steps=12, effort="quick"))
    report = train(path, options=replace(ON, max_steps=16))
    assert (report.plan.recipe.seed, len(report.plan.steps)) == (3, 16)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda text: text.replace("cellar", "attic"), "the document was edited"),
        (lambda text: text.replace("# Lamp\n", "# Lamp\n\nIt is old.\n"), "the document was edited"),
        (
            lambda text: text.replace("dlm_version: 15", "dlm_version: 15\ntraining: {lora_r: 4}"),
            "training.lora_r was 16",
        ),
    ],
)
def test_a_run_whose_ingredients_changed_is_refused_with_what_changed(home, write, change, reason):
    path = write()
    with pytest.raises(ZeroDivisionError):
        train(path, options=STEPS, observer=Halts(9, fails))
    text = path.read_text(encoding="utf-8")
    path.write_text(change(text), encoding="utf-8")
    with pytest.raises(TrainingRefused, match=reason) as caught:
        train(path, options=ON)
    assert f"start anew: `dlm train {path}`" in str(caught.value)
    path.write_text(text, encoding="utf-8")
    assert train(path, options=ON).version == 1, "what was put back goes on"


def test_other_libraries_and_another_base_are_named(home, write, monkeypatch):
    path = write()
    with pytest.raises(ZeroDivisionError):
        train(path, options=STEPS, observer=Halts(9, fails))
    from dlm.training import summary

    versions = summary.installed_versions() | {"torch": "99.1"}
    with monkeypatch.context() as patched:
        patched.setattr(summary, "installed_versions", lambda: versions)
        with pytest.raises(TrainingRefused, match=r"torch was .* and is 99\.1: `pip (un)?install torch"):
            train(path, options=ON)
    base = Path(path.read_text(encoding="utf-8").split("base_model: path:")[1].splitlines()[0])
    (base / "config.json").write_text(json.dumps({"model_type": "toy", "name": "other"}), encoding="utf-8")
    with pytest.raises(TrainingRefused, match="the base was"):
        train(path, options=ON)


def test_a_damaged_checkpoint_is_refused_before_anything_is_planned(home, write):
    path = write()
    with pytest.raises(ZeroDivisionError):
        train(path, options=STEPS, observer=Halts(9, fails))
    file = store_of(home).checkpoint().path / "state.json"
    file.write_bytes(file.read_bytes().replace(b"1", b"2"))
    watching = Halts()
    with pytest.raises(StoreError, match=r"state\.json is damaged.* `dlm train DOC`"):
        train(path, options=ON, observer=watching)
    assert watching.previews == []


def test_text_that_is_forgotten_takes_the_checkpoint_with_it(home, write):
    from dlm.corpus.forgetting import find, forget
    from dlm.document import read

    path = write()
    train(path, options=STEPS)
    with pytest.raises(ZeroDivisionError):
        train(path, options=STEPS, observer=Halts(9, fails))
    store, document = store_of(home), read(path)
    forget(store, document, find(document, store.ledger(), [document.sections[1].id]), "2026-11-05T12:00:00Z")
    assert not store.layout.checkpoints.exists()


def test_a_disk_without_room_for_a_checkpoint_does_not_end_the_run(home, write, monkeypatch):
    def full(*_: object) -> None:
        raise StoreError("no space left to write it")

    monkeypatch.setattr(checkpoint, "write", full)
    watching = Halts()
    assert train(write(), options=STEPS, observer=watching).version == 1
    assert [line for line in watching.lines if "no space left" in line] == [
        "the run goes on, but if it is stopped it must start anew: no space left to write it"
    ]


def test_steps_between_distant_evaluations_are_not_lost(home, write, monkeypatch):
    monkeypatch.setattr(checkpoints, "PATIENCE", 0.0)
    with pytest.raises(ZeroDivisionError):
        train(write(), options=STEPS, observer=Halts(10, fails))
    assert store_of(home).checkpoint().moment.step == 9


def test_a_version_that_could_not_be_stored_is_had_without_training_again(home, write, monkeypatch):
    path = write()

    def full(self, folder):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(ToyWorkbench, "save", full)
        with pytest.raises(StoreError, match="no space left"):
            train(path, options=STEPS)
    watching = Halts()
    report = train(path, options=ON, observer=watching)
    assert watching.made == []
    assert weights(report) == weights(train(path, options=STEPS))


def test_a_warm_run_goes_on_as_a_warm_run(home, write):
    path = write()
    warm = replace(STEPS, warm=True)
    train(path, options=STEPS)
    copy = home.parent / "copy"
    subprocess.run(["cp", "-r", home, copy], check=True)
    with pytest.raises(ZeroDivisionError):
        train(path, options=warm, observer=Halts(9, fails))
    resumed = train(path, options=ON)
    assert resumed.warm_from == 1
    assert weights(resumed) == weights(train(path, options=warm, home=copy))


def test_the_log_and_the_version_say_what_was_gone_on_from(home, write):
    path = write()
    with pytest.raises(ZeroDivisionError):
        train(path, options=STEPS, observer=Halts(9, fails))
    report = train(path, options=ON)
    facts = json.loads((report.path / "version.json").read_text(encoding="utf-8"))
    assert (facts["resumed_from"], facts["resumed_at_step"], report.resumed_from) == (1, 8, 1)
    (log,) = store_of(home).layout.logs.glob("train-000002-*.jsonl")
    assert json.loads(log.read_text(encoding="utf-8").splitlines()[0])["resumed_from"] == 1


def test_both_ways_at_once_are_a_usage_error(write):
    from click.testing import CliRunner

    from dlm.cli.main import main

    result = CliRunner().invoke(main, ["train", str(write()), "--resume", "--fresh"])
    assert result.exit_code == UsageProblem.exit_code
    assert "give one of them" in result.stderr


KILLED = """
import os, signal, sys
from dlm.testing import only_plugins
from dlm.testing.toy import ToyPlugin
from dlm.training.run import Observer, TrainOptions, train

class Dies(Observer):
    def stepped(self, event):
        if event.step == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)

with only_plugins(ToyPlugin()):
    train(sys.argv[1], options=TrainOptions(max_steps=16), observer=Dies())
"""


def test_a_run_that_was_killed_goes_on_in_another_process(home, write):
    path = write()
    whole = weights(train(path, options=STEPS))
    killed = subprocess.run([sys.executable, "-c", KILLED, path, "12"], env={**os.environ, "DLM_HOME": str(home)})
    assert killed.returncode == -signal.SIGKILL
    watching = Halts()
    assert weights(train(path, options=ON, observer=watching)) == whole
    assert watching.made[0] == 11
    assert [run.status for run in store_of(home).manifest().training_runs] == ["ok", "failed", "ok"]
