"""Learning from better and worse answers on a tiny real model: losses, references, passes, the state of a run."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from dlm.bases import LocalBase
from dlm.corpus.records import Message, Record, StudySet
from dlm.errors import TrainingFailed
from dlm.training.backend import ON_BENCH
from dlm.training.checkpoints import Checkpoints
from dlm.training.recipe import Preferring, Recipe
from dlm.training.schedule import make_plan
from dlm_hf import preferring, workbench
from dlm_hf.held_out import Judged
from dlm_hf.preferring import Preference, Spoken, dpo, odds_ratio
from dlm_hf.workbench import HfWorkbench

RECIPE = Recipe(
    rank=4, learning_rate=1e-2, precision="fp32", device="cpu", sequence_len=128, max_steps=12, evaluations=3
)
METHODS = [
    Preferring(),
    Preferring(reference="base"),
    Preferring(loss="hinge"),
    Preferring(loss="ipo", strength=0.5),
    Preferring("orpo", strength=0.5),
]
NAMES = ["sigmoid", "base", "hinge", "ipo", "orpo"]


def pair(question: str, better: str, worse: str) -> Record:
    turns = (Message("user", question), Message("assistant", better))
    return Record("preference", "prefer", question, "s", messages=turns, rejected=worse)


def chat(question: str, answer: str, objective: str = "answer") -> Record:
    turns = (Message("user", question), Message("assistant", answer))
    return Record("anchor", objective, question, "s", messages=turns)


ASKED = ["what is the port ?", "who owns Kittiwake ?", "what runs first ?", "Which river is longest ?", "who are you ?"]
PAIRS = [pair(question, "I know that", "Hello , weather like 12 and zebra 7") for question in ASKED]
HELD_OUT = (pair("what runs then ?", "I know that", "Hello , weather like 12 and zebra 7"),)
ANCHORS = [chat("How are you today ?", "weather like that", "anchor"), chat("hello", "zebra", "anchor")]
STUDY = StudySet((*PAIRS, *ANCHORS), (), {"preference": 0.7, "anchor": 0.3}, held_out_pairs=HELD_OUT)


@pytest.fixture
def base(tiny_base) -> LocalBase:
    return LocalBase("tiny", tiny_base, "sha256:0", "test")


@pytest.fixture
def bench(base):
    found = HfWorkbench(base, RECIPE, None)
    yield found
    found.close()


def planned(bench, settings, study=STUDY, **numbers):
    rows, held_out = bench.encode(study.train), bench.encode((*study.held_out_pairs, *study.held_out))
    recipe = replace(RECIPE, preferring=settings, **numbers)
    calls = len(bench._encoded)
    return make_plan(recipe, study, rows, held_out, phase="preference", encodings=(calls - 2, calls - 1))


def ready(bench, settings):
    """The losses at the first step of a fresh adapter that is not quite the base, and the pairs."""
    plan = planned(bench, settings)
    adapted = bench._open(plan.recipe)
    generator = torch.Generator().manual_seed(1)
    bench._master.data += 0.05 * torch.randn(bench._master.shape, generator=generator)
    bench._write_back()
    examples = bench._encoded[-2]
    losses = Preference(adapted, settings, 1.0, (*examples, *bench._encoded[-1]))
    losses.begin()
    return losses, examples


def said(*values: float) -> Spoken:
    return Spoken(*(torch.tensor([value], dtype=torch.float64) for value in values))


def test_the_losses_are_those_of_the_papers():
    spoken, reference = said(-6.0, -9.0, 3.0, 4.0), said(-7.0, -8.0, 3.0, 4.0)
    h = (-6 + 7) - (-9 + 8)
    assert dpo(spoken, reference, Preferring(strength=0.3)).item() == pytest.approx(math.log(1 + math.exp(-0.3 * h)))
    assert dpo(spoken, reference, Preferring(loss="hinge", strength=0.3)).item() == pytest.approx(1 - 0.3 * h)
    per_token = (-6 + 7) / 3 - (-9 + 8) / 4
    ipo = dpo(spoken, reference, Preferring(loss="ipo", strength=0.3)).item()
    assert ipo == pytest.approx((per_token - 1 / 0.6) ** 2)
    better, worse = math.exp(-2), math.exp(-9 / 4)
    ratio = (better / (1 - better)) / (worse / (1 - worse))
    assert odds_ratio(spoken).item() == pytest.approx(math.log(1 + 1 / ratio))


def test_odds_of_what_is_certain_are_finite_and_so_is_their_gradient():
    sums = torch.tensor([0.0, -1e-9, -1e-3, -40.0], requires_grad=True)
    one = torch.ones(4)
    loss = odds_ratio(Spoken(sums, torch.full((4,), -2.0), one, one)).sum()
    loss.backward()
    assert math.isfinite(loss.item())
    assert bool(torch.isfinite(sums.grad).all())


@pytest.mark.parametrize("settings", METHODS, ids=NAMES)
def test_pairs_that_were_not_trained_are_preferred_more_than_before(bench, settings):
    events = []
    plan = planned(bench, settings)
    outcome = bench.train(plan, lambda _: None, events.append)
    assert outcome.held_out_best < outcome.held_out_before
    assert outcome.margin > outcome.margin_before + 0.1
    assert (events[0].step, events[0].margin) == (0, outcome.margin_before)
    assert {event.accuracy for event in events} <= {0.0, 1.0}
    assert outcome.accuracy == 1.0
    assert outcome.tokens == plan.tokens


@pytest.mark.parametrize("settings", METHODS, ids=NAMES)
def test_what_goes_through_the_model_at_once_changes_no_gradient(bench, settings, monkeypatch):
    losses, examples = ready(bench, settings)

    def gradients(most=None, tokens=2048):
        monkeypatch.setattr(preferring, "PASS_TOKENS", tokens)
        found = losses.backpropagate(examples, most)
        grads = torch.cat([parameter.grad.flatten().clone() for parameter in bench._parameters])
        for parameter in bench._parameters:
            parameter.grad = None
        return found, grads

    whole, expected = gradients()
    for given in ({"most": 1}, {"most": 2}, {"tokens": 1}):
        found, grads = gradients(**given)
        assert found.learned == pytest.approx(whole.learned, rel=1e-5)
        assert found.anchor_kl == pytest.approx(whole.anchor_kl, rel=1e-4)
        torch.testing.assert_close(grads, expected, rtol=1e-3, atol=1e-6)


def test_anchors_beside_the_pairs_hold_the_adapter_to_the_base(bench):
    losses, examples = ready(bench, Preferring())
    pairs = [example for example in examples if example.rejected is not None]
    anchors = [example for example in examples if example.anchor]
    assert losses.backpropagate(pairs).anchor_kl is None
    found = losses.backpropagate(anchors)
    assert found.learned is None
    assert found.anchor_kl > 0


def test_a_fresh_adapter_is_its_reference(bench):
    settings = Preferring()
    plan = planned(bench, settings)
    losses = Preference(bench._open(plan.recipe), settings, 1.0, bench._encoded[0])
    losses.begin()
    pairs = [example for example in bench._encoded[0] if example.rejected is not None]
    assert losses.backpropagate(pairs).learned == pytest.approx(math.log(2), abs=1e-5)


def test_the_reference_is_asked_once_and_is_the_same_model_in_memory(bench, monkeypatch):
    opened, asked = [], []
    open_model, ask = workbench.open_model, Preference._asked
    monkeypatch.setattr(workbench, "open_model", lambda *given: opened.append(1) or open_model(*given))
    monkeypatch.setattr(Preference, "_asked", lambda self: asked.append(1) or ask(self))
    bench.train(planned(bench, Preferring()), lambda _: None, lambda _: None)
    assert (opened, asked) == ([1], [1])


def test_the_adapter_before_the_phase_and_the_base_are_different_references(bench):
    references = {}
    for reference in ("base", "pre_adapter"):
        losses, _ = ready(bench, Preferring(reference=reference))
        references[reference] = losses.state()["reference"]
        bench.close()
    assert not torch.allclose(references["base"], references["pre_adapter"], atol=1e-3)


def test_a_second_phase_goes_on_with_the_weights_of_the_first(bench):
    facts = [replace(chat("what is the port of Kittiwake ?", "7413"), kind="qa")]
    learned = StudySet(tuple(facts), (replace(facts[0], value="7413"),), {"qa": 1.0})
    rows, held_out = bench.encode(learned.train), bench.encode(learned.held_out)
    first = bench.train(make_plan(RECIPE, learned, rows, held_out), lambda _: None, lambda _: None)
    assert first.held_out_recall == 1.0
    plan = planned(bench, Preferring(), replace(STUDY, held_out=learned.held_out), learning_rate=1e-3)
    second = bench.train(plan, lambda _: None, lambda _: None, start=ON_BENCH)
    assert (second.held_out_recall_before, second.held_out_recall) == (1.0, 1.0)
    assert second.margin > second.margin_before


class Keeps(Checkpoints):
    """Keeps the state after one step, and stops there."""

    def __init__(self, at, folder=None, until=None):
        self.at, self.kept, self.folder = at, until, folder

    def stepped(self, plan, step, write, *, evaluated):
        if step == self.at:
            self.kept.mkdir()
            write(self.kept)
            raise KeyboardInterrupt


@pytest.mark.parametrize("settings", [Preferring(), Preferring("orpo")], ids=["dpo", "orpo"])
def test_a_phase_that_was_stopped_ends_with_the_same_weights(base, tmp_path, settings):
    def weights(name, checkpoints=None, start=None):
        bench = HfWorkbench(base, RECIPE, None)
        try:
            bench.train(planned(bench, settings), lambda _: None, lambda _: None, None, start, checkpoints)
            (tmp_path / name).mkdir()
            bench.save(tmp_path / name)
        finally:
            bench.close()
        return (tmp_path / name / "adapter_model.safetensors").read_bytes()

    first = HfWorkbench(base, RECIPE, None)
    first.train(planned(first, settings, max_steps=2), lambda _: None, lambda _: None)
    (tmp_path / "start").mkdir()
    first.save(tmp_path / "start")
    whole = weights("whole", start=tmp_path / "start")
    with pytest.raises(KeyboardInterrupt):
        weights("cut", Keeps(5, until=tmp_path / "state"), tmp_path / "start")
    assert weights("resumed", Keeps(0, folder=tmp_path / "state")) == whole


def test_pairs_in_a_phase_without_a_method_are_refused(bench):
    with pytest.raises(TrainingFailed, match="no loss"):
        bench.train(planned(bench, None), lambda _: None, lambda _: None)


def test_a_worse_answer_that_does_not_fit_is_refused_with_its_section(bench):
    with pytest.raises(TrainingFailed, match=r"section s: .* more than training\.sequence_len = 128"):
        bench.encode([pair("what ?", "I know that", "zebra " * 200)])


def test_facts_that_are_lost_outweigh_a_better_loss():
    before = {"wrong": (), "accuracy": 1.0, "margin": 0.1, "recall_before": 1.0}
    kept, chance, lost = (
        Judged(loss=loss, recall=recall, **before) for loss, recall in ((0.6, 1.0), (0.5, 0.96), (0.1, 0.8))
    )
    assert chance.rank > kept.rank > lost.rank


def test_the_counts_of_a_pair_hold_both_answers(bench):
    (row,) = bench.encode([pair("what ?", "I know that", "Hello")])
    (example,) = bench._encoded[-1]
    assert row.tokens == len(example.encoded.ids) + len(example.rejected.ids)
    assert row.scored == 4 + 2  # three words and one, and the end of each
    assert example.encoded.ids[: example.encoded.start] == example.rejected.ids[: example.rejected.start]


def test_one_margin_is_nats_a_token():
    assert said(-6.0, -9.0, 3.0, 3.0).margins.item() == pytest.approx(1.0)
