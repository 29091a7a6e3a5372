"""Named adapters through the whole flow, with the toy backend: one run, one version, each trained from its own view."""

from __future__ import annotations

import json
import os
import signal

import pytest
from click.testing import CliRunner

from dlm.cli.main import main
from dlm.document import read
from dlm.document.routing import view
from dlm.errors import (
    DocumentError,
    LockViolated,
    NotTrained,
    NoWarmStart,
    StoreError,
    TrainingDiverged,
    TrainingRefused,
    UsageProblem,
)
from dlm.locking.guard import Unchanged
from dlm.store import Store, finished
from dlm.testing.toy import ToyWorkbench
from dlm.training.run import Observer, TrainOptions, train, train_if_changed
from dlm.training.stopping import Stopped

pytestmark = pytest.mark.usefixtures("plugins")
STEPS = TrainOptions(max_steps=12)
ON = TrainOptions(resume=True)
NAMES = ("plans", "code")
TWO = "training:\n  adapters:\n    plans: {lora_r: 4}\n    code: {learning_rate: 2.0e-3}"
MORE = """
::instruction#code::
### Q
What does the switch do?
### A
It turns the lamp on.
"""


def weights(report, name):
    return (report.path / "adapters" / name / "adapter_model.safetensors").read_bytes()


def facts(report):
    return json.loads((report.path / "version.json").read_text())


def pairs(plan):
    """The questions as they are written."""
    return {one.messages[0].content for one in plan.records if one.kind == "qa"}


def store_of(home):
    return Store(home, "01J0000000000000000000000A")


@pytest.fixture
def team(write):
    """``team(more="...")`` writes the lamp with two adapters, the second with a question of its own."""

    def make(more=TWO, extra=MORE):
        path = write(more)
        path.write_text(path.read_text() + extra, encoding="utf-8")
        return path

    return make


class Watches(Observer):
    """Does something at a step of the second adapter, and remembers."""

    def __init__(self, step=None, what=None, phase=2):
        self.step, self.what, self.phase = step, what, phase
        self.lines, self.made, self.phases, self.previews = [], [], [], []

    def say(self, line):
        self.lines.append(line)

    def planned(self, preview):
        self.previews.append(preview)

    def phase_started(self, plan, number, of):
        self.phases.append((plan.adapter, plan.phase, number, of))

    def stepped(self, event):
        self.made.append(event.step)
        if event.step == self.step and self.phases[-1][2] == self.phase:
            self.what()


def fails():
    raise ZeroDivisionError("a bug")


def test_every_adapter_is_trained_from_its_own_sections_by_its_own_numbers(team) -> None:
    watching = Watches()
    path = team()
    report = train(path, options=STEPS, observer=watching)
    assert watching.phases == [("plans", "sft", 1, 2), ("code", "sft", 2, 2)]
    plans, code = report.plans
    assert (plans.recipe.rank, plans.recipe.alpha, code.recipe.rank, code.recipe.learning_rate) == (4, 8, 16, 2e-3)
    asked = {plan.adapter: pairs(plan) for plan in report.plans}
    assert asked == {"plans": {"Who built the lamp?"}, "code": {"What does the switch do?"}}
    assert all(any(one.kind == "prose" for one in plan.records) for plan in report.plans), "prose trains both"
    known = facts(report)["adapters"]
    assert [known[name]["number"] for name in NAMES] == [1, 2]
    for name in NAMES:
        assert known[name]["recipe"]["rank"] == {"plans": 4, "code": 16}[name]
        assert known[name]["section_ids"] == [section.id for section in view(read(path), name).sections]
        assert known[name]["outcome"]["steps"] == 12
    assert {one["adapter"] for one in facts(report)["phases"]} == set(NAMES)


def test_an_adapter_is_trained_as_if_it_were_alone(team, write) -> None:
    """Nothing of the others reaches it: the weights are those of a document of its sections alone."""
    together = train(team(), options=STEPS)
    text = "---\n" + write("training:\n  lora_r: 4", name="alone.dlm").read_text().split("---\n", 1)[1]
    alone = write(name="alone.dlm")
    alone.write_text(text, encoding="utf-8")
    assert weights(together, "plans") == (train(alone, options=STEPS).path / "adapter_model.safetensors").read_bytes()


def test_a_document_without_adapters_makes_the_version_it_always_made(write) -> None:
    report = train(write(), options=STEPS)
    assert sorted(path.name for path in report.path.iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
        "dlm.lock",
        "heard.bin",
        "version.json",
    ]
    assert "adapters" not in facts(report)
    assert "adapters" not in json.loads((report.path / "dlm.lock").read_text())
    assert '"adapter":' not in "".join(log.read_text() for log in report.path.parents[2].glob("logs/*.jsonl")).replace(
        '"adapter": "lora"', ""
    )


@pytest.mark.parametrize("step", [1, 2, 5, 11])
def test_a_run_that_is_stopped_in_the_second_adapter_keeps_the_first(team, home, step) -> None:
    path = team()
    whole = train(path, options=STEPS)
    with pytest.raises(Stopped, match="go on with" if step > 1 else "at once|go on"):
        train(path, options=STEPS, observer=Watches(step, lambda: os.kill(os.getpid(), signal.SIGTERM)))
    watching = Watches()
    resumed = train(path, options=ON, observer=watching)
    assert watching.phases == [("code", "sft", 2, 2)], "the first adapter is not trained again"
    assert {name: weights(resumed, name) for name in NAMES} == {name: weights(whole, name) for name in NAMES}
    assert not store_of(home).layout.checkpoints.exists()
    told, told_whole = facts(resumed), facts(whole)
    for name in NAMES:
        for key in ("recipe", "groups", "section_ids"):
            assert told["adapters"][name][key] == told_whole["adapters"][name][key]


def test_a_run_may_be_stopped_again_and_again(team, home) -> None:
    path = team()
    whole = train(path, options=STEPS)
    with pytest.raises(ZeroDivisionError):
        train(path, options=STEPS, observer=Watches(9, fails, phase=1))
    with pytest.raises(Stopped):
        train(path, options=ON, observer=Watches(4, lambda: os.kill(os.getpid(), signal.SIGINT)))
    kept = sorted(folder.name for folder in store_of(home).layout.checkpoints.iterdir())
    assert kept == ["run-000003.adapter-plans", "run-000003.phase-2.step-000004"]
    with pytest.raises(Stopped):
        train(path, options=ON, observer=Watches(7, lambda: os.kill(os.getpid(), signal.SIGINT)))
    resumed = train(path, options=ON)
    assert {name: weights(resumed, name) for name in NAMES} == {name: weights(whole, name) for name in NAMES}


def test_what_a_finished_adapter_lies_in_is_checked_before_the_run_goes_on(team, home) -> None:
    path = team()
    with pytest.raises(ZeroDivisionError):
        train(path, options=STEPS, observer=Watches(9, fails))
    layout = store_of(home).layout
    (layout.checkpoints / "run-000001.adapter-plans" / "adapter_model.safetensors").write_bytes(b"other")
    with pytest.raises(StoreError, match="adapter-plans is damaged: the run cannot go on from there"):
        train(path, options=ON)
    report = train(path, options=STEPS)
    assert report.version == 1
    assert not layout.checkpoints.exists()


def test_a_new_run_leaves_no_adapter_of_a_stopped_one_behind(team, home) -> None:
    path = team()
    with pytest.raises(ZeroDivisionError):
        train(path, options=STEPS, observer=Watches(9, fails))
    with pytest.raises(ZeroDivisionError):
        train(path, options=STEPS, observer=Watches(9, fails, phase=1))
    layout = store_of(home).layout
    assert [folder.name for folder in layout.checkpoints.iterdir()] == ["run-000002.phase-1.step-000008"]
    assert finished.unneeded(layout, None) == []


def test_a_stopped_run_does_not_go_on_with_other_numbers_of_an_adapter(team) -> None:
    path = team()
    with pytest.raises(ZeroDivisionError):
        train(path, options=STEPS, observer=Watches(9, fails))
    path = team(TWO.replace("lora_r: 4", "lora_r: 8"))
    with pytest.raises(TrainingRefused, match="the document was edited"):
        train(path, options=ON)
    with pytest.raises(TrainingRefused, match=r"not with --adapter code \(it had none\)"):
        train(team(), options=TrainOptions(resume=True, adapter="code"))


def test_one_adapter_is_trained_and_the_others_are_taken_over(team, home) -> None:
    path = team()
    first = train(path, options=STEPS)
    watching = Watches()
    second = train(path, options=TrainOptions(max_steps=9, adapter="code"), observer=watching)
    assert [phase[0] for phase in watching.phases] == ["code"]
    assert weights(second, "plans") == weights(first, "plans")
    assert weights(second, "code") != weights(first, "code")
    known = facts(second)["adapters"]
    assert known["plans"]["trained_in"] == 1
    assert "trained_in" not in known["code"]
    assert known["plans"]["number"] == 1
    store_of(home).current().verify()
    third = train(path, options=TrainOptions(max_steps=9, adapter="code", seed=7))
    assert facts(third)["adapters"]["plans"]["trained_in"] == 1, "where it was trained, not where it was copied from"


def test_taking_over_tells_what_the_others_do_not_know(team) -> None:
    path = team()
    train(path, options=STEPS)
    path.write_text(path.read_text().replace("turns the lamp on", "turns the lamp off"), encoding="utf-8")
    watching = Watches()
    train(path, options=TrainOptions(max_steps=9, adapter="plans"), observer=watching)
    (note,) = [line for line in watching.lines if "taken over" in line and line.startswith("note")]
    assert "code is taken over as it is in v0001, and 1 of its sections are new or edited, 1 gone" in note


@pytest.mark.parametrize(
    ("more", "before", "name", "says"),
    [
        (TWO, None, "code", r"has no version to take plans over from: train all of them once with `dlm train"),
        (TWO, "", "code", r"v0001 has no adapter plans to take over"),
        (TWO, TWO, "cod", r"has no adapter 'cod': did you mean code"),
        ("", "", "code", r"names no adapters"),
    ],
)
def test_an_adapter_that_cannot_be_trained_alone_is_refused_with_the_way_out(team, more, before, name, says) -> None:
    if before is not None:
        train(team(before, "" if not before else MORE), options=STEPS)
    path = team(more, MORE if more else "")
    with pytest.raises((NotTrained, UsageProblem), match=says):
        train(path, options=TrainOptions(adapter=name))


def test_an_unchanged_document_is_not_trained_again_and_a_rerouted_section_is_a_change(team) -> None:
    path = team()
    train_if_changed(path, options=STEPS)
    assert isinstance(train_if_changed(path, options=STEPS), Unchanged)
    text = path.read_text()
    path.write_text(text.replace("::instruction::", "::instruction#code::"), encoding="utf-8")
    report = train_if_changed(path, options=STEPS)
    assert not isinstance(report, Unchanged)
    assert report.material.change.edited, "its id is another one, since the adapter is part of it"
    assert isinstance(train_if_changed(path, options=STEPS), Unchanged)
    # The first one declared learns what names none: another order routes, and changes no section's id.
    swapped = "training:\n  adapters:\n    code: {learning_rate: 2.0e-3}\n    plans: {lora_r: 4}"
    path.write_text(text.replace(TWO, swapped), encoding="utf-8")
    report = train_if_changed(path, options=STEPS)
    assert not isinstance(report, Unchanged)
    assert [plan.adapter for plan in report.plans] == ["code", "plans"]
    assert "Ada Hale built the lamp." in {turn.content for one in report.plans[0].records for turn in one.messages}


def test_after_one_adapter_alone_a_plain_training_trains_all(team) -> None:
    path = team()
    train_if_changed(path, options=STEPS)
    only = TrainOptions(max_steps=12, adapter="code")
    assert not isinstance(train_if_changed(path, options=only), Unchanged)
    assert isinstance(train_if_changed(path, options=only), Unchanged)
    assert not isinstance(train_if_changed(path, options=STEPS), Unchanged)


def test_the_lock_knows_each_adapter(team) -> None:
    path = team()
    report = train(path, options=STEPS)
    lock = json.loads((report.path / "dlm.lock").read_text())
    assert lock["lora"] == {}
    assert (lock["adapters"]["plans"]["rank"], lock["adapters"]["code"]["rank"]) == (4, 16)
    assert lock["adapters"]["code"]["learning_rate"] == 2e-3
    path = team(TWO.replace("lora_r: 4", "lora_r: 8"))
    with pytest.raises(LockViolated, match=r"adapter plans\.rank was 4 and is 8"):
        train(path, options=TrainOptions(max_steps=12, lock="strict"))
    train(path, options=TrainOptions(max_steps=12, lock="strict", adapter="code"))
    with pytest.raises(LockViolated, match=r"adapter plans\.rank was 4 and is 8"):
        train(path, options=TrainOptions(max_steps=12, lock="strict"))


def test_nothing_is_trained_for_an_adapter_without_a_section(team) -> None:
    path = team(extra="")
    text = path.read_text().split("# Lamp")[0] + "::instruction::\n### Q\nWho?\n### A\nAda.\n"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DocumentError, match=r"lamp\.dlm:\d+:5: no section trains the adapter `code`"):
        train(path, options=STEPS)


def test_a_second_adapter_that_diverges_keeps_all_that_was_trained_aside(team, home, monkeypatch) -> None:
    path = team()
    train(path, options=STEPS)
    save, benches = ToyWorkbench.train, []

    def wild(self, plan, *rest):
        benches.append(plan.adapter)
        outcome = save(self, plan, *rest)
        if plan.adapter == "code":
            from dataclasses import replace

            return replace(outcome, held_out_best=outcome.held_out_before + 2, held_out_recall=0.0)
        return outcome

    monkeypatch.setattr(ToyWorkbench, "train", wild)
    with pytest.raises(TrainingDiverged, match=r"training\.adapters\.code\.learning_rate \(it was 0\.002\)"):
        train(path, options=TrainOptions(max_steps=9))
    store = store_of(home)
    assert store.current().number == 1
    (aside,) = store.contents().rejected
    assert sorted(folder.name for folder in (aside / "adapters").iterdir()) == ["code", "plans"]
    assert not store.layout.checkpoints.exists()


def test_a_warm_run_goes_on_from_each_adapters_own_weights(team, write, home) -> None:
    path = team()
    train(path, options=STEPS)
    loaded = []
    begin = ToyWorkbench.train

    def notes(self, plan, on_step, on_evaluation, revise, start, checkpoints):
        loaded.append((plan.adapter, start))
        return begin(self, plan, on_step, on_evaluation, revise, start, checkpoints)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ToyWorkbench, "train", notes)
        report = train(path, options=TrainOptions(max_steps=5, warm=True))
    first = store_of(home).version(1)
    assert loaded == [(name, first.folder_of(name)) for name in NAMES]
    assert report.warm_from == 1
    with pytest.raises(NoWarmStart, match="it has the adapters plans, code, and the document names none"):
        train(write(), options=TrainOptions(warm=True))


def test_a_warm_run_cannot_unlearn_what_another_adapter_learns_now(team) -> None:
    path = team()
    train(path, options=STEPS)
    text = path.read_text()
    path.write_text(text.replace("::instruction::", "::prose#plans::\nMore.\n\n::instruction#code::"), encoding="utf-8")
    with pytest.raises(NoWarmStart, match="removed since v0001, and a warm run unlearns nothing"):
        train(path, options=TrainOptions(max_steps=5, warm=True))


def test_every_adapters_steps_are_told_in_the_log(team) -> None:
    report = train(team(), options=STEPS)
    (log,) = report.path.parents[2].glob("logs/train-*.jsonl")
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(one["adapter"], one["number"]) for one in lines if one["type"] == "phase_start"] == [
        ("plans", 1),
        ("code", 2),
    ]
    steps = [one["adapter"] for one in lines if one["type"] == "step"]
    assert steps == ["plans"] * 12 + ["code"] * 12
    summary = json.loads(log.with_suffix(".summary.json").read_text())
    assert [one["adapter"] for one in summary["phases"]] == list(NAMES)


def test_the_command_line_shows_each_adapter_in_80_columns(team) -> None:
    path = team()

    def run(*more):
        result = CliRunner().invoke(main, ["train", str(path), "--no-report", "--max-steps", "6", *more])
        assert result.exit_code == 0, result.output
        return result.stdout

    shown = run()
    assert "adapter    plans, lora of rank 4\n" in shown
    assert "adapter code, phase 2 of 2: sft\n" in shown
    assert "adapter        code\n" in shown
    shown = run("--adapter", "code", "--force")
    assert "taken over plans, as in v0001\n" in shown
    assert all(len(line) <= 80 or str(path) in line or "/" in line for line in shown.splitlines())
    told = json.loads(run("--adapter", "plans", "--force", "--json"))
    assert [one["adapter"] for one in told["phases"]] == ["plans"]


def test_show_and_versions_name_each_adapter(team) -> None:
    path = team()
    train(path, options=STEPS)
    train(path, options=TrainOptions(max_steps=9, adapter="code"))

    def run(*arguments):
        result = CliRunner().invoke(main, [arguments[0], str(path), *arguments[1:]])
        assert result.exit_code == 0, result.output
        return result.stdout

    shown = run("show")
    assert "adapters   plans (2 of the sections), code (2 of the sections)" in shown
    assert "plans: loss" in shown
    assert "taken over from v0001" in shown
    listed = run("versions")
    lines = [line.split() for line in listed.splitlines()]
    assert [line[0] for line in lines if line[0] in NAMES] == [*NAMES, *NAMES]
    (taken,) = [line for line in listed.splitlines() if "of v0001" in line]
    assert taken.split()[0] == "plans"
    assert all(len(line) <= 80 for line in (shown + listed).splitlines() if "/" not in line)
    named = json.loads(run("show", "--json"))["named_adapters"]
    assert [(one["name"], one["trained_in"], one["latest_version"], one["has_current"]) for one in named] == [
        ("code", 2, 2, True),
        ("plans", 1, 2, True),
    ]
    (_, newest) = json.loads(run("versions", "--json"))["versions"]
    assert [(one["name"], one["trained_in"], one["steps"]) for one in newest["adapters"]] == [
        ("plans", 1, 12),
        ("code", 2, 9),
    ]
