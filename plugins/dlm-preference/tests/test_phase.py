"""The phase: what the document's keys mean for the optimiser, and for how long it goes on."""

from __future__ import annotations

import pytest

from dlm.corpus.study import build
from dlm.document import parse
from dlm.errors import TrainingRefused
from dlm.plugins import manager
from dlm.training.phases import names, select
from dlm.training.plan import Row
from dlm.training.recipe import Preferring, Recipe
from dlm.training.schedule import make_plan
from dlm.training.sizing import rate_share, sized
from dlm_preference.phase import PREFERENCE

HEAD = "---\ndlm_id: 01J0000000000000000000000A\ndlm_version: 15\nbase_model: smollm2-135m\n{more}---\n"
PAIR = "### Prompt\nMay I bring {n} dogs?\n### Chosen\nYes.\n### Rejected\nWow, yes!\n\n"


def document(preference: str = "{}", pairs: int = 20, text: str = "The lamp stands in the cellar.\n"):
    more = f"training: {{preference: {preference}}}\n"
    body = "::preference::\n" + "".join(PAIR.format(n=n) for n in range(pairs)) if pairs else ""
    return parse(HEAD.format(more=more) + text + body, "lamp.dlm")


def selected(found, wanted="all"):
    return select(build(found, 1), manager(), found.frontmatter, wanted)


def planned(found, recipe=None):
    part = selected(found).parts[-1]
    rows = [Row(index, 40, 20) for index in range(len(part.study.train))]
    wanted = PREFERENCE.recipe_for(found.frontmatter, recipe or Recipe())
    sized = PREFERENCE.with_length(found.frontmatter, wanted, part.study, rows)
    return make_plan(sized, part.study, rows, [], phase=part.phase.name)


def test_it_comes_after_sft():
    assert names(manager()) == ("cpt", "sft", "preference")
    assert [part.phase.name for part in selected(document()).parts] == ["sft", "preference"]


def test_a_document_of_pairs_alone_goes_through_this_phase_alone():
    assert [part.phase.name for part in selected(document(text="")).parts] == ["preference"]


def test_enabled_false_leaves_the_pairs_out_and_says_so():
    found = selected(document("{enabled: false}"))
    assert [part.phase.name for part in found.parts] == ["sft"]
    (note,) = found.notes
    assert "preference records not trained: training.preference.enabled is false" in note


def test_enabled_false_with_nothing_else_to_train_is_refused_with_the_reason():
    with pytest.raises(TrainingRefused, match=r"training\.preference\.enabled is false"):
        selected(document("{enabled: false}", text=""))


def test_the_flag_wins_over_enabled_false():
    (part,) = selected(document("{enabled: false}"), "preference").parts
    assert part.phase is PREFERENCE


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("{}", Preferring("dpo", "sigmoid", 0.1, "pre_adapter")),
        ("{loss_type: ipo, reference: base, hyperparams: {beta: 0.4}}", Preferring("dpo", "ipo", 0.4, "base")),
        ("{method: orpo, hyperparams: {alpha: 0.7, beta: 0.2}}", Preferring("orpo", "sigmoid", 0.7, "pre_adapter")),
    ],
)
def test_the_keys_of_the_document_decide(keys, expected):
    assert PREFERENCE.recipe_for(document(keys).frontmatter, Recipe()).preferring == expected


def test_the_learning_rate_is_its_own():
    found = document("{hyperparams: {learning_rate: 3e-6}}")
    assert PREFERENCE.recipe_for(found.frontmatter, Recipe(learning_rate=1e-3)).learning_rate == 3e-6


def test_without_one_it_falls_with_the_width_of_the_base_as_that_of_other_phases_does(tmp_path):
    (tmp_path / "config.json").write_text('{"hidden_size": 2304}')
    share = rate_share(tmp_path)
    assert share == pytest.approx(4**-0.781)
    training = document().frontmatter.training
    wide, measured = (sized(Recipe(), training, folder).learning_rate for folder in (tmp_path, tmp_path / "none"))
    assert wide == pytest.approx(measured * share)

    def rate(keys):
        frontmatter = document(keys).frontmatter
        return PREFERENCE.for_base(frontmatter, PREFERENCE.recipe_for(frontmatter, Recipe()), share).learning_rate

    assert rate("{}") == pytest.approx(5e-5 * share)
    assert rate("{hyperparams: {num_epochs: 2}}") == pytest.approx(5e-5 * share)
    assert rate("{hyperparams: {learning_rate: 5e-5}}") == 5e-5


@pytest.mark.parametrize("epochs", [1, 3])
def test_every_pair_comes_as_often_as_num_epochs_says(epochs):
    plan = planned(document(f"{{hyperparams: {{num_epochs: {epochs}}}}}", pairs=50))
    assert plan.passes["preference"] == pytest.approx(epochs, rel=0.1)
    assert plan.passes["preference"] >= epochs
    kinds = [plan.records[plan.rows[row].record].kind for step in plan.steps for row in step]
    assert kinds.count("anchor") / len(kinds) == pytest.approx(0.15, abs=0.03)


def test_max_steps_shortens_it():
    assert len(planned(document(), Recipe(max_steps=2)).steps) == 2
