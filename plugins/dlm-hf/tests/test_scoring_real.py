"""The same numbers on a real base, with a real tokenizer and chat template."""

from __future__ import annotations

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model

from dlm_hf.model import load_base, load_tokenizer, quiet_libraries
from dlm_hf.scoring import HfScoring
from dlm_sway.data import general_items
from dlm_sway.scoring.types import BASE, FT, Item, View
from dlm_sway.spec.models import ModelSpec, SuiteDefaults
from dlm_sway.suite.target import ModelPair

pytestmark = pytest.mark.slow
CPU = torch.device("cpu")
ITEMS = general_items()[::8]


@pytest.fixture(scope="module")
def make_backend(real_base, tmp_path_factory):
    """``make_backend(spread)`` scores a random adapter whose B has that standard deviation."""

    def make(spread):
        folder = tmp_path_factory.mktemp("adapter")
        torch.manual_seed(0)
        config = LoraConfig(r=8, lora_alpha=16, target_modules="all-linear", task_type="CAUSAL_LM")
        with quiet_libraries(), torch.no_grad():
            model = get_peft_model(load_base(real_base.path, torch.float32, CPU), config)
            for name, parameter in model.named_parameters():
                if "lora_B" in name:
                    parameter.copy_(torch.randn_like(parameter) * spread)
            model.save_pretrained(folder)
        spec = ModelSpec(base=str(real_base.path), adapter=folder, device="cpu")
        return HfScoring(ModelPair(spec, spec), SuiteDefaults())

    return make


def test_packed_scores_are_those_of_each_answer_alone(make_backend, real_base):
    backend = make_backend(0.01)
    tokenizer = load_tokenizer(real_base.path)
    base = load_base(real_base.path, torch.float32, CPU)
    with quiet_libraries():
        tuned = PeftModel.from_pretrained(
            load_base(real_base.path, torch.float32, CPU), backend.models.ft.adapter, torch_device="cpu"
        ).eval()
    for item, one in zip(ITEMS, backend.compare(ITEMS, FT), strict=True):
        turns = [{"role": "user", "content": item.prompt}]
        prompt = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        start = len(tokenizer(prompt).input_ids)
        ids = tokenizer(prompt + item.reference + "<|im_end|>").input_ids
        with torch.no_grad():
            q, p = (
                model(input_ids=torch.tensor([ids])).logits[0, start - 1 : -1].double().log_softmax(-1)
                for model in (base, tuned)
            )
        at = torch.tensor(ids[start:])[:, None]
        assert one.positions == len(ids) - start
        assert one.kl == pytest.approx(float((p.exp() * (p - q)).sum(-1).mean()), abs=1e-5)
        assert one.base_logprob == pytest.approx(float(q.gather(-1, at).sum()), abs=1e-3)
        assert one.view_logprob == pytest.approx(float(p.gather(-1, at).sum()), abs=1e-3)


def test_a_random_adapter_is_one_of_its_nulls_and_an_untouched_one_is_the_base(make_backend):
    noise = make_backend(0.0).compare(ITEMS, BASE, layout=1)
    assert 0.0 < max(one.kl for one in noise) < 1e-8
    assert all(one.kl == one.js == one.tv == 0.0 for one in make_backend(0.0).compare(ITEMS, FT))
    backend = make_backend(0.01)

    def moved(view):
        found = backend.compare(ITEMS, view)
        return sum(one.kl for one in found) / len(found)

    nulls = [moved(View("null", seed=seed)) for seed in range(6)]
    assert min(nulls) / 2 < moved(FT) < max(nulls) * 2
    assert min(nulls) > 1e3 * max(one.kl for one in noise)


def test_the_base_answers_as_it_does_everywhere(make_backend):
    answers = make_backend(0.0).generate([Item("What is the capital of France?")], BASE, max_new_tokens=12)
    assert [(one.text, one.ended) for one in answers] == [("The capital of France is Paris.", True)]
    assert make_backend(0.0).compare([Item("What is the capital of France?", "Paris.")], FT)[0].base_logprob < 0.0
