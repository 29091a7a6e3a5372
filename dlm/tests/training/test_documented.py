"""The reference page tells the numbers that the code uses."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dlm.corpus.study import ANCHOR_SHARE, WEIGHTS
from dlm.training.recipe import Recipe
from dlm.training.resolve import EFFORTS

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "training.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"(?m)^\| ((?:`\w+`(?:, )?)+) \| ([^|]+?) \|", PAGE))
DEFAULTS = {
    "`lora_r`": Recipe.rank,
    "`lora_alpha`": Recipe.alpha,
    "`lora_dropout`": Recipe.dropout,
    "`target_modules`": Recipe.target_modules,
    "`learning_rate`": Recipe.learning_rate,
    "`lr_scheduler`": Recipe.schedule,
    "`warmup_ratio`": Recipe.warmup_ratio,
    "`sequence_len`": Recipe.sequence_len,
    "`micro_batch_size`, `grad_accum`": Recipe.batch_rows,
    "`precision`": Recipe.precision,
    "`seed`": Recipe.seed,
}


@pytest.mark.parametrize("key", DEFAULTS)
def test_the_documented_default_is_the_recipe_s(key):
    assert ROWS[key] == str(DEFAULTS[key])


def test_the_documented_shares_are_the_study_set_s():
    wanted = {**{kind: str(weight) for kind, weight in WEIGHTS.items()}, "anchor": f"{ANCHOR_SHARE:.0%}"}
    assert {key.strip("`"): value for key, value in ROWS.items() if key.strip("`") in wanted} == wanted


@pytest.mark.parametrize("effort", EFFORTS)
def test_the_documented_effort_is_the_code_s(effort):
    size = EFFORTS[effort]
    assert f"| `{effort}` | {size.factor} | {size.least:,} | {size.most:,} |" in PAGE
