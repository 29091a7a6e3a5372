from __future__ import annotations

import pytest

from dlm.corpus.records import Record, StudySet
from dlm.document.frontmatter import Frontmatter
from dlm.errors import UsageProblem
from dlm.training.plan import Row
from dlm.training.recipe import Recipe
from dlm.training.resolve import EFFORTS, TrainOptions, recipe_for, with_budget


def front(**training):
    return Frontmatter.model_validate(
        {"dlm_id": "01J0000000000000000000000A", "base_model": "smollm2-135m", "training": training}
    )


NO_OPTIONS = TrainOptions()


def budget(tokens=100, options=NO_OPTIONS, **training):
    records = (
        Record("qa", "answer", "a", "s", text="x"),
        Record("qa", "answer", "a", "s", text="y"),
        Record("wrapped", "answer", "a", "s", text="z"),
        Record("prose", "text", "b", "s", text="p"),
        Record("anchor", "anchor", "c", "", text="q"),
    )
    rows = [Row(index, tokens, 1) for index in range(5)]
    frontmatter = front(**training)
    study = StudySet(records, (), {})
    return with_budget(recipe_for(frontmatter, options), frontmatter, options, study, rows).token_budget


def test_an_empty_frontmatter_leaves_every_default():
    assert recipe_for(front(), TrainOptions()) == Recipe()


def test_the_frontmatter_wins_over_defaults():
    found = recipe_for(
        front(lora_r=8, lora_alpha=8, lora_dropout=0.1, learning_rate=2e-4, lr_scheduler="cosine", warmup_ratio=0.2,
              sequence_len=512, precision="fp32", seed=7, target_modules=["q_proj", "v_proj"]),
        TrainOptions(),
    )  # fmt: skip
    assert (found.rank, found.alpha, found.dropout, found.learning_rate) == (8, 8, 0.1, 2e-4)
    assert (found.schedule, found.warmup_ratio, found.sequence_len) == ("cosine", 0.2, 512)
    assert (found.precision, found.seed, found.target_modules) == ("fp32", 7, ("q_proj", "v_proj"))


def test_flags_win_over_the_frontmatter():
    assert recipe_for(front(seed=7), TrainOptions(seed=0)).seed == 0
    assert recipe_for(front(), TrainOptions(max_steps=3)).max_steps == 3
    assert budget(options=TrainOptions(token_budget=5000), token_budget=9000, num_epochs=3) == 5000


def test_auto_target_modules_are_all_linear_layers():
    assert recipe_for(front(target_modules="auto"), TrainOptions()).target_modules == "all-linear"


def test_another_rank_alone_keeps_the_scale_of_the_update():
    found = recipe_for(front(lora_r=64), TrainOptions())
    assert found.alpha / found.rank == Recipe().alpha / Recipe().rank


@pytest.mark.parametrize(
    ("written", "rows"),
    [
        ({}, Recipe().batch_rows),
        ({"micro_batch_size": "auto", "grad_accum": "auto"}, Recipe().batch_rows),
        ({"micro_batch_size": 2, "grad_accum": 8}, 16),
        ({"micro_batch_size": 2}, 2),
        ({"grad_accum": 8, "micro_batch_size": "auto"}, 8),
    ],
)
def test_micro_batches_and_their_accumulation_are_the_rows_of_a_step(written, rows):
    assert recipe_for(front(**written), TrainOptions()).batch_rows == rows


@pytest.mark.parametrize("effort", EFFORTS)
def test_the_automatic_budget_follows_effort_and_document_within_bounds(effort):
    size = EFFORTS[effort]
    assert budget(tokens=10, recipe={"effort": effort}) == size.least
    # One wording of the pair, and the text: not the variants.
    assert budget(tokens=10_000, recipe={"effort": effort}) == min(size.factor * 2 * 10_000, size.most)
    assert budget(tokens=10**6, recipe={"effort": effort}) == size.most


def test_a_flag_wins_over_what_the_document_says_and_a_number_over_an_effort():
    quick = TrainOptions(effort="quick")
    assert budget(options=quick, recipe={"effort": "thorough"}, token_budget=7000) == EFFORTS["quick"].least
    assert budget(options=TrainOptions(effort="quick", token_budget=5000)) == 5000
    assert budget(recipe={"effort": "thorough"}, token_budget=7000) == 7000


def test_an_effort_that_is_none_says_so():
    with pytest.raises(UsageProblem, match="quick, normal, thorough"):
        TrainOptions(effort="lazy")


def test_epochs_are_passes_over_everything_but_the_anchor():
    assert budget(tokens=100, num_epochs=3) == 3 * 4 * 100
    assert budget(tokens=100, num_epochs=3, token_budget=7000) == 7000


@pytest.mark.parametrize("wrong", [{"max_steps": 0}, {"token_budget": 12}])
def test_options_that_make_no_sense_say_so(wrong):
    with pytest.raises(UsageProblem, match="give at least"):
        TrainOptions(**wrong)
