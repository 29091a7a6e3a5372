"""An adapter on its own: llama.cpp with base and adapter computes what PEFT does."""

from __future__ import annotations

import numpy as np
import pytest

from dlm.errors import ExportRefused
from dlm.training.mixing import Mix, Part
from dlm_gguf.about import About
from dlm_gguf.adapter_file import write_adapter
from dlm_gguf.merging import read_parts
from dlm_gguf.model_file import read_base, read_config, write_model

ABOUT = About("test", "tiny")
pytestmark = [
    pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing"),  # PEFT calls transformers so
    pytest.mark.filterwarnings("ignore:Model has|Setting .save_embedding|.*tie_word_embeddings|.*weight tying"),
]

KINDS = {
    "lora": {},
    "rank-stabilised": {"use_rslora": True, "r": 3},
    "patterns": {"rank_pattern": {"q_proj": 2, "layers.1.mlp.up_proj": 6}, "alpha_pattern": {"layers.[02].*": 5}},
}


def both(base, adapter, tmp_path):
    write_model(read_base(base, None), [], "F32", ABOUT, tmp_path / "base.gguf")
    write_adapter(read_parts(adapter), read_config(base), ABOUT, tmp_path / "adapter.gguf")
    return tmp_path / "base.gguf", tmp_path / "adapter.gguf"


@pytest.mark.parametrize("kind", KINDS)
def test_an_adapter_beside_its_base_computes_what_peft_does(
    kind, make_base, make_adapter, expected, served, some_ids, tmp_path
):
    base = make_base("llama")
    adapter = make_adapter(base, **KINDS[kind])
    wanted = expected(base, some_ids, adapter)
    assert np.abs(wanted - expected(base, some_ids)).max() > 0.3
    assert np.abs(served(*_swapped(both(base, adapter, tmp_path), some_ids)) - wanted).max() < 1e-3


@pytest.mark.parametrize("name", ["qwen3", "phi3", "gemma3", "smollm3", "olmo2"])
def test_adapters_of_other_architectures_are_named_and_turned_as_their_bases(
    name, make_base, make_adapter, expected, served, some_ids, tmp_path
):
    base = make_base(name)
    adapter = make_adapter(base)
    found = served(*_swapped(both(base, adapter, tmp_path), some_ids))
    assert np.abs(found - expected(base, some_ids, adapter)).max() < 1e-2


def test_a_mix_is_one_adapter_of_stacked_ranks(make_base, make_adapter, served, some_ids, tmp_path):
    base = make_base("llama")
    mix = Mix(
        (
            Part("a", make_adapter(base, "a", r=2), 0.75),
            Part("b", make_adapter(base, "b", r=5, target_modules=["q_proj", "down_proj"], use_rslora=True), 0.5),
        )
    )
    write_model(read_base(base, None), read_parts(mix), "F32", ABOUT, tmp_path / "merged.gguf")
    found = served(*_swapped(both(base, mix, tmp_path), some_ids))
    assert np.abs(found - served(tmp_path / "merged.gguf", some_ids)).max() < 1e-3


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"use_dora": True}, "DoRA"),
        ({"trainable_token_indices": [3], "target_modules": ["q_proj"]}, "trained embeddings"),
        ({"target_modules": ["embed_tokens", "q_proj"]}, "embed_tokens"),
    ],
)
def test_what_a_gguf_adapter_cannot_hold_is_refused_and_merged_is_the_way_out(
    settings, said, make_base, make_adapter, tmp_path
):
    base = make_base("llama", tie_word_embeddings=False)
    with pytest.raises(ExportRefused, match=f"{said}.*--merged"):
        write_adapter(read_parts(make_adapter(base, **settings)), read_config(base), ABOUT, tmp_path / "a.gguf")


def _swapped(files, ids):
    model, adapter = files
    return model, ids, adapter
