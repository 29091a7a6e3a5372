"""Weights that are no good never become the current version, and the message says what to do."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from dlm.bases import LocalBase
from dlm.errors import NonFiniteWeights, TrainingDiverged
from dlm.store import Store
from dlm.training.events import Outcome
from dlm.training.gate import fault
from dlm.training.recipe import Recipe
from dlm.training.run import TrainOptions, train

BASE = LocalBase("tiny", Path("/bases/tiny"), "sha256:0", "test")
SOUND = Outcome(8, 8, 3.0, 1.5, 0.4, None, 900, 1.0, "fp32", "cpu")


def test_a_run_that_goes_wild_is_rejected_and_the_version_before_stays(home, write, plugins) -> None:
    options = TrainOptions(max_steps=8)
    train(write(), options=options)
    wild = write("training:\n  learning_rate: 0.9\n  warmup_ratio: 0.0\n  lr_scheduler: constant")
    text = wild.read_text(encoding="utf-8")
    wild.write_text(text.replace("built by Ada Hale.", "built by Ada Hale." + " qqqq" * 30), encoding="utf-8")
    with pytest.raises(
        TrainingDiverged, match=r"rose from .* Try a lower training\.learning_rate \(it was 0\.9\)"
    ) as it:
        train(wild, options=options)
    assert it.value.exit_code == 1
    store = Store(home, "01J0000000000000000000000A")
    assert store.current().number == 1
    assert [run.status for run in store.manifest().training_runs] == ["ok", "rejected"]
    assert store.manifest().training_runs[1].message.startswith("diverged: ")
    assert [folder.name for folder in store.contents().rejected] == ["v0002-rejected"]
    assert store.checkpoint() is None, "going on would end there again"


@pytest.mark.parametrize(
    ("outcome", "error"),
    [
        (SOUND, None),
        (replace(SOUND, held_out_best=3.9), None),
        (replace(SOUND, held_out_best=4.1), TrainingDiverged),
        (replace(SOUND, held_out_best=4.1, held_out_recall_before=0.1, held_out_recall=0.4), None),
        (replace(SOUND, held_out_before=None, held_out_best=None), None),
        (replace(SOUND, held_out_best=None), NonFiniteWeights),
        (replace(SOUND, non_finite=("loss at step 3",)), NonFiniteWeights),
    ],
)
def test_what_is_kept_and_what_is_not(outcome: Outcome, error: type | None) -> None:
    found = fault(outcome, BASE, Recipe())
    assert (found.error if found else None) is error


def test_a_base_that_gives_no_numbers_is_blamed_instead_of_the_learning_rate() -> None:
    found = fault(replace(SOUND, held_out_before=math.nan, held_out_best=None), BASE, Recipe())
    assert found is not None
    assert "The base tiny gave none before the first step either" in found.message
    assert "learning_rate" not in found.message
