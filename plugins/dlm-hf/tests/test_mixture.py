"""A mix of adapters is the weighted sum of what each adds to the base's weights, to the last digit that matters."""

from __future__ import annotations

import shutil

import pytest
import torch
from peft import IA3Config, LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file

from dlm.bases import LocalBase
from dlm.corpus.records import Message
from dlm.errors import AdapterMismatch
from dlm.training.backend import Sampling
from dlm.training.mixing import Mix, Part
from dlm_hf.adapters import load_adapter
from dlm_hf.backend import HfBackend
from dlm_hf.mixture import Mixture
from dlm_hf.model import load_base, quiet_libraries

pytestmark = pytest.mark.filterwarnings("ignore::peft.utils.warning.PeftWarning")
CPU = torch.device("cpu")
IDS = torch.tensor([[5, 9, 14, 22, 31, 8, 40, 3]])
CONFIGS = {
    "plain": {"r": 4, "lora_alpha": 8, "target_modules": ["q_proj", "v_proj", "down_proj"]},
    "small": {"r": 2, "lora_alpha": 12, "target_modules": ["q_proj", "gate_proj", "o_proj"]},
    "stabilised": {"r": 8, "lora_alpha": 8, "use_rslora": True, "target_modules": ["v_proj", "up_proj"]},
    "patterned": {
        "r": 3,
        "lora_alpha": 6,
        "target_modules": ["q_proj", "k_proj", "down_proj"],
        "rank_pattern": {"k_proj": 7},
        "alpha_pattern": {"down_proj": 24},
    },
    "biased": {"r": 4, "lora_alpha": 4, "lora_bias": True, "target_modules": ["q_proj", "up_proj"]},
    "dora": {"r": 4, "lora_alpha": 8, "use_dora": True, "target_modules": ["q_proj", "down_proj"]},
}


@pytest.fixture(scope="module")
def adapters(tiny_base, tmp_path_factory):
    """Folders of adapters that change the tiny base, one of each kind."""
    folders = {}
    for number, (name, options) in enumerate(CONFIGS.items()):
        torch.manual_seed(number)
        with quiet_libraries(), torch.no_grad():
            model = get_peft_model(
                load_base(tiny_base, torch.float32, CPU), LoraConfig(task_type="CAUSAL_LM", **options)
            )
            for parameter in model.parameters():
                if parameter.requires_grad:
                    parameter.add_(torch.randn_like(parameter) * 0.1)
            folders[name] = tmp_path_factory.mktemp(name)
            model.save_pretrained(folders[name])
    return folders


def logits(model):
    with torch.no_grad():
        return model(input_ids=IDS).logits


def merged(tiny_base, folder):
    """The base's weights with the adapter merged into them by PEFT."""
    return load_adapter(load_base(tiny_base, torch.float32, CPU), folder).merge_and_unload().state_dict()


def summed(tiny_base, parts):
    """Logits of W + sum of w (W_i - W), with every adapter merged on its own."""
    model = load_base(tiny_base, torch.float32, CPU)
    start = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    total = {name: tensor.double() for name, tensor in start.items()}
    for folder, weight in parts:
        for name, tensor in merged(tiny_base, folder).items():
            total[name] += weight * (tensor.double() - start[name].double())
    model.load_state_dict({name: tensor.float() for name, tensor in total.items()})
    return logits(model)


def mixture(tiny_base, adapters, **weights):
    mix = Mix(tuple(Part(name, adapters[name], weight) for name, weight in weights.items()))
    return Mixture(load_base(tiny_base, torch.float32, CPU), mix)


@pytest.mark.parametrize(
    "weights",
    [
        {"plain": 0.5, "small": 0.5},
        {"plain": 1.0, "stabilised": 0.3},
        {"patterned": 0.7, "plain": 1.6, "small": 0.2},
        {"dora": 0.4, "plain": 0.6},
        {"plain": 0.6, "dora": 0.4, "patterned": 0.5},
    ],
    ids=lambda weights: "+".join(weights),
)
def test_a_mix_is_the_weighted_sum_of_the_updates(tiny_base, adapters, weights):
    wanted = summed(tiny_base, [(adapters[name], weight) for name, weight in weights.items()])
    found = logits(mixture(tiny_base, adapters, **weights).model)
    assert (found - wanted).abs().max() < 1e-5
    assert (wanted - logits(load_base(tiny_base, torch.float32, CPU))).abs().max() > 0.05


def test_a_bias_that_an_adapter_learned_is_weighed_with_it(tiny_base, adapters):
    half = logits(mixture(tiny_base, adapters, biased=0.5).model)
    model = load_adapter(load_base(tiny_base, torch.float32, CPU), adapters["biased"])
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.mul_(0.5)
    assert (half - logits(model)).abs().max() < 1e-6


@pytest.mark.parametrize("name", CONFIGS)
def test_weight_1_of_one_adapter_is_that_adapter(tiny_base, adapters, name):
    alone = logits(load_adapter(load_base(tiny_base, torch.float32, CPU), adapters[name]))
    assert torch.equal(logits(mixture(tiny_base, adapters, **{name: 1.0}).model), alone)
    other = "small" if name != "small" else "plain"
    beside = mixture(tiny_base, adapters, **{other: 0.4, name: 0.6})
    beside.weigh((0.0, 1.0))
    assert torch.equal(logits(beside.model), alone)


def test_weights_change_back_and_forth_without_a_trace(tiny_base, adapters):
    found = mixture(tiny_base, adapters, plain=0.25, dora=0.75)
    first = logits(found.model)
    for weights in ((1.0, 0.0), (0.0, 0.0), (0.9, 0.1)):
        found.weigh(weights)
        assert not torch.equal(logits(found.model), first)
    found.weigh((0.25, 0.75))
    assert torch.equal(logits(found.model), first)
    found.weigh((0.0, 0.0))
    assert torch.equal(logits(found.model), logits(load_base(tiny_base, torch.float32, CPU)))


def opened(tiny_base, adapters, **weights):
    base = LocalBase("tiny", tiny_base, "sha256:" + "0" * 64, "test", None)
    mix = Mix(tuple(Part(name, adapters[name], weight) for name, weight in weights.items()))
    return HfBackend().answerer(base, mix, None, "bf16")


def test_questions_with_weights_of_their_own_get_the_answers_they_get_alone(tiny_base, adapters):
    asked = [[Message("user", text)] for text in ("who owns Kittiwake", "what is the port", "restart petrel", "a b c")]
    weights = [(1.0, 0.0), (0.3, 0.7), (1.0, 0.0), (0.0, 1.0)]
    few = Sampling(max_new_tokens=10)
    with opened(tiny_base, adapters, plain=0.5, small=0.5) as answerer:
        together = [answer.text for answer in answerer.answer(asked, few, weights)]
        alone = [
            next(iter(answerer.answer([one], few, [weight]))).text for one, weight in zip(asked, weights, strict=True)
        ]
        even = [answer.text for answer in answerer.answer(asked, few)]
        assert [answer.text for answer in answerer.answer(asked, few, [(0.5, 0.5)] * 4)] == even
    assert together == alone
    assert together != even
    base = LocalBase("tiny", tiny_base, "sha256:" + "0" * 64, "test", None)
    with HfBackend().answerer(base, adapters["small"], None, "bf16") as answerer:
        assert next(iter(answerer.answer(asked[3:], few))).text == together[3]


def test_what_cannot_be_weighed_is_refused_by_name(tiny_base, adapters, tmp_path):
    with quiet_libraries():
        config = IA3Config(target_modules=["k_proj", "v_proj"], feedforward_modules=[], task_type="CAUSAL_LM")
        get_peft_model(load_base(tiny_base, torch.float32, CPU), config).save_pretrained(tmp_path / "ia3")
        config = LoraConfig(r=2, target_modules=["q_proj"], modules_to_save=["norm"], task_type="CAUSAL_LM")
        get_peft_model(load_base(tiny_base, torch.float32, CPU), config).save_pretrained(tmp_path / "whole")
    for name, reason in (("ia3", "IA3, not LoRA"), ("whole", r"whole modules \(norm\)")):
        known = {**adapters, name: tmp_path / name}
        with pytest.raises(AdapterMismatch, match=f"{name}: this adapter cannot be part of a mix: .*{reason}"):
            opened(tiny_base, known, plain=0.5, **{name: 0.5}).__enter__()


def test_a_damaged_part_is_refused_by_name(tiny_base, adapters, tmp_path):
    shutil.copytree(adapters["small"], tmp_path / "other")
    tensors = load_file(tmp_path / "other" / "adapter_model.safetensors")
    tensors.pop(sorted(tensors)[0])
    save_file(tensors, tmp_path / "other" / "adapter_model.safetensors")
    with pytest.raises(AdapterMismatch, match=r"other: the adapter does not fit this base: .*1 are missing"):
        opened(tiny_base, {**adapters, "other": tmp_path / "other"}, plain=0.5, other=0.5).__enter__()
