"""Packed examples give the numbers they would give alone, and the gradients too."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from dlm_hf.model import load_base, load_tokenizer
from dlm_hf.packing import filled, forward_packed, pack, packs_exactly
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


@pytest.mark.parametrize("architecture", ["llama", "gpt2"])
@pytest.mark.parametrize("count", [1, 4])
def test_what_a_pass_is_filled_up_with_changes_neither_logits_nor_gradients(models, architecture, count):
    model, renderer = models(architecture)
    packed = pack(examples_of(renderer)[:count], renderer.shared_prefix)
    fuller = filled(packed, None)
    assert fuller.input_ids.shape[1] > packed.input_ids.shape[1]
    assert fuller.keep.shape[0] > packed.keep.shape[0]
    weight = next(parameter for name, parameter in model.named_parameters() if "attn" in name and parameter.ndim == 2)
    found = []
    for one in (packed, fuller):
        model.zero_grad()
        logits = forward_packed(model, one)
        F.cross_entropy(logits, one.targets, reduction="sum").backward()
        found.append((logits.detach(), weight.grad.clone()))
    torch.testing.assert_close(found[0], found[1], atol=1e-4, rtol=1e-3)


def test_a_row_as_long_as_the_model_can_read_is_not_filled_beyond_it():
    row = Encoded(tuple(range(3, 23)) * 2, 1)
    whole = filled(pack([row], []), 39)
    assert whole.input_ids.shape[1] == 39
    assert filled(pack([row], []), 42).position_ids.tolist() == [list(range(42))]


def test_passes_of_all_lengths_have_few_sizes_and_none_grows_by_more_than_an_eighth():
    def size(tokens: int) -> int:
        return filled(pack([Encoded(tuple([3] * (tokens + 1)), tokens)], []), None).input_ids.shape[1]

    sizes = {tokens: size(tokens) for tokens in range(1, 1025)}
    assert len(set(sizes.values())) <= 8 + 3 * 8
    assert all(0 <= large - tokens <= max(15, tokens // 8) for tokens, large in sizes.items())


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
