"""Which phases a run goes through, and that several of them share one bench, one log and one version."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from dlm.corpus.records import Message, Record, StudySet
from dlm.corpus.study import ANCHOR_SHARE
from dlm.document.frontmatter import Frontmatter
from dlm.entries import PhaseEntry, SectionEntry
from dlm.errors import NotTrained, TrainingFailed, TrainingRefused, UsageProblem
from dlm.hookspecs import hookimpl
from dlm.store import Store
from dlm.testing import only_plugins
from dlm.testing.toy import ToyBackend, ToyPlugin, ToyWorkbench
from dlm.training.phases import SFT, Phase, select
from dlm.training.run import Observer, TrainOptions, train

ID = "01J0000000000000000000000A"
PLAIN = Frontmatter(dlm_id=ID, dlm_version=15, base_model="smollm2-135m")
FEW = TrainOptions(max_steps=8)


class Drill(Phase):
    """Learns ``drill`` records by heart, with half the learning rate."""

    def left_out(self, frontmatter):
        return "it was asked to be" if frontmatter.system_prompt == "no drill" else ""

    def recipe_for(self, frontmatter, recipe):
        return replace(recipe, learning_rate=recipe.learning_rate / 2)

    def with_length(self, frontmatter, recipe, study, rows):
        return replace(recipe, max_steps=min(3, recipe.max_steps or 3))


DRILL = Drill("drill", frozenset({"drill"}))


class DrillSection:
    name = "drill"
    required_attributes = optional_attributes = frozenset()

    def parse(self, content, line, report):
        return tuple(content.strip().split("\n"))

    def records(self, document, section):
        for text in section.body:
            yield Record("drill", "prefer", text, section.id, (Message("user", text), Message("assistant", text)))


DRILLS = DrillSection()


class Offers:
    @hookimpl
    def dlm_phases(self):
        yield PhaseEntry(name="drill", target=f"{__name__}:DRILL", summary="", order=200)

    @hookimpl
    def dlm_sections(self):
        yield SectionEntry(name="drill", target=f"{__name__}:DRILLS", summary="")


@pytest.fixture
def drilled(home, write, monkeypatch):
    """Phases ``sft`` and ``drill``, and a document with something for both."""
    with only_plugins(ToyPlugin(), Offers()) as manager:
        resolve = manager.resolve
        mine = {"drill": {"dlm_phases": DRILL, "dlm_sections": DRILLS}}
        monkeypatch.setattr(manager, "resolve", lambda hook, name: mine.get(name, {}).get(hook) or resolve(hook, name))
        path = write()
        path.write_text(path.read_text() + "\n::drill::\nOne two three.\nFour five six.\n")
        yield path


def record(kind, objective="answer"):
    return Record(kind, objective, kind, "", text="x")


def log_of(home, run=1):
    (path,) = (home / "store").glob(f"*/logs/train-{run:06d}-*.jsonl")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_sft_eats_every_kind_that_no_other_phase_names():
    study = StudySet((record("qa"), record("anchor", "anchor")), (), {"qa": 0.85, "anchor": 0.15})
    with only_plugins() as plugins:
        selected = select(study, plugins, PLAIN)
    assert [part.phase for part in selected.parts] == [SFT]
    assert selected.parts[0].study == study


def test_nothing_to_train_is_refused():
    with only_plugins() as plugins, pytest.raises(TrainingRefused, match="nothing to train"):
        select(StudySet((record("anchor", "anchor"),), (), {"anchor": 1.0}), plugins, PLAIN)


def test_pairs_that_no_phase_trains_are_refused_rather_than_learned_as_answers():
    study = StudySet((record("qa"), record("pair", "prefer")), (), {"qa": 1.0, "pair": 1.0})
    with only_plugins() as plugins, pytest.raises(TrainingRefused, match="no installed phase trains pair"):
        select(study, plugins, PLAIN)


def test_each_phase_gets_its_kinds_and_the_anchors_at_the_same_share(drilled):
    from dlm.plugins import manager

    shares = {"drill": 1.0, "qa": 0.6, "prose": 0.25, "anchor": ANCHOR_SHARE}
    kinds = [record("qa"), record("prose"), record("drill", "prefer"), record("anchor", "anchor")]
    study = StudySet(tuple(kinds), (record("qa"),), shares, held_out_pairs=(record("drill", "prefer"),))
    sft, drill = select(study, manager(), PLAIN).parts
    assert {one.kind for one in sft.study.train} == {"qa", "prose", "anchor"}
    assert {one.kind for one in drill.study.train} == {"drill", "anchor"}
    assert drill.study.mixture == pytest.approx({"drill": 1 - ANCHOR_SHARE, "anchor": ANCHOR_SHARE})
    assert sft.study.mixture == pytest.approx({"qa": 0.6, "prose": 0.25, "anchor": ANCHOR_SHARE})
    assert (sft.study.held_out_pairs, drill.study.held_out_pairs) == ((), study.held_out_pairs)
    assert sft.study.held_out == drill.study.held_out


class Watch(Observer):
    def __init__(self, stop_in=None):
        self.phases, self.lines, self.stop_in = [], [], stop_in

    def say(self, line):
        self.lines.append(line)

    def phase_started(self, plan, number, of):
        self.phases.append((plan.phase, number, of))

    def stepped(self, event):
        if self.phases[-1][0] == self.stop_in:
            raise ZeroDivisionError("a bug")


def test_phases_run_in_order_on_one_bench_and_commit_once(home, drilled):
    train(drilled, options=FEW)  # the base is asked its general questions once
    ToyBackend.loaded.clear()
    watch = Watch()
    report = train(drilled, options=FEW, observer=watch)
    assert watch.phases == [("sft", 1, 2), ("drill", 2, 2)]
    assert ToyBackend.loaded.total() == 1
    assert [plan.phase for plan in report.plans] == ["sft", "drill"]
    assert [plan.encodings for plan in report.plans] == [(0, 1), (2, 3)]
    assert [outcome.steps for outcome in report.outcomes] == [8, 3]
    assert report.version == 2


def test_the_second_phase_begins_where_the_first_one_ended(home, drilled):
    report = train(drilled, options=TrainOptions(max_steps=60))
    first, second = report.outcomes
    assert second.held_out_before == pytest.approx(first.held_out_best)


def test_log_version_and_summary_tell_each_phase(home, drilled):
    train(drilled, options=FEW)
    log = log_of(home)
    starts = [(line["phase"], line["number"], line["steps"]) for line in log if line["type"] == "phase_start"]
    assert starts == [("sft", 1, 8), ("drill", 2, 3)]
    facts = Store(home, ID).current().facts
    assert [(one["phase"], one["outcome"]["steps"]) for one in facts["phases"]] == [("sft", 8), ("drill", 3)]
    assert facts["plan"] == facts["phases"][0]["plan"]
    (summary,) = (home / "store").glob("*/logs/*.summary.json")
    assert [one["phase"] for one in json.loads(summary.read_text())["phases"]] == ["sft", "drill"]


def test_a_later_phase_that_fails_commits_nothing(home, drilled):
    with pytest.raises(ZeroDivisionError):
        train(drilled, options=FEW, observer=Watch(stop_in="drill"))
    assert Store(home, ID).current() is None
    assert Store(home, ID).manifest().training_runs[-1].status == "failed"


def test_a_phase_that_was_stopped_goes_on_and_ends_with_the_same_weights(home, drilled):
    whole = train(drilled, options=FEW)
    with pytest.raises(ZeroDivisionError):
        train(drilled, options=FEW, observer=StopsLate())
    watch = Watch()
    resumed = train(drilled, options=TrainOptions(resume=True), observer=watch)
    assert watch.phases == [("drill", 2, 2)]
    weights = [(report.path / "adapter_model.safetensors").read_bytes() for report in (whole, resumed)]
    assert weights[0] == weights[1]
    assert replace(resumed.outcomes[0], seconds=0) == replace(whole.outcomes[0], seconds=0)


class StopsLate(Watch):
    """Stops in the second phase, after its first checkpoint."""

    def stepped(self, event):
        if self.phases[-1][0] == "drill" and event.step == 2:
            raise ZeroDivisionError("a bug")


def test_a_document_may_leave_a_phase_out_and_that_is_said(home, drilled):
    drilled.write_text(drilled.read_text().replace("---\n# Lamp", "system_prompt: no drill\n---\n# Lamp"))
    watch = Watch()
    assert [plan.phase for plan in train(drilled, options=FEW, observer=watch).plans] == ["sft"]
    assert "2 drill records not trained: it was asked to be" in watch.lines


def test_one_phase_alone_may_be_asked_for(home, drilled):
    watch = Watch()
    first = train(drilled, options=replace(FEW, phase="sft"), observer=watch)
    assert [plan.phase for plan in first.plans] == ["sft"]
    assert "2 drill records not trained: --phase sft" in watch.lines
    second = train(drilled, options=replace(FEW, phase="drill"))
    assert [plan.phase for plan in second.plans] == ["drill"]
    assert (second.version, second.warm_from) == (2, 1)
    assert second.outcome.held_out_before == pytest.approx(first.outcome.held_out_best)


def test_a_later_phase_alone_needs_a_version_to_go_on_from(home, drilled):
    with pytest.raises(NotTrained, match="dlm train"):
        train(drilled, options=replace(FEW, phase="drill"))


@pytest.mark.parametrize("phase", ["dpo", ""])
def test_a_phase_that_is_not_there_is_refused_with_what_is(home, drilled, phase):
    with pytest.raises(UsageProblem, match=r"sft, drill, all|empty") as caught:
        train(drilled, options=replace(FEW, phase=phase))
    assert caught.value.exit_code == 2


def test_a_phase_with_nothing_to_train_says_what_there_is(home, write, drilled):
    path = write()
    train(path, options=FEW)
    with pytest.raises(UsageProblem, match="nothing for the phase drill, only for sft"):
        train(path, options=replace(FEW, phase="drill"))


def test_a_backend_that_compares_no_answers_refuses_pairs(home, drilled, monkeypatch):
    from dlm.training.recipe import Preferring

    def preferring(self, frontmatter, recipe):
        return replace(recipe, preferring=Preferring())

    monkeypatch.setattr(Drill, "recipe_for", preferring)
    with pytest.raises(TrainingFailed, match="compares no answers"):
        train(drilled, options=FEW)
    assert Store(home, ID).current() is None


def test_a_phase_may_not_change_what_all_of_them_share(home, drilled, monkeypatch):
    monkeypatch.setattr(Drill, "recipe_for", lambda self, frontmatter, recipe: replace(recipe, rank=3))
    with pytest.raises(TrainingRefused, match="the phase drill changes rank"):
        train(drilled, options=FEW)


def test_no_row_of_one_phase_is_taken_for_one_of_another(home, drilled, monkeypatch):
    seen = []
    step = ToyWorkbench._step

    def spy(self, rows, rate):
        seen.append([(row.anchor, row.group) for row in rows])
        return step(self, rows, rate)

    monkeypatch.setattr(ToyWorkbench, "_step", spy)
    train(drilled, options=FEW)
    drills = {"One two three.", "Four five six."}
    assert not any(group in drills for rows in seen[:8] for _, group in rows)
    assert all(anchor or group in drills for rows in seen[8:] for anchor, group in rows)
