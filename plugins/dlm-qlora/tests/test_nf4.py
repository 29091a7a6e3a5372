"""A base in 4 bits: what is rounded, what it weighs, and an adapter that is trained, used and judged on it."""

from __future__ import annotations

import dataclasses
import json

import pytest
import torch

from dlm.bases import LocalBase
from dlm.corpus.records import Message, Record
from dlm.document.read import parse
from dlm.errors import BaseModelError
from dlm.locking.taking import deciding_versions
from dlm.testing import only_plugins
from dlm.training.backend import Sampling
from dlm.training.plan import Plan, Row
from dlm.training.recipe import Recipe
from dlm_hf.adapters import lora_layers
from dlm_hf.answer import HfAnswerer
from dlm_hf.facts import declared_quantisation
from dlm_hf.inspection import module_updates
from dlm_hf.judging import HfJudging
from dlm_hf.memory import estimate
from dlm_hf.opened import open_model
from dlm_hf.scoring import HfScoring
from dlm_hf.workbench import HfWorkbench
from dlm_qlora import for_dlm
from dlm_qlora.for_dlm import BITS
from dlm_qlora.nf4 import trouble
from dlm_sway.errors import AdapterMismatch
from dlm_sway.scoring.types import FT, Item, View
from dlm_sway.spec.models import ModelSpec, SuiteDefaults
from dlm_sway.suite.target import ModelPair

if reason := trouble("cpu"):
    pytest.skip(f"4-bit weights cannot be multiplied here: {reason}", allow_module_level=True)

CPU = torch.device("cpu")
RECIPE = Recipe(adapter="qlora", rank=8, alpha=16, learning_rate=1e-2, device="cpu", sequence_len=128)
FACTS = {"what is the port of Kittiwake ?": "7413", "who owns it ?": "The Soundings team"}
KINDS = ("lora", "dora", "qlora")
LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


def chat(question, answer, objective="answer"):
    turns = (Message("user", question), Message("assistant", answer))
    return Record("qa", objective, group=question, section_id="s", messages=turns)


@pytest.fixture
def base(tiny_base):
    return LocalBase("tiny", tiny_base, "sha256:0", "test", quantisation="nf4")


@pytest.fixture
def run(base):
    def go(folder, recipe=RECIPE):
        bench = HfWorkbench(base, recipe, None)
        rows = bench.encode([*(chat(*fact) for fact in FACTS.items()), chat("How are you today ?", "Hello", "anchor")])
        held_out = bench.encode([chat("Hello , " + question, answer) for question, answer in FACTS.items()])
        plan = Plan(recipe, (), tuple(rows), tuple(held_out), tuple((0, 1, 2) for _ in range(30)), 2, 15, 10, 0)
        outcome = bench.train(plan, lambda _: None, lambda _: None)
        folder.mkdir()
        bench.save(folder)
        bench.close()
        (folder / "version.json").write_text(json.dumps({"base_quantisation": base.quantisation}))
        return outcome

    return go


def pair(base, folder, dtype="fp32"):
    spec = ModelSpec(base=str(base.path), adapter=folder, dtype=dtype, device="cpu")
    return HfScoring(ModelPair(base=spec.model_copy(update={"adapter": None}), ft=spec), SuiteDefaults())


def codes(model):
    return [p.data for name, p in model.named_parameters() if not p.is_floating_point() and "lora" not in name]


def test_linear_layers_are_rounded_and_nothing_else(base):
    model = open_model(base, torch.bfloat16, CPU)
    full = open_model(dataclasses.replace(base, quantisation=None), torch.bfloat16, CPU)
    kinds = {name: parameter.dtype for name, parameter in model.named_parameters()}
    rounded = {name.split(".")[-2] for name, kind in kinds.items() if kind == torch.uint8}
    assert rounded == set(LINEAR)
    assert {kind for name, kind in kinds.items() if name.split(".")[-2] not in LINEAR} == {torch.bfloat16}
    ids = torch.arange(3, 12)[None]
    with torch.no_grad():
        drift = (model(input_ids=ids).logits - full(input_ids=ids).logits).float().norm()
    assert 0 < drift < full(input_ids=ids).logits.float().norm() / 2


def test_a_weight_takes_as_many_bits_as_the_estimate_says(base):
    model = open_model(base, torch.bfloat16, CPU)
    held = count = 0
    for module in model.modules():
        if (state := getattr(getattr(module, "weight", None), "quant_state", None)) is not None:
            held += module.weight.nbytes + state.absmax.nbytes + state.state2.absmax.nbytes
            count += module.in_features * module.out_features
    assert 8 * held / count == pytest.approx(BITS, rel=0.03)


def test_the_codes_are_the_same_in_every_precision_and_after_every_question(base):
    narrow, wide = (open_model(base, dtype, CPU) for dtype in (torch.bfloat16, torch.float32))
    before = [one.clone() for one in codes(narrow)]
    with torch.no_grad():
        narrow(input_ids=torch.arange(3, 12)[None])
        narrow(input_ids=torch.tensor([[3]]))
    assert len(before) == 2 * len(LINEAR)
    for first, same, other in zip(before, codes(narrow), codes(wide), strict=True):
        assert torch.equal(first, same)
        assert torch.equal(first, other)


@pytest.mark.parametrize("precision", ["bf16", "fp32"])
def test_facts_are_learned_and_answered_in_four_bits(run, base, tmp_path, precision):
    outcome = run(tmp_path / "adapter", dataclasses.replace(RECIPE, precision=precision))
    assert outcome.held_out_best < outcome.held_out_before / 4
    answerer = HfAnswerer(base, tmp_path / "adapter", None, precision)
    asked = [[Message("user", question)] for question in FACTS]
    answers = [answer.text for answer in answerer.answer(asked, Sampling(max_new_tokens=6))]
    assert answers == list(FACTS.values())


def test_the_same_seed_gives_the_same_adapter(run, tmp_path):
    for name in ("one", "two"):
        run(tmp_path / name)
    one, two = (tmp_path / name / "adapter_model.safetensors" for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()


def test_sway_judges_it_on_the_base_it_was_trained_on(run, base, tmp_path):
    run(tmp_path / "adapter")
    backend = pair(base, tmp_path / "adapter")
    items = [Item(question, answer) for question, answer in FACTS.items()]
    tuned = backend.compare(items, FT)
    assert all(one.view_logprob > one.base_logprob for one in tuned)
    nothing = backend.compare(items, View("scaled", scale=0.0))
    assert all(one.kl < 1e-6 for one in nothing)
    assert backend.describe()["adapter"]["base_quantisation"] == "nf4"
    pair_ = backend._loaded()
    assert len(codes(pair_.tuned)) == 2 * len(LINEAR)
    full = open_model(dataclasses.replace(base, quantisation=None), torch.float32, CPU)
    for one in module_updates(pair_.tuned):
        weight = full.get_submodule(one.name).weight
        assert one.weight_norm == pytest.approx(float(weight.detach().norm()), rel=0.02)
        assert 0 < one.update_norm < one.weight_norm
    assert len(list(lora_layers(pair_.tuned))) == 2 * len(LINEAR)
    backend.close()


def test_two_bases_of_different_precision_are_not_compared_on_one(run, base, tmp_path):
    run(tmp_path / "adapter")
    run(tmp_path / "other")
    (tmp_path / "other" / "version.json").unlink()
    backend = pair(base, tmp_path / "adapter")
    with pytest.raises(AdapterMismatch, match="held in full precision, and here the base is held in nf4"):
        backend.compare([Item("Hello", "Hello")], View("placebo", adapter=str(tmp_path / "other")))


def test_a_device_that_cannot_is_named_with_the_base(base):
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(BaseModelError, match=r"base tiny cannot be held in nf4: .* on cuda"):
        open_model(base, torch.bfloat16, torch.device("cuda"))


def test_what_decides_answers_names_the_rounding(base):
    full = dataclasses.replace(base, quantisation=None)
    assert full.loaded_digest == base.digest
    assert base.loaded_digest != full.loaded_digest


def test_kept_numbers_of_a_rounded_base_are_not_those_of_the_full_one(run, base, tmp_path):
    run(tmp_path / "adapter")
    spec = ModelSpec(base=str(base.path), adapter=tmp_path / "adapter", device="cpu")
    models = ModelPair(base=spec.model_copy(update={"adapter": None}), ft=spec)

    def identity():
        return HfJudging(models, SuiteDefaults()).identity(lambda path: "")

    rounded = identity()
    assert set(rounded.base["quantisation"]) == {"name", "dlm-qlora", "bitsandbytes"}
    (tmp_path / "adapter" / "version.json").unlink()
    assert identity().base["quantisation"] is None


def test_an_adapter_in_a_version_of_several_knows_its_base(tmp_path):
    folder = tmp_path / "adapters" / "tone"
    folder.mkdir(parents=True)
    facts = {"base_quantisation": "nf4", "adapters": {"tone": {"base_quantisation": None}, "facts": {}}}
    (tmp_path / "version.json").write_text(json.dumps(facts))
    assert declared_quantisation(folder) is None
    assert declared_quantisation(folder.with_name("facts")) == "nf4"


def test_the_lock_knows_what_rounds_the_weights():
    text = "---\ndlm_id: 01J0000000000000000000000A\nbase_model: x\ntraining: {adapter: KIND}\n---\nText.\n"
    with only_plugins(for_dlm) as plugins:
        versions = {kind: deciding_versions(parse(text.replace("KIND", kind), "d.dlm"), plugins) for kind in KINDS}
    assert {"dlm-qlora", "bitsandbytes"} <= versions["qlora"].keys()
    assert not {"dlm-qlora", "bitsandbytes"} & versions["lora"].keys()


def test_the_estimate_of_the_base_is_what_its_tensors_take(base):
    def held(kind):
        plan = Plan(Recipe(adapter=kind), (), (Row(0, 50, 5),), (), ((0,),), 0, 0, 1, 0)
        found = estimate(base.path, plan, "bf16", "cpu")
        return next(one.bytes for one in found.parts if one.name == "base")

    model = open_model(base, torch.bfloat16, CPU)
    scales = sum(
        state.absmax.nbytes + state.state2.absmax.nbytes
        for module in model.modules()
        if (state := getattr(getattr(module, "weight", None), "quant_state", None)) is not None
    )
    tensors = sum(parameter.nbytes for parameter in model.parameters())
    assert held("qlora") == pytest.approx(tensors + scales, rel=0.02)
    assert held("qlora") < held("lora") / 2
