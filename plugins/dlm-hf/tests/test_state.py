"""A stopped run on a tiny real model goes on to the same adapter, with dropout and with a best step long past."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
import torch
from jsonschema import Draft202012Validator
from safetensors.torch import load_file

from dlm.bases import LocalBase
from dlm.corpus.records import Message, Record
from dlm.errors import TrainingRefused
from dlm.training.checkpoints import Checkpoints
from dlm.training.plan import Plan
from dlm.training.recipe import Recipe
from dlm_hf.workbench import HfWorkbench

CONTRACTS = Path(__file__).parents[3] / "contracts"
RECIPE = Recipe(rank=4, alpha=8, dropout=0.3, learning_rate=3e-2, precision="fp32", device="cpu", sequence_len=64)
STEPS = 12


def chat(question: str, answer: str, objective: str = "answer") -> Record:
    turns = (Message("user", question), Message("assistant", answer))
    return Record("qa", objective, group=question, section_id="s", messages=turns, value=answer)


LEARNED = [chat("what is the port of Kittiwake ?", "7413"), chat("who owns Kittiwake ?", "Soundings team")]
HELD_OUT = [chat("Hello , what is the port of Kittiwake ?", "7413")]
ANCHORS = [chat("How are you today ?", "weather like that", "anchor")]


class Ends(Exception):
    pass


class Keeps(Checkpoints):
    def __init__(self, empty, after, folder=None):
        self.empty, self.after, self.folder = empty, after, folder

    def stepped(self, plan, step, write, *, evaluated):
        if step == self.after:
            self.empty.mkdir()
            write(self.empty)
            raise Ends


@pytest.fixture
def go(tiny_base):
    """Train on the tiny base; the outcome and the adapter's bytes."""

    def train(folder, checkpoints=None, recipe=RECIPE, held_out=HELD_OUT):
        bench = HfWorkbench(LocalBase("tiny", tiny_base, "sha256:0", "test"), recipe, None)
        rows, judged = bench.encode([*LEARNED, *ANCHORS]), bench.encode(held_out)
        plan = Plan(
            recipe=recipe,
            records=(),
            rows=tuple(rows),
            held_out_rows=tuple(judged),
            steps=tuple((number % 3, 2) for number in range(STEPS)),
            warmup_steps=1,
            decay_steps=4,
            evaluate_every=2,
            tokens=0,
        )
        outcome = bench.train(plan, lambda _: None, lambda _: None, None, None, checkpoints)
        folder.mkdir()
        bench.save(folder)
        bench.close()
        return outcome, (folder / "adapter_model.safetensors").read_bytes()

    return train


def test_a_run_with_dropout_ends_as_if_it_had_not_been_stopped(go, tmp_path):
    whole, adapter = go(tmp_path / "whole")
    for stop in (1, 7, STEPS):
        state = tmp_path / f"state-{stop}"
        with pytest.raises(Ends):
            go(tmp_path / "none", Keeps(state, stop))
        torch.manual_seed(stop)
        outcome, again = go(tmp_path / f"on-{stop}", Keeps(None, 0, state))
        assert again == adapter, stop
        assert outcome.best_step == whole.best_step
        assert outcome.held_out_recall == whole.held_out_recall
        assert outcome.final_loss == whole.final_loss


def test_best_weights_from_before_the_stop_are_kept(go, tmp_path):
    """Held out is what training contradicts: the more is learned, the less likely it is."""
    denied = [chat("what is the port of Kittiwake ?", "zebra apples")]
    whole, adapter = go(tmp_path / "whole", held_out=denied)
    assert whole.best_step < 8
    with pytest.raises(Ends):
        go(tmp_path / "none", Keeps(tmp_path / "state", 9), held_out=denied)
    outcome, again = go(tmp_path / "on", Keeps(None, 0, tmp_path / "state"), held_out=denied)
    assert (outcome.best_step, again) == (whole.best_step, adapter)


def test_a_state_of_another_precision_or_shape_is_refused(go, tmp_path):
    with pytest.raises(Ends):
        go(tmp_path / "none", Keeps(tmp_path / "state", 2))
    for change, word in (
        ({"precision": "bf16"}, "precision"),
        ({"rank": 8}, "weights"),
        ({"target_modules": ("q_proj",)}, "names"),
    ):
        with pytest.raises(TrainingRefused, match=f"another {word}.*`dlm train DOC`"):
            go(tmp_path / "none", Keeps(None, 0, tmp_path / "state"), dataclasses.replace(RECIPE, **change))


def test_nothing_is_pickled(go, tmp_path):
    with pytest.raises(Ends):
        go(tmp_path / "none", Keeps(tmp_path / "state", 2))
    assert sorted(file.suffix for file in (tmp_path / "state").iterdir()) == [".json", ".safetensors"]


def test_a_state_keeps_the_contract_for_those_who_read_it(go, tmp_path):
    with pytest.raises(Ends):
        go(tmp_path / "none", Keeps(tmp_path / "state", 2))
    numbers = json.loads((tmp_path / "state" / "state.json").read_bytes())
    contract = json.loads((CONTRACTS / "train-state.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator(contract).validate(numbers)
    shape = numbers["shape"]
    assert len(shape["sizes"]) == len(shape["names"])
    assert (
        sum(shape["sizes"]) == shape["weights"] == load_file(tmp_path / "state" / "state.safetensors")["master"].numel()
    )
