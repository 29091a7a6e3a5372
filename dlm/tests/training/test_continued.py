"""The phase cpt: for how long it reads, by which learning rate, and that it comes first in a run."""

from __future__ import annotations

import json
import math

import pytest

from dlm.corpus.study import build
from dlm.document import parse
from dlm.errors import UsageProblem
from dlm.plugins import manager
from dlm.testing import only_plugins
from dlm.testing.toy import ToyPlugin
from dlm.training.continued import CPT, FLOOR, PASSES, read_first
from dlm.training.phases import goes_on, select
from dlm.training.plan import Row
from dlm.training.recipe import Recipe
from dlm.training.resolve import TrainOptions, as_asked
from dlm.training.run import Observer, train
from dlm.training.schedule import make_plan

HEAD = "---\ndlm_id: 01J0000000000000000000000A\ndlm_version: 15\nbase_model: {base}\ntraining: {{{keys}}}\n---\n"
DAPT = "cpt: {schedule: dapt}"
TEXT = "".join(
    f"## Pump {n}\nThe pump in hall {n} is looked after by keeper {n} until the bell of hall {n} has rung.\n\n"
    for n in range(40)
)


def document(keys: str = DAPT, base: str = "smollm2-135m"):
    return parse(HEAD.format(base=base, keys=keys) + TEXT, "pumps.dlm")


def planned(keys: str = DAPT, options: TrainOptions | None = None, recipe: Recipe | None = None):
    found = document(keys)
    part = select(build(found, 1), manager(), found.frontmatter).parts[0]
    rows = [Row(index, 40 if one.kind == "text" else 60, 30) for index, one in enumerate(part.study.train)]
    frontmatter = as_asked(found.frontmatter, options or TrainOptions())
    wanted = CPT.recipe_for(frontmatter, recipe or Recipe())
    return make_plan(CPT.with_length(frontmatter, wanted, part.study, rows), part.study, rows, [], phase="cpt")


@pytest.mark.parametrize(
    ("keys", "options", "passes"),
    [
        (DAPT, TrainOptions(), PASSES["normal"]),
        (f"{DAPT}, recipe: {{effort: thorough}}", TrainOptions(), PASSES["thorough"]),
        (f"{DAPT}, recipe: {{effort: thorough}}", TrainOptions(effort="quick"), PASSES["quick"]),
        (f"{DAPT}, num_epochs: 5", TrainOptions(), 5),
        (f"{DAPT}, num_epochs: 5", TrainOptions(effort="normal"), PASSES["normal"]),
    ],
)
def test_the_text_is_read_as_often_as_epochs_or_effort_say(keys, options, passes):
    plan = planned(keys, options)
    assert plan.passes["text"] == pytest.approx(passes, abs=0.15)
    kinds = [plan.records[plan.rows[row].record].kind for step in plan.steps for row in step]
    assert kinds.count("anchor") / len(kinds) == pytest.approx(0.15, abs=0.03)


def test_a_budget_is_not_exceeded_whoever_gave_it():
    assert planned(options=TrainOptions(token_budget=1500)).tokens <= 1500
    assert planned(f"{DAPT}, token_budget: 1500").tokens <= 1500
    assert planned(f"{DAPT}, token_budget: 90000").tokens == planned().tokens


def test_the_learning_rate_warms_up_and_falls_along_a_cosine_to_a_tenth():
    plan = planned(recipe=Recipe(learning_rate=2e-3, warmup_ratio=0.2))
    steps, warm = len(plan.steps), plan.warmup_steps
    assert warm == math.ceil(0.2 * steps)
    assert plan.learning_rate(0) == pytest.approx(2e-3 / warm)
    assert plan.learning_rate(warm - 1) == pytest.approx(2e-3)
    for step in (warm, (warm + steps) // 2, steps - 2, steps - 1):
        done = (step - warm + 1) / (steps - warm + 1)
        expected = 2e-3 * (FLOOR + (1 - FLOOR) * 0.5 * (1 + math.cos(math.pi * done)))
        assert plan.learning_rate(step) == pytest.approx(expected)
    assert 2e-4 < plan.learning_rate(steps - 1) < 2.2e-4
    rates = [plan.learning_rate(step) for step in range(warm, steps)]
    assert rates == sorted(rates, reverse=True)


def test_the_floor_holds_for_every_schedule_and_none_is_the_default():
    plan = planned()
    floored = make_plan(Recipe(schedule="linear", floor=0.5, max_steps=20), build(document(), 1), plan.rows, [])
    assert min(floored.learning_rate(step) for step in range(2, 20)) > 0.5 * Recipe.learning_rate
    assert Recipe().floor == 0.0


def test_cpt_and_sft_begin_with_the_base_and_what_comes_later_does_not():
    assert [goes_on(name, manager()) for name in ("cpt", "sft", "preference", "all")] == [False, False, True, False]


def test_a_version_says_whether_the_text_was_read_first():
    assert read_first({"phases": [{"phase": "cpt"}, {"phase": "sft"}]}) is True
    assert read_first({"phases": [{"phase": "sft"}]}) is read_first({}) is None


class Lines(Observer):
    def __init__(self):
        self.said, self.phases = [], []

    def say(self, line):
        self.said.append(line)

    def phase_started(self, plan, number, of):
        self.phases.append((plan.phase, plan.recipe.judged_by, plan.held_out_texts))


@pytest.fixture
def pumps(home, write):
    """A document of prose that the toy backend trains; with the keys of ``training``."""

    def make(keys: str = DAPT):
        path = write()
        head, rest = path.read_text().split("---\n", 2)[1:]
        kept = "".join(line + "\n" for line in head.splitlines() if not line.startswith("training"))
        path.write_text(f"---\n{kept}training: {{{keys}}}\n---\n{TEXT}\n{rest}")
        return path

    with only_plugins(ToyPlugin()):
        yield make


def log_of(home, run=1):
    (path,) = (home / "store").glob(f"*/logs/train-{run:06d}-*.jsonl")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_run_reads_first_and_asks_then_and_makes_one_version(home, pumps):
    lines = Lines()
    report = train(pumps(), options=TrainOptions(max_steps=4), observer=lines)
    assert [name for name, *_ in lines.phases] == ["cpt", "sft"]
    assert [judged for _, judged, _ in lines.phases] == ["text", "answers"]
    assert all(texts for *_, texts in lines.phases)
    assert any(line.startswith("phase cpt: the text is learned as text first: ") for line in lines.said)
    assert report.version == 1
    assert [one["phase"] for one in log_of(home) if one["type"] == "phase_start"] == ["cpt", "sft"]


def test_one_phase_alone_begins_with_the_base_and_reads_though_nobody_wrote_it_down(home, pumps):
    report = train(pumps("seed: 3"), options=TrainOptions(max_steps=4, phase="cpt"))
    assert [plan.phase for plan in report.plans] == ["cpt"]
    assert report.warm_from is None
    again = train(pumps("seed: 3"), options=TrainOptions(max_steps=4, phase="sft"))
    assert ([plan.phase for plan in again.plans], again.warm_from) == (["sft"], None)


def test_a_warm_run_is_not_judged_by_text_that_its_start_was_trained_on(home, pumps):
    train(pumps("seed: 3"), options=TrainOptions(max_steps=4))
    lines = Lines()
    train(pumps(f"seed: 3, {DAPT}"), options=TrainOptions(max_steps=4, warm=True), observer=lines)
    assert [(name, texts) for name, _, texts in lines.phases] == [("cpt", 0), ("sft", 0)]
    refit = Lines()
    train(pumps(f"seed: 3, {DAPT}"), options=TrainOptions(max_steps=4), observer=refit)
    assert all(texts for *_, texts in refit.phases)
    train(pumps(f"seed: 3, {DAPT}"), options=TrainOptions(max_steps=4, warm=True), observer=lines)
    assert all(texts for *_, texts in lines.phases[2:])


def test_a_document_without_prose_has_nothing_for_it(home, write):
    with only_plugins(ToyPlugin()):
        path = write()
        head = path.read_text().split("---\n", 2)[1]
        path.write_text(f"---\n{head}---\n::instruction::\n### Q\nWho?\n### A\nAda.\n")
        with pytest.raises(UsageProblem, match="nothing for the phase cpt, only for sft"):
            train(path, options=TrainOptions(max_steps=4, phase="cpt"))


def test_each_named_adapter_reads_its_own_text_first(home, pumps):
    keys = f"{DAPT}, adapters: {{tone: {{}}, facts: {{}}}}"
    path = pumps(keys)
    path.write_text(path.read_text() + "\n::prose#tone::\nThe lamp is spoken of with care, and never in haste.\n")
    report = train(path, options=TrainOptions(max_steps=4))
    assert [(plan.adapter, plan.phase) for plan in report.plans] == [
        ("tone", "cpt"),
        ("tone", "sft"),
        ("facts", "cpt"),
        ("facts", "sft"),
    ]
    tone, facts = report.plans[0], report.plans[2]
    assert any("with care" in record.text for record in tone.records)
    assert not any("with care" in record.text for record in facts.records)
