"""Packed examples give the numbers they would give alone, and the gradients too."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from dlm_hf.model import load_base, load_tokenizer
from dlm_hf.packing import forward_packed, pack, packs_exactly
from dlm_hf.render import Encoded, Renderer

CPU = torch.device("cpu")
QUESTIONS = ("what is the port of Kittiwake ?", "who owns Kittiwake ?", "hello")


@pytest.fixture(scope="module")
def models(make_base):
    cache = {}

    def get(architecture):
        if architecture not in cache:
            folder = make_base(architecture)
            cache[architecture] = load_base(folder, torch.float32, CPU), Renderer(load_tokenizer(folder))
        return cache[architecture]

    return get


def examples_of(renderer: Renderer) -> list[Encoded]:
    chats = [renderer.example([("user", q), ("assistant", "Soundings team 7413")]) for q in QUESTIONS]
    return [*chats, Encoded(tuple(renderer.text_ids("Kittiwake runs on gannet and petrel")), 1)]


def alone(model, example: Encoded) -> torch.Tensor:
    logits = model(torch.tensor([example.ids[:-1]])).logits[0]
    return logits[example.start - 1 :]


@pytest.mark.parametrize("architecture", ["llama", "qwen2", "qwen3", "olmo2"])
def test_logits_are_those_of_each_example_alone(models, architecture):
    model, renderer = models(architecture)
    examples = examples_of(renderer)
    with torch.no_grad():
        packed = pack(examples, renderer.shared_prefix)
        together = forward_packed(model, packed)
        expected = torch.cat([alone(model, example) for example in examples])
    torch.testing.assert_close(together, expected, atol=2e-5, rtol=1e-4)
    assert packed.targets.tolist() == [t for e in examples for t in e.ids[e.start :]]
    assert packs_exactly(model, renderer)


def test_gradients_through_the_shared_prefix_are_the_sum_over_examples(models):
    model, renderer = models("llama")
    examples = examples_of(renderer)
    weight = model.model.layers[0].self_attn.q_proj.weight

    def gradient(packs):
        model.zero_grad()
        for packed in packs:
            F.cross_entropy(forward_packed(model, packed), packed.targets, reduction="sum").backward()
        return weight.grad.clone()

    together = gradient([pack(examples, renderer.shared_prefix)])
    apart = gradient([pack([example], []) for example in examples])
    torch.testing.assert_close(together, apart, atol=1e-4, rtol=1e-3)


def test_the_shared_prefix_is_computed_once(models):
    _, renderer = models("llama")
    examples = examples_of(renderer)[:3]
    shared, whole = pack(examples, renderer.shared_prefix), pack(examples, [])
    assert whole.input_ids.shape[1] - shared.input_ids.shape[1] == 2 * len(renderer.shared_prefix)


def test_a_model_that_ignores_the_mask_is_found_out(models):
    model, renderer = models("llama")

    class Deaf(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = model

        def forward(self, attention_mask=None, **arguments):
            return self.inner(**arguments)

    assert not packs_exactly(Deaf(), renderer)
