"""A random adapter has the size of the real one and nothing else of it, and leaves no trace."""

from __future__ import annotations

import pytest
import torch
from peft import IA3Config, LoraConfig, get_peft_model

from dlm_hf.adapters import lora_layers
from dlm_hf.inspection import module_updates
from dlm_hf.model import load_base, quiet_libraries
from dlm_hf.nulls import null_adapter, plain_lora, scaled_adapter
from dlm_sway.errors import NotSupported

CPU = torch.device("cpu")


@pytest.fixture
def make_model(tiny_base):
    """``make_model(**lora)`` gives the tiny base with a random LoRA adapter on it."""

    def make(targets=("q_proj", "v_proj", "down_proj"), **extra):
        model = load_base(tiny_base, torch.float32, CPU)
        config = LoraConfig(r=4, lora_alpha=8, target_modules=list(targets), task_type="CAUSAL_LM", **extra)
        with torch.no_grad(), quiet_libraries():
            model = get_peft_model(model, config)
            for name, parameter in model.named_parameters():
                if "lora_" in name:
                    generator = torch.Generator().manual_seed(sum(name.encode()))
                    parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.2)
        return model.eval()

    return make


def factors(model):
    return {
        name: (layer.lora_A["default"].weight.detach().clone(), layer.lora_B["default"].weight.detach().clone())
        for name, layer in lora_layers(model)
    }


def same(one, other):
    return all(torch.equal(a, b) for name in one for a, b in zip(one[name], other[name], strict=True))


def products(model):
    return {name: (b @ a).double() for name, (a, b) in factors(model).items()}


def test_every_singular_value_stays_and_the_direction_does_not(make_model):
    model = make_model()
    real = products(model)
    with null_adapter(model, 7):
        null = products(model)
    assert len(real) == 6
    for name in real:
        expected, found = torch.linalg.svdvals(real[name]), torch.linalg.svdvals(null[name])
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)
        assert float(null[name].norm()) == pytest.approx(float(real[name].norm()), rel=1e-6)
        cosine = float((real[name] * null[name]).sum() / real[name].norm() ** 2)
        assert abs(cosine) < 0.2


def test_the_direction_is_random_on_average(make_model):
    model = make_model(targets=("v_proj",))
    real = products(model)
    cosines = []
    for seed in range(40):
        with null_adapter(model, seed):
            null = products(model)
        cosines += [float((real[name] * null[name]).sum() / real[name].norm() ** 2) for name in real]
    assert abs(sum(cosines) / len(cosines)) < 0.02
    assert min(cosines) < 0 < max(cosines)


def test_a_seed_is_a_draw(make_model):
    model, seen = make_model(), []
    for seed in (1, 1, 2):
        with null_adapter(model, seed):
            seen.append(factors(model))
    assert same(seen[0], seen[1])
    assert not same(seen[0], seen[2])


def test_a_module_is_drawn_by_its_name_and_not_by_its_place(make_model):
    whole, part = make_model(), make_model(targets=("v_proj",))
    with null_adapter(whole, 3), null_adapter(part, 3):
        one, other = factors(whole), factors(part)
    assert len(other) == 2
    assert same(other, one)
    names = list(other)
    assert not torch.equal(one[names[0]][0].abs().sum(0).argsort(), one[names[1]][0].abs().sum(0).argsort())


@pytest.mark.parametrize("error", [None, RuntimeError, KeyboardInterrupt])
def test_the_originals_come_back_bit_for_bit(make_model, error):
    model = make_model()
    before = factors(model)
    places = [p.data_ptr() for name, p in model.named_parameters() if "lora_" in name]
    try:
        with null_adapter(model, 5):
            assert not same(factors(model), before)
            if error:
                raise error
    except (RuntimeError, KeyboardInterrupt):
        assert error is not None
    assert same(factors(model), before)
    assert [p.data_ptr() for name, p in model.named_parameters() if "lora_" in name] == places


def test_the_adapter_is_restored_when_a_draw_fails_half_way(make_model, monkeypatch):
    model = make_model()
    before, calls = factors(model), []

    def failing(n, generator):
        calls.append(n)
        if len(calls) == 6:
            raise MemoryError
        return torch.arange(n), -torch.ones(n)

    monkeypatch.setattr("dlm_hf.drawing.draw", failing)
    with pytest.raises(MemoryError), null_adapter(model, 0):
        pass
    assert same(factors(model), before)


def test_inspected_sizes_are_equal_to_rounding(make_model):
    model = make_model(use_rslora=True)
    real = {update.name: update for update in module_updates(model)}
    with null_adapter(model, 11):
        null = {update.name: update for update in module_updates(model)}
    for name, update in real.items():
        assert null[name].update_norm == pytest.approx(update.update_norm, rel=1e-12)
        assert null[name].stable_rank == pytest.approx(update.stable_rank, rel=1e-12)


def test_a_learned_bias_of_the_update_is_shuffled_with_its_rows(tiny_base):
    model = load_base(tiny_base, torch.float32, CPU)
    layer_type = torch.nn.Linear
    for layer in model.model.layers:
        old = layer.self_attn.q_proj
        layer.self_attn.q_proj = layer_type(old.in_features, old.out_features, bias=True)
    config = LoraConfig(r=2, target_modules=["q_proj"], lora_bias=True, task_type="CAUSAL_LM")
    with quiet_libraries():
        model = get_peft_model(model, config)
    ups = [layer.lora_B["default"] for _, layer in lora_layers(model)]
    with torch.no_grad():
        for up in ups:
            up.bias.copy_(torch.arange(1.0, len(up.bias) + 1))
            up.weight[:, 0] = up.bias
    with null_adapter(model, 1):
        for up in ups:
            assert torch.equal(up.bias, up.weight[:, 0])
            assert sorted(up.bias.abs().tolist()) == [float(n) for n in range(1, len(up.bias) + 1)]
    assert all(up.bias.tolist() == [float(n) for n in range(1, len(up.bias) + 1)] for up in ups)


def test_a_scaled_adapter_is_a_multiple_and_the_scale_comes_back(make_model):
    model = make_model(rank_pattern={"q_proj": 2})
    layers = dict(lora_layers(model))
    before = {name: layer.scaling["default"] for name, layer in layers.items()}
    assert set(before.values()) == {2.0, 4.0}
    real = {name: layer.get_delta_weight("default") for name, layer in layers.items()}
    with scaled_adapter(model, 0.25):
        for name, layer in layers.items():
            torch.testing.assert_close(layer.get_delta_weight("default"), real[name] * 0.25)
    with pytest.raises(RuntimeError), scaled_adapter(model, 0.25):
        raise RuntimeError
    assert {name: layer.scaling["default"] for name, layer in layers.items()} == before


@pytest.mark.filterwarnings("ignore:Model has `tie_word_embeddings:UserWarning")
@pytest.mark.parametrize(
    ("extra", "reason"),
    [
        ({"use_dora": True}, "DoRA"),
        ({"modules_to_save": ["lm_head"]}, "whole modules \\(lm_head\\)"),
        ({"targets": ("q_proj", "embed_tokens")}, "changes the embeddings"),
    ],
)
@pytest.mark.parametrize("change", [null_adapter, scaled_adapter])
def test_what_is_more_than_plain_lora_is_refused_with_the_reason(make_model, change, extra, reason):
    model = make_model(**extra)
    with pytest.raises(NotSupported, match=reason), change(model, 1):
        pass


def test_an_adapter_that_is_not_lora_is_refused(tiny_base):
    config = IA3Config(target_modules=["k_proj"], feedforward_modules=[], task_type="CAUSAL_LM")
    with quiet_libraries():
        model = get_peft_model(load_base(tiny_base, torch.float32, CPU), config)
    with pytest.raises(NotSupported, match="the adapter is IA3, not LoRA"), null_adapter(model, 1):
        pass


@pytest.fixture
def embedded(make_model):
    """The tiny base with an adapter that also holds the embeddings of three tokens; its rows, and the base's own."""
    model = make_model(trainable_token_indices=[3, 7, 12])
    (rows,) = [parameter for name, parameter in model.named_parameters() if "trainable_tokens_delta" in name]
    own = rows.detach().clone()
    with torch.no_grad():
        rows.add_(0.3 * torch.randn(rows.shape, generator=torch.Generator().manual_seed(5)))
    return model, rows, own


def test_embeddings_of_tokens_go_as_far_in_a_random_direction_and_come_back(embedded):
    model, rows, own = embedded
    trained = rows.detach().clone()
    way = torch.linalg.svdvals(trained - own)
    with null_adapter(model, 1):
        drawn = rows.detach().clone()
        torch.testing.assert_close(torch.linalg.svdvals(drawn - own), way)
        assert not torch.allclose(drawn, trained)
    assert torch.equal(rows, trained)
    with null_adapter(model, 1):
        assert torch.equal(rows, drawn)
    with null_adapter(model, 2):
        assert not torch.equal(rows, drawn)
    with pytest.raises(RuntimeError), null_adapter(model, 1):
        raise RuntimeError
    assert torch.equal(rows, trained)


def test_an_adapter_with_embeddings_is_made_weaker_as_a_whole(embedded):
    model, rows, own = embedded
    ids = torch.tensor([[3, 7, 12, 9]])
    with torch.no_grad():
        with model.disable_adapter():
            base = model(input_ids=ids).logits
        whole = model(input_ids=ids).logits
        assert not torch.allclose(base, whole)
        trained = rows.detach().clone()
        with scaled_adapter(model, 0.5):
            torch.testing.assert_close(rows.detach(), (own + trained) / 2)
        with scaled_adapter(model, 0.0):
            torch.testing.assert_close(model(input_ids=ids).logits, base)
        assert torch.equal(model(input_ids=ids).logits, whole)


def test_updates_in_other_places_know_nothing_of_embeddings(embedded):
    with pytest.raises(NotSupported, match="trained embeddings"):
        plain_lora(embedded[0], "this")
