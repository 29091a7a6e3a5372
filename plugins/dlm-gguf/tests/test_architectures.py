"""Every kind of base: llama.cpp computes from our file what transformers computes from its own."""

from __future__ import annotations

import json

import numpy as np
import pytest

from dlm.bases.registry import BASES as REGISTERED
from dlm.errors import ExportRefused
from dlm_gguf.about import About
from dlm_gguf.architectures import refusal
from dlm_gguf.header import read_header
from dlm_gguf.model_file import read_base, write_model

ABOUT = About("test", "tiny")


def test_llama_cpp_computes_what_transformers_does(base_name, make_base, expected, served, some_ids, tmp_path):
    base = make_base(base_name)
    write_model(read_base(base, None), [], "F32", ABOUT, tmp_path / "model.gguf")
    wanted, found = expected(base, some_ids), served(tmp_path / "model.gguf", some_ids)
    assert np.std(wanted) > 0.3
    # llama.cpp reads GELU from a table of half-precision numbers.
    assert np.abs(found - wanted).max() < (1e-2 if base_name.startswith("gemma") else 1e-3)


@pytest.mark.parametrize("base", REGISTERED, ids=lambda base: base.key)
def test_every_registered_base_is_of_an_architecture_that_can_be_written(base):
    assert refusal({"model_type": base.architecture}) is None


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"model_type": "mamba"}, "mamba is none of"),
        ({"model_type": "qwen2_vl", "vision_config": {}}, "more than text"),
        ({"model_type": "llama", "hidden_act": "gelu"}, "gelu"),
        ({"model_type": "llama", "rope_scaling": {"type": "dynamic", "factor": 2.0}}, "dynamic"),
        ({"model_type": "qwen3", "rope_scaling": {"rope_type": "yarn", "mscale": 0.7}}, "mscale"),
        ({"model_type": "qwen2", "use_sliding_window": True, "sliding_window": 64}, "window"),
        ({"model_type": "qwen3", "layer_types": ["sliding_attention"]}, "window"),
        ({"model_type": "smollm3", "num_hidden_layers": 4, "no_rope_layers": [1, 1, 1, 1]}, "every fourth"),
        ({"model_type": "gemma2", "head_dim": 128, "query_pre_attn_scalar": 144, "num_hidden_layers": 8}, "144"),
        ({"model_type": "gemma3_text", "num_hidden_layers": 2, "layer_types": ["full_attention"] * 2}, "number 6"),
        ({"model_type": "gemma3_text", "final_logit_softcapping": 30.0}, "limits its logits"),
        ({"model_type": "llama", "quantization_config": {"bits": 4}}, "fewer bits"),
    ],
)
def test_what_llama_cpp_would_compute_otherwise_is_refused(config, said):
    assert said in str(refusal(config))


def test_a_tensor_without_a_place_is_refused_by_name(make_base):
    base = make_base("llama-biases")
    config = json.loads((base / "config.json").read_text())
    (base / "config.json").write_text(json.dumps({**config, "model_type": "mistral"}))
    with pytest.raises(ExportRefused, match=r"layers\.0\.mlp\.down_proj\.bias"):
        write_model(read_base(base, None), [], "F32", ABOUT, base / "model.gguf")


def test_a_window_that_llama_cpp_ignores_limits_the_context(make_base, tmp_path):
    base = make_base("mistral", sliding_window=24)
    write_model(read_base(base, None), [], "F32", ABOUT, tmp_path / "model.gguf")
    assert read_header(tmp_path / "model.gguf").metadata["llama.context_length"] == 24
