"""Merged in numpy is what PEFT merges; a mix is the weighted sum; nothing of an adapter is left out silently."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from dlm.errors import ExportFailed, ExportRefused
from dlm.training.mixing import Mix, Part
from dlm_gguf.checkpoint import of_folder
from dlm_gguf.merging import CONFIG, WEIGHTS, Merged, read_adapter, read_parts

pytestmark = [
    pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing"),  # PEFT calls transformers so
    pytest.mark.filterwarnings("ignore:Model has|Setting .save_embedding|.*tie_word_embeddings|.*weight tying"),
]

KINDS = {
    "lora": {},
    "rank-stabilised": {"use_rslora": True, "r": 3},
    "patterns": {"rank_pattern": {"q_proj": 2, "layers.1.mlp.up_proj": 6}, "alpha_pattern": {"layers.[02].*": 5}},
    "dora": {"use_dora": True},
    "tokens": {"trainable_token_indices": [3, 200], "target_modules": ["q_proj"]},
    "tokens-by-module": {"trainable_token_indices": {"embed_tokens": [0, 383]}, "target_modules": ["v_proj"]},
    "embedding": {"target_modules": ["embed_tokens", "o_proj"]},
    "whole": {"modules_to_save": ["lm_head"], "target_modules": ["q_proj"]},
}


def merged_by_peft(base, adapter):
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), adapter).merge_and_unload()
    return {name: tensor.detach().numpy() for name, tensor in model.named_parameters()}


def merged_here(base, parts):
    merged = Merged(of_folder(base), parts)
    return {name: whole(merged, name) for name in merged.shapes}


def whole(weights, name):
    shape = weights.shapes[name]
    height = shape[0] if len(shape) > 1 else 1
    # In uneven blocks, so that a block's place in the tensor matters.
    cuts = sorted({0, min(7, height), min(50, height), height})
    return np.concatenate([weights.rows(name, a, b) for a, b in pairwise(cuts)]).reshape(shape)


@pytest.mark.parametrize("kind", KINDS)
def test_merging_gives_what_peft_merges(kind, make_base, make_adapter):
    base = make_base("llama", tie_word_embeddings=kind == "tokens")
    adapter = make_adapter(base, **KINDS[kind])
    expected, found = merged_by_peft(base, adapter), merged_here(base, read_parts(adapter))
    untouched = load_file(base / "model.safetensors")
    assert expected.keys() == found.keys()
    assert any(np.abs(expected[name] - untouched[name]).max() > 1e-3 for name in expected)
    for name, values in expected.items():
        assert np.abs(found[name] - values).max() < 1e-6, name


def test_a_mix_is_the_weighted_sum_of_what_each_adapter_adds(make_base, make_adapter):
    base = make_base()
    first, second = make_adapter(base, "a", r=2), make_adapter(base, "b", r=5, use_dora=True)
    mix = Mix((Part("a", first, 0.25), Part("b", second, 0.5)))
    found, untouched = merged_here(base, read_parts(mix)), load_file(base / "model.safetensors")
    alone = [merged_by_peft(base, folder) for folder in (first, second)]
    for name, values in found.items():
        wanted = untouched[name] + 0.25 * (alone[0][name] - untouched[name]) + 0.5 * (alone[1][name] - untouched[name])
        assert np.abs(values - wanted).max() < 1e-6, name


def test_a_mix_with_trained_embeddings_is_refused(make_base, make_adapter):
    base = make_base()
    parts = (Part("a", make_adapter(base, "a"), 0.5), Part("b", make_adapter(base, "b", **KINDS["tokens"]), 0.5))
    with pytest.raises(ExportRefused, match=r"no weighted sum.*--adapter NAME"):
        Merged(of_folder(base), read_parts(Mix(parts)))


def test_an_embedding_that_is_trained_apart_from_its_head_is_not_merged_into_both(make_base, make_adapter):
    base = make_base("llama", tie_word_embeddings=True)
    adapter = make_adapter(base, **KINDS["embedding"])
    with pytest.raises(ExportRefused, match="the head is the same matrix"):
        Merged(of_folder(base), read_parts(adapter))


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("bias", "all", "biases"),
        ("fan_in_fan_out", True, "transposed"),
        ("peft_type", "IA3", "no LoRA"),
        ("target_parameters", ["experts.down_proj"], "experts"),
    ],
)
def test_what_a_merge_cannot_do_is_refused_with_the_reason(key, value, said, make_base, make_adapter):
    adapter = make_adapter(make_base())
    config = json.loads((adapter / CONFIG).read_text())
    (adapter / CONFIG).write_text(json.dumps({**config, key: value}))
    with pytest.raises(ExportRefused, match=said):
        read_adapter(adapter)


def test_a_tensor_that_nothing_accounts_for_is_refused(make_base, make_adapter):
    adapter = make_adapter(make_base())
    tensors = load_file(adapter / WEIGHTS)
    save_file({**tensors, "base_model.model.model.norm.weight": np.ones(64, np.float32)}, adapter / WEIGHTS)
    with pytest.raises(ExportRefused, match=r"model\.norm\.weight"):
        read_adapter(adapter)


def test_half_an_update_is_a_damaged_adapter(make_base, make_adapter):
    adapter = make_adapter(make_base())
    tensors = load_file(adapter / WEIGHTS)
    save_file(
        {key: value for key, value in tensors.items() if "layers.2.mlp.up_proj.lora_B" not in key}, adapter / WEIGHTS
    )
    with pytest.raises(ExportFailed, match=r"layers\.2\.mlp\.up_proj"):
        read_adapter(adapter)


def test_an_adapter_of_another_base_is_refused(make_base, make_adapter):
    adapter = make_adapter(make_base("llama"))
    with pytest.raises(ExportRefused, match="does not fit this base"):
        Merged(of_folder(make_base("llama-biases")), read_parts(adapter))


@pytest.mark.parametrize("kind", ["bfloat16", "float16", "float64"])
def test_weights_of_other_types_are_read_exactly(kind, make_base, tmp_path):
    import torch
    from safetensors.torch import save_file as save

    values = torch.randn(9, 5, dtype=torch.float32).to(getattr(torch, kind))
    save({"x": values}, tmp_path / "model.safetensors")
    assert np.array_equal(of_folder(tmp_path).rows("x", 2, 7), values[2:7].float().numpy())


def test_a_file_that_ends_early_is_named(make_base):
    base = make_base()
    file = base / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-4000])
    weights = of_folder(base)
    last = max(weights.shapes)
    with pytest.raises(ExportFailed, match=r"model\.safetensors.*ends"):
        weights.whole(last)


def test_weights_are_read_from_the_files_that_the_index_names(tmp_path):
    save_file({"x": np.ones((2, 3), np.float32)}, tmp_path / "model-00001-of-00001.safetensors")
    save_file({"layers.0.wq": np.ones((2, 3), np.float32)}, tmp_path / "consolidated.safetensors")
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"x": "model-00001-of-00001.safetensors"}}))
    assert of_folder(tmp_path).shapes == {"x": (2, 3)}
    index.write_text(json.dumps({"weight_map": {"x": "model-00001-of-00001.safetensors", "y": "lost.safetensors"}}))
    with pytest.raises(ExportFailed, match=r"lost\.safetensors"):
        of_folder(tmp_path)
