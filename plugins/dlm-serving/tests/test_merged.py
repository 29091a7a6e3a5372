"""A merged folder is the model that PEFT makes of base and adapter."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from dlm.training.mixing import Mix, Part
from dlm_serving.merged import write_merged

pytestmark = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning")
IDS = torch.tensor([[1, 5, 6, 7, 8, 9, 10]])


def in_type(base: Path, folder: Path, dtype: torch.dtype) -> Path:
    AutoModelForCausalLM.from_pretrained(base, dtype=dtype).save_pretrained(folder)
    AutoTokenizer.from_pretrained(base).save_pretrained(folder)
    return folder


@pytest.mark.parametrize("settings", [{}, {"use_dora": True}, {"trainable_token_indices": [5, 6]}])
def test_the_merged_model_is_the_base_with_its_adapter(base_folder, make_adapter, tmp_path, settings) -> None:
    adapter = make_adapter(7, **settings)
    assert write_merged(base_folder, adapter, tmp_path / "model", None) == {"F32": 20}
    expected = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base_folder), adapter).eval()
    found = AutoModelForCausalLM.from_pretrained(tmp_path / "model")
    with torch.no_grad():
        assert torch.allclose(found(IDS).logits, expected(IDS).logits, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_weights_are_rounded_once_to_the_base_s_own_type(base_folder, make_adapter, tmp_path, dtype) -> None:
    base, adapter = in_type(base_folder, tmp_path / "base", dtype), make_adapter(8)
    write_merged(base, adapter, tmp_path / "model", None)
    exact = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    expected = PeftModel.from_pretrained(exact, adapter).merge_and_unload()
    found = AutoModelForCausalLM.from_pretrained(tmp_path / "model", dtype="auto")
    assert found.dtype == dtype
    for name, parameter in expected.named_parameters():
        assert found.get_parameter(name).equal(parameter.to(dtype)), name


def test_a_mix_is_merged_with_its_weights(base_folder, make_adapter, tmp_path) -> None:
    one, two = make_adapter(9), make_adapter(10)
    mix = Mix((Part("one", one, 0.5), Part("two", two, 2.0)))
    write_merged(base_folder, mix, tmp_path / "model", None)
    parts = [
        PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base_folder), folder).merge_and_unload()
        for folder in (one, two)
    ]
    base = AutoModelForCausalLM.from_pretrained(base_folder)
    found = AutoModelForCausalLM.from_pretrained(tmp_path / "model")
    for name, weight in base.named_parameters():
        added = sum(w * (p.get_parameter(name) - weight) for w, p in zip((0.5, 2.0), parts, strict=True))
        assert torch.allclose(found.get_parameter(name), weight + added, atol=1e-6), name


def test_its_tokenizer_has_the_template_and_no_file_names_this_machine(base_folder, make_adapter, tmp_path) -> None:
    write_merged(base_folder, make_adapter(11), tmp_path / "model", "{{ messages[0]['content'] }}!")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "model")
    assert tokenizer.apply_chat_template([{"role": "user", "content": "hello"}], tokenize=False) == "hello!"
    for path in (tmp_path / "model").iterdir():
        assert str(base_folder).encode() not in path.read_bytes(), path
