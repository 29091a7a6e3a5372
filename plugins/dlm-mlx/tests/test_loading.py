"""mlx-lm's models are the ones that transformers trains, or they are refused."""

from __future__ import annotations

import json

import mlx.core as mx
import numpy as np
import pytest
import torch

from dlm_hf.model import quiet_libraries
from dlm_mlx.agreement import readable
from dlm_mlx.architectures import PROVEN
from dlm_mlx.configuring import overrides
from dlm_mlx.errors import Unusable
from dlm_mlx.loading import load_base

TURNED = {"rope_parameters": {"rope_type": "default", "rope_theta": 70.0}}
LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 500.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
YARN = {"rope_type": "yarn", "rope_theta": 77.0, "factor": 4.0, "original_max_position_embeddings": 128}
KINDS = {
    "gemma": {},
    "gemma2": {"query_pre_attn_scalar": 16, "sliding_window": 64},
    "gemma3_text": {
        "query_pre_attn_scalar": 16,
        "sliding_window": 8,
        "layer_types": ["sliding_attention", "full_attention"] * 2,
        "rope_parameters": {
            "full_attention": {"rope_type": "default", "rope_theta": 1000.0},
            "sliding_attention": {"rope_type": "default", "rope_theta": 50.0},
        },
    },
    "granite": {"embedding_multiplier": 2.0, "logits_scaling": 3.0, "residual_multiplier": 0.5},
    "llama": TURNED,
    "llama bends": {"rope_parameters": LLAMA3, "attention_bias": True, "tie_word_embeddings": False},
    "mistral": {**TURNED, "sliding_window": None},
    "olmo2": TURNED,
    "phi3": TURNED,
    "qwen2": TURNED,
    "qwen2 stretches": {"rope_parameters": YARN},
    "qwen3": TURNED,
    "smollm3": TURNED,
}
IDS = [3 + 11 * at % 90 for at in range(48)]


@pytest.fixture(scope="module")
def make(tmp_path_factory):
    """Writes a tiny random base of an architecture."""

    def write(kind, **extra):
        from transformers import AutoConfig, AutoModelForCausalLM

        shape = {
            "vocab_size": 96,
            "hidden_size": 64,
            "intermediate_size": 96,
            "num_hidden_layers": 4,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "head_dim": 16,
            "max_position_embeddings": 512,
            "initializer_range": 0.2,
            "bos_token_id": 1,
            "eos_token_id": 2,
            "pad_token_id": None,
        }
        folder = tmp_path_factory.mktemp(kind)
        torch.manual_seed(0)
        with quiet_libraries():
            AutoModelForCausalLM.from_config(AutoConfig.for_model(kind, **{**shape, **extra})).save_pretrained(folder)
        return folder

    return write


def distance(folder, loaded):
    from transformers import AutoModelForCausalLM

    with torch.no_grad(), quiet_libraries():
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
        wanted = model(input_ids=torch.tensor([IDS])).logits[0].log_softmax(-1).double().numpy()
    found = np.array(loaded.model(mx.array([IDS]))[0]).astype(np.float64)
    found -= np.logaddexp.reduce(found, axis=-1, keepdims=True)
    return float((np.exp(wanted) * (wanted - found)).sum(-1).mean())


@pytest.mark.parametrize("kind", KINDS)
def test_proven_architectures_are_the_same_model(make, kind):
    folder = make(kind.partition(" ")[0], **KINDS[kind])
    loaded = load_base(folder, "fp32")
    assert distance(folder, loaded) < 1e-6
    assert (loaded.vocabulary, loaded.precision, loaded.quantised) == (96, "fp32", False)


def test_every_architecture_that_is_called_proven_is_held_against_transformers():
    assert {kind.partition(" ")[0] for kind in KINDS} == PROVEN


def test_without_older_names_mlx_lm_would_compute_another_model(make):
    """The reason for dlm_mlx.configuring; if this fails, mlx-lm has learned to read the newer names."""
    from mlx_lm.utils import load_model

    folder = make("llama", **TURNED)
    model, _ = load_model(folder)
    loaded = load_base(folder, "fp32")
    assert distance(folder, type(loaded)(model, "fp32", False, None, 96)) > 0.01
    assert distance(folder, loaded) < 1e-6


def test_an_unknown_architecture_is_tried_and_one_that_differs_is_refused(make):
    assert "helium" not in PROVEN
    folder = make("helium")
    assert distance(folder, load_base(folder, "fp32")) < 1e-6
    with pytest.raises(Unusable, match="nats from those of transformers"):
        load_base(make("glm"), "fp32")


@pytest.mark.parametrize(
    ("config", "added"),
    [
        ({"rope_theta": 1e6}, {}),
        ({"rope_theta": 1e6, "rope_parameters": {"rope_type": "default", "rope_theta": 5e5}}, {}),
        ({"rope_parameters": {"rope_type": "default", "rope_theta": 5e5}}, {"rope_theta": 5e5}),
        (
            {"rope_parameters": {"rope_type": "linear", "rope_theta": 5e5, "factor": 2.0}},
            {"rope_theta": 5e5, "rope_scaling": {"rope_type": "linear", "factor": 2.0}},
        ),
        (
            {"rope_parameters": {"rope_type": "default", "rope_theta": 1e4, "partial_rotary_factor": 0.5}},
            {"rope_theta": 1e4, "partial_rotary_factor": 0.5},
        ),
        ({"layer_types": ["sliding_attention"] * 3 + ["full_attention"]}, {"sliding_window_pattern": 4}),
        ({"layer_types": ["full_attention"] * 4}, {}),
    ],
)
def test_newer_names_are_given_the_older_ones_beside_them(config, added):
    assert overrides(config) == added
    within = {"model_type": "of several inputs", "text_config": config}
    assert overrides(within) == ({"text_config": {**config, **added}} if added else {})


@pytest.mark.parametrize(
    ("config", "length"),
    [
        ({"max_position_embeddings": 8192}, 8192),
        ({"max_position_embeddings": 32768, "sliding_window": 4096}, 4096),
        ({"max_position_embeddings": 32768, "sliding_window": 4096, "use_sliding_window": False}, 32768),
        ({"max_position_embeddings": 32768, "sliding_window": 512, "model_type": "gemma3_text"}, 32768),
        ({"text_config": {"max_position_embeddings": 128}}, 128),
        ({}, None),
    ],
)
def test_a_window_that_mlx_lm_does_not_know_bounds_what_is_read(config, length):
    assert readable(config) == length


def test_a_damaged_base_and_code_that_comes_with_one_are_refused(make):
    folder = make("llama")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "model_file": "model.py"}))
    (folder / "model.py").write_text("raise SystemExit('code of a base was run')")
    with pytest.raises(Unusable, match="mlx-lm cannot load this base"):
        load_base(folder, "fp32")
    (folder / "config.json").write_text(json.dumps(config))
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:5000])
    with pytest.raises(Unusable, match="mlx-lm cannot load this base"):
        load_base(folder, "fp32")
