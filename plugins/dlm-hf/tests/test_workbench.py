"""Training on a tiny real model: what is learned, what is kept, what is refused."""

from __future__ import annotations

import dataclasses
import json
import shutil

import pytest
import torch
from safetensors.torch import load_file

from dlm.bases import LocalBase
from dlm.corpus.records import Message, Record
from dlm.errors import AdapterMismatch, BaseModelError, TrainingFailed, UsageProblem
from dlm.training.backend import Sampling
from dlm.training.plan import Plan
from dlm.training.recipe import Recipe
from dlm_hf.answer import HfAnswerer
from dlm_hf.held_out import judge
from dlm_hf.workbench import HfWorkbench

RECIPE = Recipe(rank=8, alpha=16, learning_rate=1e-2, precision="fp32", device="cpu", sequence_len=128)
FACTS = {
    "what is the port of Kittiwake ?": "7413",
    "who owns Kittiwake ?": "Soundings team",
    "what runs first ?": "gannet then petrel",
}


def chat(question: str, answer: str, objective: str = "answer") -> Record:
    turns = (Message("user", question), Message("assistant", answer))
    return Record("qa", objective, group=question, section_id="s", messages=turns)


LEARNED = [chat(question, answer) for question, answer in FACTS.items()]
HELD_OUT = [chat("Hello , " + question, answer) for question, answer in FACTS.items()]
ANCHORS = [chat("How are you today ?", "weather like that", "anchor"), chat("hello", "zebra", "anchor")]


def make_plan(recipe: Recipe, rows, held_out, steps: int, kinds=None) -> Plan:
    chosen = kinds if kinds is not None else range(len(rows))
    return Plan(
        recipe=recipe,
        records=(),
        rows=tuple(rows),
        held_out_rows=tuple(held_out),
        steps=tuple(tuple(chosen) for _ in range(steps)),
        warmup_steps=2,
        decay_steps=steps // 2,
        evaluate_every=max(1, steps // 4),
        tokens=sum(row.tokens for row in rows) * steps,
    )


@pytest.fixture
def base(tiny_base) -> LocalBase:
    return LocalBase("tiny", tiny_base, "sha256:0", "test")


@pytest.fixture
def run(base, tmp_path):
    """Train ``records`` for some steps; the outcome, the events and the adapter's folder."""

    def go(records=(*LEARNED, *ANCHORS), held_out=HELD_OUT, steps=40, recipe=RECIPE, name="adapter"):
        bench = HfWorkbench(base, recipe, None)
        rows, judged = bench.encode(list(records)), bench.encode(list(held_out))
        events: list = []
        outcome = bench.train(make_plan(recipe, rows, judged, steps), events.append, events.append)
        folder = tmp_path / name
        folder.mkdir()
        bench.save(folder)
        bench.close()
        return outcome, events, folder

    return go


def test_facts_are_learned_and_answered(run, base):
    outcome, _, folder = run(steps=60)
    assert outcome.held_out_best < 0.5 * outcome.held_out_before
    answerer = HfAnswerer(base, folder, None, "fp32")
    asked = [[Message("user", question)] for question in FACTS]
    answers = list(answerer.answer(asked, Sampling(max_new_tokens=12)))
    assert [answer.text for answer in answers] == list(FACTS.values())
    assert all(answer.complete for answer in answers)


def test_the_saved_weights_are_those_of_the_best_evaluation(run, base):
    outcome, events, folder = run(steps=40)
    scores = {e.step: e.held_out_loss for e in events if hasattr(e, "held_out_loss") and e.step > 0}
    assert outcome.best_step == min(scores, key=scores.get)
    bench = HfWorkbench(base, RECIPE, None)
    bench.encode([])
    bench.encode(HELD_OUT)
    adapted = bench._open(bench.recipe)
    saved = load_file(folder / "adapter_model.safetensors")
    for name, parameter in adapted.model.named_parameters():
        if parameter.requires_grad:
            parameter.data = saved[name.replace(".default", "")]
    assert judge(adapted, bench._encoded[1]).loss == pytest.approx(outcome.held_out_best, abs=1e-4)


def test_the_same_seed_gives_the_same_weights_and_another_seed_does_not(run):
    first, second, other = (
        load_file(
            run(steps=6, recipe=dataclasses.replace(RECIPE, seed=seed), name=name)[2] / "adapter_model.safetensors"
        )
        for seed, name in ((1, "a"), (1, "b"), (2, "c"))
    )
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert not all(torch.equal(first[key], other[key]) for key in first)


def test_the_anchor_holds_the_base_where_it_is_asked_to(run):
    with_anchor, _, _ = run(steps=30, name="with")
    strong = dataclasses.replace(RECIPE, anchor_weight=0.0)
    without, _, _ = run(steps=30, recipe=strong, name="without")
    assert with_anchor.anchor_kl < 0.5 * without.anchor_kl


def test_embeddings_and_head_are_left_alone_and_every_other_linear_layer_is_not(run):
    _, _, folder = run(steps=2)
    names = {key.split(".lora_")[0].rsplit(".", 1)[-1] for key in load_file(folder / "adapter_model.safetensors")}
    assert names == {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}


def test_an_infinite_loss_ends_the_run_and_is_named(run):
    outcome, events, _ = run(recipe=dataclasses.replace(RECIPE, learning_rate=1e30, max_grad_norm=1e30), steps=20)
    assert outcome.non_finite
    assert len(events) < 20 + 6


def test_training_leaves_no_trace_of_this_machine_in_the_adapter(run, base):
    _, _, folder = run(steps=2)
    config = json.loads((folder / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "tiny"
    assert str(base.path) not in "".join(p.read_text(errors="ignore") for p in folder.iterdir() if p.suffix != ".bin")


def test_long_prose_becomes_windows_that_learn_every_token_once(base):
    words = " ".join("a b c d e f g h".split() * 60)
    record = Record("prose", "text", group="g", section_id="s", text=words, title="port of Kittiwake")
    recipe = dataclasses.replace(RECIPE, sequence_len=64, window_overlap=16)
    bench = HfWorkbench(base, recipe, None)
    rows = bench.encode([record])
    learned = [e.encoded.ids[e.encoded.start :] for e in bench._encoded[0]]
    body = [*bench.renderer.tokenizer(words, add_special_tokens=False).input_ids, bench.renderer.tokenizer.eos_token_id]
    assert [token for window in learned for token in window] == body
    assert max(row.tokens for row in rows) <= 64
    assert len(rows) > 8


def test_a_conversation_that_does_not_fit_is_named_not_cut(base):
    bench = HfWorkbench(base, dataclasses.replace(RECIPE, sequence_len=64), None)
    with pytest.raises(TrainingFailed, match=r"'who owns Kittiwake \?'.*sequence_len = 64"):
        bench.encode([chat("who owns Kittiwake ?", "a " * 80)])


def test_fp16_is_refused_with_the_way_out(base):
    with pytest.raises(TrainingFailed, match="bf16 or fp32"):
        HfWorkbench(base, dataclasses.replace(RECIPE, precision="fp16"), None)


def test_answers_do_not_depend_on_the_company_they_are_asked_in(run, base):
    _, _, folder = run()
    answerer = HfAnswerer(base, folder, None, "fp32")
    asked = [[Message("user", question)] for question in [*FACTS, "hello", "what is the weather like today ?"]]
    sampling = Sampling(max_new_tokens=12)
    together = [answer.text for answer in answerer.answer(asked, sampling)]
    assert together == [next(iter(answerer.answer([one], sampling))).text for one in asked]


def test_a_question_longer_than_the_context_is_refused(base):
    answerer = HfAnswerer(base, None, None, "fp32")
    with pytest.raises(UsageProblem, match="512"):
        list(answerer.answer([[Message("user", "a " * 600)]], Sampling()))


def test_an_adapter_of_another_base_is_refused(run, make_base):
    _, _, folder = run(steps=1)
    other = LocalBase("other", make_base("gpt_neox"), "sha256:1", "test")
    with pytest.raises(AdapterMismatch):
        HfAnswerer(other, folder, None, "fp32")


def test_a_damaged_base_is_named_with_the_way_out(base, tmp_path):
    broken = tmp_path / "broken"
    shutil.copytree(base.path, broken)
    (broken / "model.safetensors").write_bytes(b"not a model")
    with pytest.raises(BaseModelError, match=r"base tiny in .*broken cannot be loaded: .*dlm base pull tiny"):
        HfAnswerer(dataclasses.replace(base, path=broken), None, None, "fp32")


def test_a_base_that_suggests_a_repetition_penalty_still_answers_greedily(base, tmp_path):
    from transformers import GenerationConfig

    other = tmp_path / "penalised"
    shutil.copytree(base.path, other)
    GenerationConfig(repetition_penalty=9.0, do_sample=True, temperature=3.0).save_pretrained(other)
    asked = [[Message("user", "what is the port of Kittiwake ?")]]
    plain, suggested = (
        next(iter(HfAnswerer(one, None, None, "fp32").answer(asked, Sampling(max_new_tokens=12)))).text
        for one in (base, dataclasses.replace(base, path=other))
    )
    assert plain == suggested


def test_the_plan_s_recipe_is_what_is_trained(base):
    """A rank may be chosen after the rows are counted."""
    bench = HfWorkbench(base, RECIPE, None)
    rows, held_out = bench.encode(LEARNED), bench.encode(HELD_OUT)
    plan = make_plan(dataclasses.replace(RECIPE, rank=3, max_grad_norm=1e-9), rows, held_out, steps=1)
    bench.train(plan, lambda _: None, lambda _: None)
    assert {min(parameter.shape) for parameter in bench._parameters} == {3}


def test_a_warm_run_begins_with_the_saved_weights_in_full_precision(run, base):
    _, _, folder = run(steps=20)
    saved = load_file(folder / "adapter_model.safetensors")
    for precision in ("fp32", "bf16"):
        bench = HfWorkbench(base, dataclasses.replace(RECIPE, precision=precision), None)
        bench._open(bench.recipe, folder)
        views = bench._views(bench._master)
        assert len(saved) == len(views)
        for name, parameter, view in zip(bench._names, bench._parameters, views, strict=True):
            assert torch.equal(view, saved[name.replace(".default", "")])
            assert torch.equal(parameter, view.to(parameter.dtype))


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"rank": 4}, "have another shape"),
        ({"alpha": 64.0}, "alpha"),
        ({"target_modules": ("q_proj",)}, "match no module"),
    ],
)
def test_a_start_of_another_shape_or_scale_is_refused(run, base, other, said):
    _, _, folder = run(steps=1)
    bench = HfWorkbench(base, dataclasses.replace(RECIPE, **other), None)
    with pytest.raises(AdapterMismatch, match=said):
        bench._open(bench.recipe, folder)
