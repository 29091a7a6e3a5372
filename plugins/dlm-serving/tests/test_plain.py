"""What a server reads of an adapter gives the same model as PEFT with the adapter itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from dlm.errors import ExportRefused
from dlm.training.mixing import Mix, Part
from dlm_serving.plain import copy_or_write

pytestmark = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning")
IDS = torch.tensor([[1, 5, 6, 7, 8, 9, 10]])


def logits(base: Path, adapter: Path | None = None) -> torch.Tensor:
    model = AutoModelForCausalLM.from_pretrained(base)
    if adapter is not None:
        model = PeftModel.from_pretrained(model, adapter)
    with torch.no_grad():
        return model(IDS).logits


def test_patterns_of_ranks_and_alphas_are_folded_into_one_rank_and_scale(base_folder, make_adapter, tmp_path):
    adapter = make_adapter(
        2, rank_pattern={"q_proj": 2, r"layers\.1\.mlp\.up_proj": 7}, alpha_pattern={"v_proj": 30}, use_rslora=True
    )
    rank = copy_or_write(adapter, tmp_path / "plain", "org/base", None)
    config = json.loads((tmp_path / "plain" / "adapter_config.json").read_text())
    assert (rank, config["r"], config["lora_alpha"]) == (7, 7, 7)
    assert not (config["rank_pattern"])
    assert not (config["alpha_pattern"])
    assert not (config["use_rslora"])
    before, found = logits(base_folder), logits(base_folder, tmp_path / "plain")
    expected = logits(base_folder, adapter)
    assert (expected - before).abs().max() > 0.01
    assert torch.allclose(found, expected, atol=1e-5)


def test_a_mix_is_the_weighted_sum_of_the_updates_of_its_parts(base_folder, make_adapter, tmp_path):
    one, two = make_adapter(3), make_adapter(4, r=6, lora_alpha=3, target_modules=["q_proj", "down_proj"])
    mix = Mix((Part("one", one, 0.75), Part("two", two, 0.5)))
    assert copy_or_write(mix, tmp_path / "plain", "org/base", None) == 10
    expected = AutoModelForCausalLM.from_pretrained(base_folder)
    with torch.no_grad():
        for folder, weight in ((one, 0.75), (two, 0.5)):
            own = AutoModelForCausalLM.from_pretrained(base_folder)
            merged = PeftModel.from_pretrained(own, folder).merge_and_unload()
            untouched = dict(AutoModelForCausalLM.from_pretrained(base_folder).named_parameters())
            changed = dict(merged.named_parameters())
            for name, parameter in expected.named_parameters():
                parameter += weight * (changed[name] - untouched[name])
        assert torch.allclose(logits(base_folder, tmp_path / "plain"), expected(IDS).logits, atol=1e-5)


def test_a_plain_adapter_keeps_its_tensors_byte_for_byte_and_names_the_base_as_others_know_it(make_adapter, tmp_path):
    adapter = make_adapter(5)
    copy_or_write(adapter, tmp_path / "plain", "org/base", "f" * 40)
    name = "adapter_model.safetensors"
    assert (tmp_path / "plain" / name).read_bytes() == (adapter / name).read_bytes()
    text = (tmp_path / "plain" / "adapter_config.json").read_text()
    assert json.loads(text)["base_model_name_or_path"] == "org/base"
    assert str(adapter.parent) not in text


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"use_dora": True}, "DoRA"),
        ({"modules_to_save": ["lm_head"]}, "whole modules"),
        ({"trainable_token_indices": [3, 4]}, "embeddings of tokens"),
        ({"target_modules": ["q_proj", "embed_tokens"]}, "embed_tokens"),
    ],
)
def test_what_is_more_than_updates_of_layers_is_refused_with_the_reason(make_adapter, tmp_path, settings, why):
    with pytest.raises(ExportRefused, match=why):
        copy_or_write(make_adapter(6, **settings), tmp_path / "plain", "org/base", None)
