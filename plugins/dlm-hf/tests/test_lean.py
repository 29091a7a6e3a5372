"""Scoring's own ways through a model: shorter, and the same numbers as the library's."""

from __future__ import annotations

import copy
from types import SimpleNamespace

import pytest
import torch

from dlm_hf.adapters import load_adapter, lora_layers
from dlm_hf.attending import NAME, SHORTEST, use_blocks
from dlm_hf.batches import Limits, plan
from dlm_hf.drawing import Draws
from dlm_hf.lean import LeanLinear, Switch, make_lean
from dlm_hf.model import load_base
from dlm_hf.nulls import null_adapter
from dlm_hf.passes import batch_logits
from dlm_hf.render import Encoded

CPU = torch.device("cpu")


@pytest.fixture
def adapted(tiny_base, write_adapter, tmp_path):
    def make(**extra):
        folder = write_adapter(tiny_base, tmp_path / "adapter", **extra)
        return load_adapter(load_base(tiny_base, torch.float32, CPU), folder)

    return make


def logits(model, length=40):
    ids = torch.randint(3, 60, (2, length), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        return model(input_ids=ids).logits


def close(one, other):
    torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("extra", [{}, {"use_rslora": True}, {"use_dora": True}])
def test_a_lean_layer_gives_what_the_library_gives(adapted, extra):
    model = adapted(**extra)
    theirs = logits(model)
    make_lean(model)
    assert all(isinstance(layer, LeanLinear) for _, layer in lora_layers(model))
    close(logits(model), theirs)


def test_a_lean_layer_leaves_gradients_to_the_library(adapted):
    model = adapted()
    make_lean(model)
    weight = next(iter(lora_layers(model)))[1].lora_A["default"].weight.requires_grad_(True)
    model(input_ids=torch.arange(3, 12)[None]).logits.sum().backward()
    assert weight.grad is not None
    assert bool(weight.grad.abs().sum() > 0)


def test_switched_off_is_the_base_to_the_last_bit_and_on_again_is_the_adapter(adapted, tiny_base):
    model, base = adapted(), load_base(tiny_base, torch.float32, CPU)
    make_lean(model)
    switch, tuned = Switch(model), logits(model)
    with switch.off():
        assert torch.equal(logits(model), logits(base))
    assert torch.equal(logits(model), tuned)
    assert not torch.equal(tuned, logits(base))


def test_a_remembered_draw_is_the_draw(adapted):
    model, draws = adapted(), Draws(limit=20_000)
    fresh = []
    for seed in (1, 2, 3):
        with null_adapter(model, seed):
            fresh.append(logits(model))
    for _ in range(2):
        for seed, expected in zip((1, 2, 3), fresh, strict=True):
            with null_adapter(model, seed, draws=draws):
                assert torch.equal(logits(model), expected)
            assert draws.held <= draws.limit
    assert not torch.equal(fresh[0], fresh[1])


@pytest.mark.parametrize("architecture", ["llama", "qwen2", "qwen3", "gemma2"])
def test_attention_in_blocks_gives_what_the_library_gives(make_base, architecture):
    try:
        plain = load_base(make_base(architecture), torch.float32, CPU)
    except ValueError:
        pytest.skip(f"{architecture} has no such attention here")
    blocked = copy.deepcopy(plain)
    use_blocks(blocked)
    assert blocked.config._attn_implementation == NAME
    draw = torch.Generator().manual_seed(2)
    trunk = tuple(torch.randint(3, 60, (200,), generator=draw).tolist())
    loose = [tuple(torch.randint(3, 60, (90,), generator=draw).tolist()) for _ in range(3)]
    examples = [Encoded((*trunk, *range(at, at + 9)), 203) for at in range(3, 30, 5)] + [
        Encoded(ids, 80) for ids in loose
    ]
    (batch,) = plan(examples, Limits(4096, 4096, None))
    (alone,) = plan([Encoded(trunk, 1)], Limits(4096, 4096, None))
    assert len(trunk) > SHORTEST
    for one in (batch, alone):
        with torch.no_grad():
            theirs, ours = (batch_logits(model, one, SimpleNamespace(pad_id=0), CPU) for model in (plain, blocked))
        close(ours, theirs)
    with torch.no_grad():
        close(logits(blocked, 200), logits(plain, 200))


def test_what_stands_behind_nested_beginnings_shares_one_pass():
    text = tuple(range(1000, 2024))
    items = [
        Encoded((*text[:length], *range(at, at + 6)), length + 5) for length in (256, 512, 1024) for at in range(8)
    ]
    found = plan(items, Limits(512, 4096, None))
    assert len(found) == 1
    assert sorted(piece.item for piece in found[0]) == list(range(24))


def test_a_short_common_beginning_makes_no_long_pass():
    items = [Encoded((*range(20), *range(100 + 40 * at, 140 + 40 * at)), 21) for at in range(100)]
    sizes = [20 + 40 * len(batch) for batch in plan(items, Limits(512, 100_000, None))]
    assert max(sizes) <= 560
