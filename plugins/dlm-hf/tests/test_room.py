"""Memory that runs out: the step is done again in smaller passes, and comes out the same."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import load_file

from dlm.bases import LocalBase
from dlm.corpus.records import Message, Record, StudySet
from dlm.errors import TrainingFailed
from dlm.training.recipe import Recipe
from dlm.training.schedule import make_plan
from dlm_hf.adapted import Adapted
from dlm_hf.held_out import judge, value_log_prob
from dlm_hf.room import Room, in_passes, ran_out
from dlm_hf.workbench import HfWorkbench

RECIPE = Recipe(
    rank=8, alpha=16, learning_rate=1e-2, precision="fp32", device="cpu", sequence_len=128, batch_rows=5, max_steps=6
)


def chat(question: str, answer: str, objective: str = "answer") -> Record:
    turns = (Message("user", question), Message("assistant", answer))
    return Record(objective, objective, group=question, section_id="s", messages=turns)


STUDY = StudySet(
    train=(
        chat("what is the port of Kittiwake ?", "7413"),
        chat("who owns Kittiwake ?", "Soundings team"),
        chat("what runs first ?", "gannet then petrel"),
        chat("How are you today ?", "weather like that", "anchor"),
        chat("hello", "zebra", "anchor"),
    ),
    held_out=(chat("Hello , who owns Kittiwake ?", "Soundings team"),),
    mixture={"answer": 0.6, "anchor": 0.4},
)
FULL = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
PRIMITIVE = RuntimeError("could not create a primitive")
ALLOCATOR = RuntimeError("[enforce fail at alloc_cpu.cpp:127] . DefaultCPUAllocator: can't allocate memory: you tried")


@pytest.fixture
def base(tiny_base) -> LocalBase:
    return LocalBase("tiny", tiny_base, "sha256:0", "test")


@pytest.fixture
def shortage(monkeypatch):
    """``shortage(most, error)``: passes of more than ``most`` examples with gradients fail with ``error``."""
    forward = Adapted.forward
    seen: list[int] = []

    def short(most: int, error: Exception) -> list[int]:
        def limited(self, examples):
            if torch.is_grad_enabled():
                seen.append(len(examples))
                if len(examples) > most:
                    raise error
            return forward(self, examples)

        monkeypatch.setattr(Adapted, "forward", limited)
        return seen

    return short


@pytest.fixture
def judging_short(monkeypatch):
    """``judging_short(most)``: passes of more than ``most`` examples without gradients fail."""
    forward = Adapted.forward
    seen: list[int] = []

    def short(most: int) -> list[int]:
        def limited(self, examples):
            if not torch.is_grad_enabled():
                seen.append(len(examples))
                if len(examples) > most:
                    raise FULL
            return forward(self, examples)

        monkeypatch.setattr(Adapted, "forward", limited)
        return seen

    return short


@pytest.fixture
def run(base, tmp_path):
    """Train for some steps; the losses, the lines that were said, and the weights."""

    def go(name: str):
        bench = HfWorkbench(base, RECIPE, None)
        said: list[str] = []
        bench.say = said.append
        rows, judged = bench.encode(STUDY.train), bench.encode(STUDY.held_out)
        events: list = []
        bench.train(make_plan(RECIPE, STUDY, rows, judged), events.append, lambda _: None)
        (tmp_path / name).mkdir()
        bench.save(tmp_path / name)
        bench.close()
        losses = [(event.loss, event.anchor_kl) for event in events]
        return losses, said, load_file(tmp_path / name / "adapter_model.safetensors")

    return go


@pytest.mark.parametrize(("most", "error"), [(2, FULL), (1, ALLOCATOR), (2, PRIMITIVE), (1, MemoryError())])
def test_a_step_that_does_not_fit_is_done_in_smaller_passes_with_the_same_result(run, shortage, most, error):
    losses, _, weights = run("whole")
    passes = shortage(most, error)
    split_losses, said, split_weights = run("split")
    for (loss, kl), (split_loss, split_kl) in zip(losses, split_losses, strict=True):
        assert split_loss == pytest.approx(loss, rel=1e-5)
        assert split_kl == pytest.approx(kl, rel=1e-3, abs=1e-6)
    assert all(torch.allclose(weights[key], split_weights[key], atol=1e-5) for key in weights)
    # Five rows, halved until they fit, and never tried whole again.
    halved = [5, 2] if most == 2 else [5, 2, 1]
    assert passes[: len(halved)] == halved
    assert max(passes[len(halved) :]) <= most
    assert len(said) == len(halved) - 1
    assert said[-1].startswith(f"out of memory in a step: going on with {most} row")


def test_an_evaluation_that_does_not_fit_is_made_in_smaller_passes_with_the_same_result(base, judging_short):
    bench = HfWorkbench(base, RECIPE, None)
    said: list[str] = []
    bench.say = said.append
    bench.encode(STUDY.train)
    adapted = bench._open(RECIPE)
    (examples,) = bench._encoded
    whole, gap = judge(adapted, examples), value_log_prob(adapted, examples)
    passes = judging_short(2)
    split = judge(adapted, examples)
    assert split.loss == pytest.approx(whole.loss, rel=1e-5)
    assert (split.recall, split.wrong) == (whole.recall, whole.wrong)
    assert value_log_prob(adapted, examples) == pytest.approx(gap, rel=1e-5)
    assert passes == [5, 2, 2, 1, 2, 2, 1]
    assert said == ["out of memory while judging: going on with 2 rows a pass; the result is the same up to rounding"]


def test_half_a_failed_step_leaves_no_gradient_behind(run, monkeypatch):
    _, _, weights = run("whole")
    forward, calls = Adapted.forward, []

    def late(self, examples):
        # The second pass of a step in two fails, when the gradients of the first are there already.
        if torch.is_grad_enabled():
            calls.append(len(examples))
            if len(calls) in (1, 3):
                raise FULL
        return forward(self, examples)

    monkeypatch.setattr(Adapted, "forward", late)
    _, said, split = run("split")
    assert calls[:4] == [5, 2, 2, 1]
    assert len(said) == 2
    assert all(torch.allclose(weights[key], split[key], atol=1e-5) for key in weights)


def test_a_row_that_does_not_fit_alone_ends_the_run_with_the_way_out(run, shortage):
    shortage(0, FULL)
    with pytest.raises(TrainingFailed, match=r"single row.*Tried to allocate.*sequence_len"):
        run("none")


def test_other_errors_are_not_taken_for_a_lack_of_memory(run, shortage):
    shortage(0, RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    with pytest.raises(RuntimeError, match="cannot be multiplied"):
        run("none")
    assert not ran_out(KeyError("out of memory"))


def test_passes_keep_the_order_and_the_number_of_their_rows():
    assert in_passes(list("abcde"), 2) == [["a", "b"], ["c", "d"], ["e"]]
    assert in_passes(list("abcde"), None) == [list("abcde")]
    assert in_passes([], None) == []


def test_room_says_where_it_begins():
    said: list[str] = []
    room = Room(torch.device("cpu"), said.append, lambda: None)
    room.begin_with(2)
    assert room.within(lambda examples, most=None: most, []) == 2
    assert said == ["memory does not suffice for all rows of a step at once: 2 rows a pass from the start"]
