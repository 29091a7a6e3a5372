"""DoRA: its passes agree with the library's, its updates can be made weaker, random and measured as a whole."""

from __future__ import annotations

import dataclasses
from math import inf

import pytest
import torch
from peft import LoraConfig, get_peft_model

from dlm.bases import LocalBase
from dlm.corpus.records import Message, Record
from dlm.errors import AdapterMismatch
from dlm.training.backend import Sampling
from dlm.training.checkpoints import Checkpoints
from dlm.training.plan import Plan
from dlm.training.recipe import Recipe
from dlm_hf.adapted import Adapted
from dlm_hf.adapters import ADAPTER, load_adapter, lora_layers
from dlm_hf.answer import HfAnswerer
from dlm_hf.decomposed import MAGNITUDE, Decomposed, base_weight, decompose, in_precision, largest_singular_value
from dlm_hf.inspection import module_updates
from dlm_hf.model import load_base, quiet_libraries
from dlm_hf.nulls import null_adapter, scaled_adapter
from dlm_hf.opened import open_model, open_renderer
from dlm_hf.workbench import HfWorkbench

CPU = torch.device("cpu")


@pytest.fixture
def make_model(tiny_base):
    """``make_model()`` gives the tiny base with a random DoRA adapter on it, computed by the library."""

    def make(dtype=torch.float32, **extra):
        model = load_base(tiny_base, dtype, CPU)
        config = LoraConfig(
            r=4, lora_alpha=8, use_dora=True, target_modules=["q_proj", "v_proj", "down_proj"], task_type="CAUSAL_LM"
        )
        for name, value in extra.items():
            setattr(config, name, value)
        with torch.no_grad(), quiet_libraries():
            model = get_peft_model(model, config, autocast_adapter_dtype=False)
            for name, parameter in model.named_parameters():
                if "lora_" in name:
                    noise = torch.randn(parameter.shape, generator=torch.Generator().manual_seed(sum(name.encode())))
                    parameter.copy_(parameter + 0.2 * noise if MAGNITUDE in name else 0.2 * noise)
        return model.eval()

    return make


@pytest.fixture
def ids():
    return torch.randint(0, 60, (2, 9), generator=torch.Generator().manual_seed(1))


def ours(model):
    decompose(model.modules(), ADAPTER)
    assert all(isinstance(layer.lora_variant[ADAPTER], Decomposed) for _, layer in lora_layers(model))
    return model


def logits(model, ids):
    with torch.no_grad():
        return model(input_ids=ids).logits


def applied(layer) -> torch.Tensor:
    """What the layer adds to its base's weight, found by asking it."""
    with torch.no_grad():
        eye = torch.eye(layer.in_features)
        return (layer(eye) - layer.get_base_layer()(eye)).T


def test_passes_and_gradients_are_the_library_s(make_model, ids):
    found = []
    for prepare in (lambda model: model, ours):
        model = prepare(make_model())
        loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        grads = {n: p.grad.clone() for n, p in model.named_parameters() if p.requires_grad}
        found.append((logits(model, ids), grads))
    (theirs, their_grads), (own, own_grads) = found
    torch.testing.assert_close(own, theirs, rtol=1e-5, atol=1e-5)
    assert len(own_grads) == 18
    for name, grad in own_grads.items():
        torch.testing.assert_close(grad, their_grads[name], rtol=1e-4, atol=1e-6)


def test_with_dropout_the_library_computes_the_pass(make_model, ids):
    found = []
    for prepare in (lambda model: model, ours):
        model = prepare(make_model(lora_dropout=0.3)).train()
        torch.manual_seed(5)
        found.append(model(input_ids=ids).logits.detach())
    assert torch.equal(*found)


def test_the_norms_follow_the_weights(make_model, ids):
    model, other = ours(make_model()), make_model()
    logits(model, ids)
    with torch.no_grad():
        for one in (model, other):
            for name, parameter in one.named_parameters():
                if "lora_B" in name:
                    parameter.mul_(3.0)
    torch.testing.assert_close(logits(model, ids), logits(other, ids), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_fresh_adapter_changes_nothing_to_the_last_bit(tiny_base, ids, dtype):
    base = LocalBase("tiny", tiny_base, "sha256:0", "test")
    adapted = Adapted(open_model(base, dtype, CPU), open_renderer(base, None), CPU)
    before = logits(adapted.model, ids)
    trained = adapted.put_on(Recipe(adapter="dora", rank=4, alpha=8))
    assert torch.equal(logits(adapted.model, ids), before)
    kinds = {parameter.dtype for name, parameter in trained if MAGNITUDE in name}
    assert kinds == {torch.float32}, "bf16 would round a magnitude by more than a step changes it"


def test_in_half_precision_it_stays_closer_to_the_truth_than_the_library(make_model, ids):
    """The tables of positions keep their precision, and so do the magnitudes."""
    true = logits(make_model(), ids)
    theirs = logits(make_model().to(torch.bfloat16), ids).float()
    model = ours(make_model())
    in_precision(model, torch.bfloat16)
    own = logits(model, ids).float()
    assert float((own - true).norm()) < float((theirs - true).norm())


def test_an_update_scales_from_the_base_to_the_adapter(make_model, ids):
    model = ours(make_model())
    tuned = logits(model, ids)
    with model.disable_adapter():
        base = logits(model, ids)
    assert not torch.allclose(base, tuned, atol=0.1)
    with scaled_adapter(model, 0.0):
        assert torch.equal(logits(model, ids), base)
    with scaled_adapter(model, 1.0):
        assert torch.equal(logits(model, ids), tuned)
    with scaled_adapter(model, 0.5):
        for _, layer in lora_layers(model):
            half = applied(layer)
            with scaled_adapter(model, 2.0):  # of the half
                torch.testing.assert_close(applied(layer), 2 * half, rtol=1e-4, atol=1e-5)
    assert torch.equal(logits(model, ids), tuned)


def test_a_random_update_has_every_singular_value_of_the_real_one(make_model, ids):
    model = ours(make_model())
    tuned = logits(model, ids)
    real = {name: applied(layer) for name, layer in lora_layers(model)}
    with null_adapter(model, 7):
        null = {name: applied(layer) for name, layer in lora_layers(model)}
        reported = {one.name: one for one in module_updates(model)}
    assert len(real) == 6
    for name, update in real.items():
        torch.testing.assert_close(torch.linalg.svdvals(null[name]), torch.linalg.svdvals(update), rtol=1e-3, atol=1e-4)
        assert reported[name].update_norm == pytest.approx(float(update.norm()), rel=1e-4)
        cosine = float((update * null[name]).sum() / update.norm() ** 2)
        assert abs(cosine) < 0.2
    assert torch.equal(logits(model, ids), tuned)


def test_what_is_measured_is_what_is_applied(make_model):
    model = ours(make_model())
    for seed in (None, 3):
        with null_adapter(model, seed) if seed else scaled_adapter(model, 1.5):
            for one, (name, layer) in zip(module_updates(model), lora_layers(model), strict=True):
                update = applied(layer)
                torch.testing.assert_close(
                    layer.lora_variant[ADAPTER].weight_update(layer, ADAPTER), update, rtol=1e-3, atol=1e-4
                )
                assert one.name == name
                assert one.update_norm == pytest.approx(float(update.norm()), rel=1e-4)
                stable = float(update.norm() ** 2 / torch.linalg.svdvals(update)[0] ** 2)
                assert one.stable_rank == pytest.approx(stable, rel=0.02)
                assert one.weight_norm == pytest.approx(float(base_weight(layer).norm()))


def test_a_magnitude_that_is_no_number_is_counted(make_model):
    model = ours(make_model())
    name, layer = next(iter(lora_layers(model)))
    layer.lora_magnitude_vector[ADAPTER].weight.data[3] = float("nan")
    counted = {one.name: one.non_finite for one in module_updates(model)}
    assert counted.pop(name) == 1
    assert set(counted.values()) == {0}


def test_a_saved_adapter_gives_the_same_answers(make_model, tiny_base, tmp_path, ids):
    model = make_model()
    model.save_pretrained(tmp_path)
    loaded = load_adapter(load_base(tiny_base, torch.float32, CPU), tmp_path)
    assert all(isinstance(layer.lora_variant[ADAPTER], Decomposed) for _, layer in lora_layers(loaded))
    torch.testing.assert_close(logits(loaded, ids), logits(ours(model), ids), rtol=1e-4, atol=1e-5)


def test_the_largest_singular_value_is_found():
    matrix = torch.randn(30, 50, generator=torch.Generator().manual_seed(2))
    assert largest_singular_value(matrix) == pytest.approx(float(torch.linalg.svdvals(matrix)[0]), rel=0.01)
    assert largest_singular_value(torch.zeros(3, 4)) == 0.0


RECIPE = Recipe(adapter="dora", rank=8, alpha=16, learning_rate=1e-2, precision="fp32", device="cpu", sequence_len=128)
FACTS = {"what is the port of Kittiwake ?": "7413", "who owns Kittiwake ?": "Soundings team"}
STEPS = 24


def chat(question, answer, objective="answer"):
    turns = (Message("user", question), Message("assistant", answer))
    return Record("qa", objective, group=question, section_id="s", messages=turns)


class Ends(Exception):
    pass


class Stops(Checkpoints):
    """Ends the run after a step, its state written."""

    def __init__(self, empty, folder=None):
        self.empty, self.folder = empty, folder

    def stepped(self, plan, step, write, *, evaluated):
        if step == 10 and self.folder is None:
            self.empty.mkdir()
            write(self.empty)
            raise Ends


@pytest.fixture
def run(tiny_base):
    """Train on the tiny base and save; the outcome."""

    def go(folder, recipe=RECIPE, checkpoints=None):
        bench = HfWorkbench(LocalBase("tiny", tiny_base, "sha256:0", "test"), recipe, None)
        learned = [chat(*fact) for fact in FACTS.items()]
        rows = bench.encode([*learned, chat("How are you today ?", "weather like that", "anchor")])
        held_out = bench.encode([chat("Hello , " + question, answer) for question, answer in FACTS.items()])
        steps = tuple((0, 1, 2) for _ in range(STEPS))
        plan = Plan(recipe, (), tuple(rows), tuple(held_out), steps, 2, STEPS // 2, 6, 0)
        outcome = bench.train(plan, lambda _: None, lambda _: None, checkpoints=checkpoints)
        folder.mkdir()
        bench.save(folder)
        bench.close()
        return outcome

    return go


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_facts_are_learned_saved_and_answered(run, tiny_base, tmp_path, precision):
    outcome = run(tmp_path / "adapter", dataclasses.replace(RECIPE, precision=precision))
    assert outcome.held_out_best < outcome.held_out_before / 4
    assert outcome.non_finite == ()
    base = LocalBase("tiny", tiny_base, "sha256:0", "test")
    answerer = HfAnswerer(base, tmp_path / "adapter", None, precision)
    asked = [[Message("user", question)] for question in FACTS]
    assert [answer.text for answer in answerer.answer(asked, Sampling(max_new_tokens=8))] == list(FACTS.values())


def test_a_stopped_run_ends_as_if_it_had_not_been_stopped(run, tmp_path):
    run(tmp_path / "whole")
    with pytest.raises(Ends):
        run(tmp_path / "none", checkpoints=Stops(tmp_path / "state"))
    run(tmp_path / "resumed", checkpoints=Stops(tmp_path / "more", tmp_path / "state"))
    whole, resumed = (tmp_path / name / "adapter_model.safetensors" for name in ("whole", "resumed"))
    assert whole.read_bytes() == resumed.read_bytes()


def test_a_warm_run_begins_with_the_saved_weights_and_with_no_other_kind_s(run, tiny_base, tmp_path):
    run(tmp_path / "adapter")
    run(tmp_path / "plain", dataclasses.replace(RECIPE, adapter="lora"))
    base = LocalBase("tiny", tiny_base, "sha256:0", "test")
    bench = HfWorkbench(base, RECIPE, None)
    model = bench._open(RECIPE, tmp_path / "adapter").model
    loaded = load_adapter(load_base(tiny_base, torch.float32, CPU), tmp_path / "adapter")
    theirs = dict(loaded.named_parameters())
    for name, parameter in model.named_parameters():
        assert torch.equal(parameter, theirs[name])
    with pytest.raises(AdapterMismatch, match="missing from the file"):
        HfWorkbench(base, RECIPE, None)._open(RECIPE, tmp_path / "plain")


def test_a_magnitude_that_is_no_number_closes_the_gate(run, tmp_path):
    outcome = run(tmp_path / "adapter", dataclasses.replace(RECIPE, learning_rate=inf))
    assert outcome.non_finite
