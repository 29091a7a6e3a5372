"""Embeddings of single tokens: they move while they are warmed up, nothing else does, and all of it survives."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from safetensors import safe_open

from dlm.bases import LocalBase
from dlm.corpus.records import Message, Record
from dlm.errors import AdapterMismatch
from dlm.training.backend import ON_BENCH, Sampling
from dlm.training.checkpoints import Checkpoints
from dlm.training.plan import Plan
from dlm.training.recipe import Recipe
from dlm_hf.adapters import load_adapter, read_adapter
from dlm_hf.answer import HfAnswerer
from dlm_hf.model import load_base
from dlm_hf.workbench import HfWorkbench

TOKENS = (12, 13, 15)
"""Kittiwake, listens and 7413 of the tiny base."""
ROWS = "base_model.model.model.embed_tokens.token_adapter.trainable_tokens_delta"
RECIPE = Recipe(
    precision="fp32", device="cpu", rank=4, learning_rate=1e-2, embedded=TOKENS, schedule="constant", warmup_ratio=0.0
)


def text(said: str) -> Record:
    return Record("text", "text", said, "s", text=said, title="port")


def chat(question: str, answer: str, objective: str = "answer") -> Record:
    return Record("qa", objective, question, "s", (Message("user", question), Message("assistant", answer)))


TEXTS = [text("Kittiwake listens on 7413 and Soundings owns zebra"), text("gannet restarts first then petrel")]
ANCHOR = chat("How are you today", "I do not know", "anchor")


class Ends(Exception):
    pass


class Keeps(Checkpoints):
    def __init__(self, empty=None, after=0, folder=None):
        self.empty, self.after, self.folder = empty, after, folder

    def stepped(self, plan, step, write, *, evaluated):
        if step == self.after:
            self.empty.mkdir()
            write(self.empty)
            raise Ends


def ready(base, recipe, steps, warmup=0):
    """A bench with the texts and the anchor, and a plan of some steps over all of them."""
    bench = HfWorkbench(base, recipe, None)
    rows, held_out = bench.encode([*TEXTS, ANCHOR]), bench.encode([])
    plan = Plan(
        recipe=replace(recipe, embed_warmup_steps=warmup),
        records=(),
        rows=tuple(rows),
        held_out_rows=tuple(held_out),
        steps=((0, 1, 2),) * steps,
        warmup_steps=0,
        decay_steps=0,
        evaluate_every=steps,
        tokens=0,
    )
    return bench, plan


def silent(_):
    pass


@pytest.fixture
def base(tiny_base) -> LocalBase:
    return LocalBase("tiny", tiny_base, "sha256:0", "test")


@pytest.fixture
def go(base, tmp_path):
    """``go(steps, warmup)`` trains that long on text and an anchor; the saved tensors by name, and the folder."""

    def run(steps: int, warmup: int, recipe: Recipe = RECIPE, checkpoints=None, name: str = "adapter"):
        bench, plan = ready(base, recipe, steps, warmup)
        bench.train(plan, silent, silent, checkpoints=checkpoints)
        folder = tmp_path / name
        folder.mkdir()
        bench.save(folder)
        return read(folder), folder

    return run


def read(folder) -> dict[str, torch.Tensor]:
    with safe_open(str(folder / "adapter_model.safetensors"), "pt") as tensors:
        return {key: tensors.get_tensor(key) for key in tensors.keys()}  # noqa: SIM118


def table(folder) -> torch.Tensor:
    return load_base(folder, torch.float32, torch.device("cpu")).get_input_embeddings().weight.detach()


def updates(saved) -> list[torch.Tensor]:
    return [tensor for name, tensor in saved.items() if "lora_B" in name]


def test_while_they_warm_up_the_rows_move_and_nothing_else_does(go, base):
    saved, _ = go(steps=3, warmup=3)
    moved = (saved[ROWS] - table(base.path)[list(TOKENS)]).abs().amax(dim=1)
    assert float(moved.min()) > 1e-3
    assert not any(tensor.any() for tensor in updates(saved))


def test_afterwards_they_rest_to_the_last_bit_though_the_optimiser_has_momentum(go):
    warm, _ = go(steps=3, warmup=3)
    later, _ = go(steps=8, warmup=3, name="later")
    assert torch.equal(later[ROWS], warm[ROWS])
    assert all(tensor.any() for tensor in updates(later))


def test_the_file_holds_the_rows_of_the_named_tokens_and_no_table(go, base):
    saved, folder = go(steps=2, warmup=1)
    assert saved[ROWS].shape == (len(TOKENS), 64)
    assert [name for name in saved if "lora" not in name] == [ROWS]
    assert read_adapter(folder).saved_in_full == ("the embeddings of 3 tokens",)


def test_the_saved_adapter_answers_as_the_one_that_was_trained_and_switched_off_it_is_the_base(base, tmp_path):
    bench, plan = ready(base, RECIPE, steps=6, warmup=3)
    bench.train(plan, silent, silent)
    folder = tmp_path / "adapter"
    folder.mkdir()
    bench.save(folder)
    ids = torch.tensor([[12, 13, 15, 5, 7]])
    untouched = load_base(base.path, torch.float32, torch.device("cpu"))
    with torch.no_grad():
        trained = bench._loaded().model.eval()(input_ids=ids).logits
        of_base = untouched(input_ids=ids).logits
        again = load_adapter(load_base(base.path, torch.float32, torch.device("cpu")), folder)
        assert float((again(input_ids=ids).logits - trained).abs().max()) < 1e-5
        assert float((trained - of_base).abs().max()) > 0.1
        with again.disable_adapter():
            assert torch.equal(again(input_ids=ids).logits, of_base)
    answerer = HfAnswerer(base, folder, None, "fp32")
    assert list(answerer.answer([[Message("user", "what listens")]], Sampling(max_new_tokens=4)))


def test_a_run_that_was_stopped_while_they_warm_up_ends_as_if_it_had_not_been(go, tmp_path):
    whole, _ = go(steps=6, warmup=4, name="whole")
    keeps = Keeps(tmp_path / "state", after=2)
    with pytest.raises(Ends):
        go(steps=6, warmup=4, checkpoints=keeps, name="stopped")
    found, _ = go(steps=6, warmup=4, checkpoints=Keeps(folder=keeps.empty), name="again")
    assert all(torch.equal(whole[name], found[name]) for name in whole)


def test_the_next_phase_keeps_them_and_a_warm_run_begins_with_them(go, base, tmp_path):
    saved, folder = go(steps=3, warmup=3)
    bench, plan = ready(base, RECIPE, steps=3)
    bench.train(plan, silent, silent, start=folder)
    bench.train(plan, silent, silent, start=ON_BENCH)
    after = tmp_path / "after"
    after.mkdir()
    bench.save(after)
    assert torch.equal(read(after)[ROWS], saved[ROWS])
    assert all(tensor.any() for tensor in updates(read(after)))


def test_a_start_that_holds_other_tokens_is_refused(go, base):
    _, folder = go(steps=1, warmup=1)
    other = replace(RECIPE, embedded=(12, 13, 16))
    bench, plan = ready(base, other, steps=1)
    with pytest.raises(AdapterMismatch, match="embeddings of other tokens"):
        bench.train(plan, silent, silent, start=folder)
