"""The whole flow with the toy backend: real training, real store, no torch."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

import dlm
from dlm.document import read
from dlm.errors import DocumentError, NonFiniteWeights, NotTrained, StoreLocked, TrainingRefused
from dlm.hookspecs import hookimpl
from dlm.store import Store
from dlm.testing.toy import ToyBackend, ToyWorkbench
from dlm.training.run import Observer, TrainOptions, train

pytestmark = pytest.mark.usefixtures("plugins")
FEW = TrainOptions(max_steps=8)
CONTRACTS = Path(__file__).parents[3] / "contracts"


def store_of(home):
    return Store(home, "01J0000000000000000000000A")


def log_of(home, run=1):
    (path,) = (home / "store").glob(f"*/logs/train-{run:06d}-*.jsonl")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def last_run(home):
    return store_of(home).manifest().training_runs[-1]


def test_a_run_learns_and_commits_a_version(home, write):
    path = write()
    report = dlm.train(path, options=TrainOptions(max_steps=150))
    assert report.outcome.held_out_best < report.outcome.held_out_before - 0.3
    current = store_of(home).current()
    assert (current.number, current.path) == (report.version, report.path) == (1, report.path)
    facts = current.facts
    assert facts["document_digest"] == read(path).digest
    assert facts["section_ids"] == [section.id for section in read(path).sections]
    assert facts["base"]["digest"] == report.base.digest
    assert facts["recipe"]["max_steps"] == 150
    assert facts["outcome"]["held_out_best"] == report.outcome.held_out_best
    assert facts["versions"]["dlm"]
    assert facts["plan"]["tokens"] == report.plan.tokens
    # The rest of the plan is drawn anew for what is still wrong.
    assert report.outcome.tokens == pytest.approx(report.plan.tokens, rel=0.1)


def test_the_log_tells_the_run_from_banner_to_end(home, write):
    train(write(), options=FEW)
    log = log_of(home)
    types = [record["type"] for record in log]
    assert types[0] == "banner"
    assert types[-1] == "run_complete"
    assert types.count("step") == 8
    assert types.count("evaluation") >= 2
    assert log[-1]["status"] == "ok"
    assert log[-1]["adapter_version"] == 1
    assert all(record["timestamp"].endswith("Z") for record in log)


def test_every_line_of_the_log_obeys_the_published_schema(home, write):
    schema = json.loads((CONTRACTS / "train-log.schema.json").read_text(encoding="utf-8"))
    train(write(), options=FEW)
    with pytest.raises(NonFiniteWeights):
        train(write("training:\n  learning_rate: 1.0e+308\n  warmup_ratio: 0.0"), options=FEW)
    for run in (1, 2):
        for record in log_of(home, run):
            jsonschema.validate(record, schema)


def test_the_same_document_and_seed_give_the_same_weights(home, write):
    path = write()
    first, second = (train(path, options=FEW) for _ in range(2))
    assert (first.version, second.version) == (1, 2)
    weights = [(report.path / "adapter_model.safetensors").read_bytes() for report in (first, second)]
    assert weights[0] == weights[1]
    other = train(path, options=TrainOptions(seed=1, max_steps=8))
    assert (other.path / "adapter_model.safetensors").read_bytes() != weights[0]


class Locks(Observer):
    """Tries the store's lock as another process would, at two moments."""

    def __init__(self, home):
        self.home, self.found = home, {}

    def planned(self, preview):
        self.found["planned"] = (self._free(), ToyBackend.loaded.total())

    def stepped(self, event):
        self.found["stepped"] = (self._free(), ToyBackend.loaded.total())

    def _free(self):
        try:
            with store_of(self.home).lock("look"):
                return True
        except StoreLocked:
            return False


def test_the_plan_is_shown_first_and_the_lock_is_held_before_weights_are_loaded(home, write):
    train(write(), options=FEW)  # the base is asked its general questions once
    ToyBackend.loaded.clear()
    observer = Locks(home)
    train(write(), options=FEW, observer=observer)
    assert observer.found == {"planned": (True, 0), "stepped": (False, 1)}


def test_a_locked_store_is_left_alone_and_no_weights_are_loaded(home, write):
    path = write()
    ToyBackend.loaded.clear()
    with store_of(home).lock("train"), pytest.raises(StoreLocked, match="dlm train"):
        train(path, options=FEW)
    assert ToyBackend.loaded.total() == 0
    assert store_of(home).current() is None


def test_weights_that_are_not_finite_are_rejected_and_the_old_version_stays(home, write):
    train(write(), options=FEW)
    bad = write("training:\n  learning_rate: 1.0e+308\n  warmup_ratio: 0.0")
    with pytest.raises(NonFiniteWeights, match="learning_rate") as caught:
        train(bad, options=FEW)
    assert caught.value.exit_code == 1
    assert store_of(home).current().number == 1
    assert [path.name for path in store_of(home).contents().rejected] == ["v0002-rejected"]
    assert last_run(home).status == "rejected"
    assert log_of(home, run=2)[-1]["status"] == "rejected"
    assert train(write(), options=FEW).version == 3


class StopsAt(Observer):
    def __init__(self, step, problem):
        self.step, self.problem = step, problem

    def stepped(self, event):
        if event.step == self.step:
            raise self.problem


@pytest.mark.parametrize(
    ("problem", "status"), [(KeyboardInterrupt(), "cancelled"), (ZeroDivisionError("a bug"), "failed")]
)
def test_a_run_that_is_cut_short_leaves_the_old_version_and_says_how_it_ended(home, write, problem, status):
    path = write()
    train(path, options=FEW)
    with pytest.raises(type(problem)):
        train(path, options=FEW, observer=StopsAt(3, problem))
    assert store_of(home).current().number == 1
    assert last_run(home).status == status
    assert log_of(home, run=2)[-1]["status"] == status
    assert [record["type"] for record in log_of(home, run=2)].count("step") == 3
    assert train(path, options=FEW).version == 2


def test_a_backend_that_fails_ends_the_run_as_failed(home, write, monkeypatch):
    def fail(self, folder):
        raise OSError("the disk caught fire")

    monkeypatch.setattr(ToyWorkbench, "save", fail)
    with pytest.raises(OSError, match="caught fire"):
        train(write(), options=FEW)
    assert store_of(home).current() is None
    assert last_run(home).status == "failed"
    assert "caught fire" in last_run(home).message


class Refuses:
    def __init__(self, *reasons):
        self.reasons = reasons

    @hookimpl
    def dlm_refuse_training(self, plan):
        assert plan.steps
        return self.reasons


def test_every_reason_to_refuse_is_shown_and_nothing_is_written(home, write, plugins):
    plugins.register(Refuses("it is Friday: wait for Monday", "too hot: open a window"))
    plugins.register(Refuses("the disk is old: buy another"))
    plugins.register(Refuses())
    with pytest.raises(TrainingRefused) as caught:
        train(write(), options=FEW)
    for reason in ("Friday", "window", "disk is old"):
        assert reason in str(caught.value)
    assert not (home / "store").exists()


class Watches:
    def __init__(self):
        self.events = []

    @hookimpl
    def dlm_training_started(self, plan):
        self.events.append("started")

    @hookimpl
    def dlm_step_logged(self, event):
        self.events.append(event.step)

    @hookimpl
    def dlm_training_finished(self, event):
        self.events.append(event.status)


class Breaks:
    @hookimpl
    def dlm_step_logged(self, event):
        raise ValueError("cannot draw")


class Hears(Observer):
    def __init__(self):
        self.lines = []

    def say(self, line):
        self.lines.append(line)


def test_observers_hear_of_everything_and_a_broken_one_is_muted(home, write, plugins):
    watching, hearing = Watches(), Hears()
    plugins.register(Breaks(), name="breaks")
    plugins.register(watching)
    report = train(write(), options=FEW, observer=hearing)
    assert watching.events == ["started", *range(1, 9), "ok"]
    assert report.version == 1
    assert len([line for line in hearing.lines if "cannot draw" in line]) == 1


@pytest.mark.parametrize("optimizer", ["galore_adamw"])
def test_what_this_version_does_not_do_stops_the_run_before_the_base_is_looked_for(home, write, optimizer):
    path = write(f"training:\n  optimizer: {optimizer}")
    path.write_text(path.read_text(encoding="utf-8").replace("base_model: path:", "base_model: path:/nowhere"))
    with pytest.raises(DocumentError, match=f"{path.name}:6:"):
        train(path)
    assert not home.exists()


def test_a_document_of_probes_only_is_refused_with_a_way_out(home, write):
    path = write()
    head, _, rest = path.read_text(encoding="utf-8").partition("# Lamp")
    path.write_text(head + "::instruction::" + rest.partition("Ada Hale built the lamp.")[2], encoding="utf-8")
    with pytest.raises((TrainingRefused, DocumentError), match="train"):
        train(path)
    assert not (home / "store").exists()


def test_asking_before_training_says_what_to_run(home, write):
    path = write()
    with pytest.raises(NotTrained, match=f"dlm train {path}"):
        list(dlm.ask(path, ["Who?"]))
    assert not home.exists()


def test_a_relative_base_folder_is_looked_up_beside_the_document(home, write, monkeypatch, tmp_path):
    path = write()
    text = path.read_text(encoding="utf-8")
    base = next(line.split("path:")[1].strip() for line in text.splitlines() if line.startswith("base_model"))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    path.with_name("beside").symlink_to(base, target_is_directory=True)
    path.write_text(text.replace(f"path:{base}", "path:beside"), encoding="utf-8")
    assert train(path, options=FEW).base.path == path.with_name("beside")
