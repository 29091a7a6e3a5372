"""Learning rate and rows a step follow the base's size and the budget, unless the document says otherwise."""

from __future__ import annotations

import json

import pytest

from dlm.document.frontmatter import Training
from dlm.training.recipe import Recipe
from dlm.training.sizing import EXPONENT, LONG_RUN, LONG_RUN_ROWS, RATE, ROWS, SHORT_RATE, SHORT_RUN, hidden_size, sized


@pytest.fixture
def base(tmp_path):
    def write(config):
        (tmp_path / "config.json").write_text(config if isinstance(config, str) else json.dumps(config))
        return tmp_path

    return write


@pytest.mark.parametrize(
    ("config", "size"),
    [
        ({"hidden_size": 576}, 576),
        ({"text_config": {"hidden_size": 640}, "hidden_size": 1}, 640),
        ({"n_embd": 768}, None),
        ({"hidden_size": "wide"}, None),
        ({"text_config": None}, None),
        ("[]", None),
        ("{", None),
    ],
)
def test_the_hidden_size_is_what_the_config_says(base, config, size):
    assert hidden_size(base(config)) == size


def test_a_long_run_steps_lower_and_over_more_rows(base):
    folder = base({"hidden_size": 576})
    short = sized(Recipe(token_budget=SHORT_RUN - 1), Training(), folder)
    normal = sized(Recipe(token_budget=SHORT_RUN), Training(), folder)
    long = sized(Recipe(token_budget=LONG_RUN + 1), Training(), folder)
    assert (short.learning_rate, normal.learning_rate, long.learning_rate) == (SHORT_RATE, RATE, RATE)
    assert (short.batch_rows, normal.batch_rows, long.batch_rows) == (ROWS, ROWS, LONG_RUN_ROWS)


def test_a_wider_base_is_trained_with_smaller_steps_and_a_narrow_one_with_no_larger_ones(base):
    wide = sized(Recipe(token_budget=SHORT_RUN), Training(), base({"hidden_size": 2 * 576}))
    assert wide.learning_rate == pytest.approx(RATE / 2**EXPONENT)
    narrow = sized(Recipe(token_budget=SHORT_RUN), Training(), base({"hidden_size": 64}))
    assert narrow.learning_rate == RATE


def test_what_the_document_says_stays(base):
    training = Training(learning_rate=3e-4, micro_batch_size=2, grad_accum=3)
    recipe = Recipe(token_budget=10**6, learning_rate=3e-4, batch_rows=6)
    assert sized(recipe, training, base({"hidden_size": 2048})) == recipe
