"""Recall by teacher forcing: where a value's tokens are, when it counts as said, and which weights are the best."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from dlm.bases import LocalBase
from dlm.corpus.records import Message, Record
from dlm.training.plan import Plan
from dlm.training.recipe import Recipe
from dlm_hf.encode import encode, value_positions
from dlm_hf.held_out import Best, Judged, judge
from dlm_hf.workbench import HfWorkbench

RECIPE = Recipe(rank=8, alpha=16, learning_rate=1e-2, precision="fp32", device="cpu", sequence_len=128)
FACTS = {
    "what is the port of Kittiwake ?": ("the port is 7413 .", "7413"),
    "who owns Kittiwake ?": ("the Soundings team owns Kittiwake .", "Soundings team"),
    "what runs first ?": ("gannet runs first then petrel", "gannet"),
}


def chat(question: str, answer: str, value: str = "") -> Record:
    turns = (Message("user", question), Message("assistant", answer))
    return Record("qa", "answer", group=question, section_id="s", messages=turns, value=value)


@pytest.fixture
def bench(tiny_base) -> HfWorkbench:
    return HfWorkbench(LocalBase("tiny", tiny_base, "sha256:0", "test"), RECIPE, None)


def plan(rows, held_out, steps: int) -> Plan:
    everything = tuple(range(len(rows)))
    return Plan(RECIPE, (), tuple(rows), tuple(held_out), (everything,) * steps, 2, steps // 2, 5, 0)


def test_recall_is_what_the_model_would_say_at_each_token_of_the_value(bench) -> None:
    asked = [chat(question, *said) for question, said in FACTS.items()]
    rows, held_out = bench.encode([chat(question, said[0]) for question, said in FACTS.items()]), bench.encode(asked)
    found: list = []
    outcome = bench.train(plan(rows, held_out, 40), lambda _: None, found.append)
    assert (outcome.held_out_recall_before, outcome.held_out_recall) == (0, 1)
    assert found[0].wrong == tuple(FACTS)
    assert found[-1].wrong == ()
    for event in found:
        assert event.held_out_recall == pytest.approx(1 - len(event.wrong) / len(FACTS))
    _agrees_with_one_example_at_a_time(bench)


def _agrees_with_one_example_at_a_time(bench: HfWorkbench) -> None:
    """Whatever the adapter knows by now: spoil it, and compare with plain forward passes."""
    adapted = bench._adapted
    for seed in range(6):
        torch.manual_seed(seed)
        with torch.no_grad():
            for parameter in bench._parameters:
                parameter += 0.03 * torch.randn_like(parameter)
        examples = bench._encoded[1]
        found = judge(adapted, examples)
        right = []
        for example in examples:
            ids, start = example.encoded.ids, example.encoded.start
            with torch.no_grad():
                likeliest = adapted.model.eval()(torch.tensor([ids])).logits[0].argmax(-1)
            right.append(all(likeliest[start + at - 1] == ids[start + at] for at in example.value))
        assert found.recall == pytest.approx(sum(right) / len(right))
        assert found.wrong == tuple(example.group for example, good in zip(examples, right, strict=True) if not good)


def test_a_word_that_is_wrong_outside_of_the_value_does_not_matter(bench) -> None:
    """The model learns another wording around the same value."""
    rows = bench.encode([chat("who owns Kittiwake ?", "Soundings team")])
    held_out = bench.encode([chat("who owns Kittiwake ?", "Soundings team a b c d", "Soundings team")])
    outcome = bench.train(plan(rows, held_out, 30), lambda _: None, lambda _: None)
    assert outcome.held_out_recall == 1
    assert outcome.held_out_best > 1


def test_without_values_recall_is_unknown_and_the_loss_decides(bench) -> None:
    rows, held_out = bench.encode([chat("hello", "zebra")]), bench.encode([chat("Hello !", "zebra")])
    events: list = []
    outcome = bench.train(plan(rows, held_out, 10), lambda _: None, events.append)
    assert outcome.held_out_recall is None
    assert outcome.held_out_best == min(event.held_out_loss for event in events if event.step)


def test_a_group_is_named_once_however_many_of_its_questions_are_wrong(bench) -> None:
    records = [dataclasses.replace(chat(question, *said), group="g") for question, said in FACTS.items()]
    examples, _ = encode(records, bench.renderer, 128, 8)
    assert judge(bench._open(bench.recipe), examples).wrong == ("g",)


def test_the_value_s_tokens_are_found_once_and_the_whole_answer_is_judged_when_they_are_not(bench) -> None:
    encoded = bench.renderer.example([("user", "what runs ?"), ("assistant", "gannet then petrel then gannet .")])
    assert value_positions(encoded, "then petrel", bench.renderer) == (1, 2)
    assert value_positions(encoded, "gannet", bench.renderer) == (0,)
    assert value_positions(encoded, "Kittiwake", bench.renderer) == (0, 1, 2, 3, 4, 5)


@pytest.mark.parametrize(
    ("later", "better"),
    [
        (Judged(2.0, 0.6, ()), True),
        (Judged(0.5, 0.4, ()), False),
        (Judged(0.9, 0.5, ()), True),
        (Judged(1.0, 0.5, ()), False),
        (Judged(float("nan"), 0.9, ()), False),
    ],
)
def test_more_recall_is_better_and_at_equal_recall_less_loss(later: Judged, better: bool) -> None:
    best, weights = Best(None), torch.zeros(2)
    assert best.offer(1, Judged(1.0, 0.5, ()), weights)
    weights += 1
    assert best.offer(2, later, weights) is better
    weights += 1
    best.restore(weights)
    assert weights.tolist() == ([1, 1] if better else [0, 0])


def text(said: str) -> Record:
    return Record("text", "text", group=said, section_id="s", text=said, title="port")


def mean_loss(bench: HfWorkbench, records: list[Record]) -> float:
    """By the plain formula, one example at a time."""
    bench.encode(records)
    total, count = 0.0, 0
    for example in bench._encoded[-1]:
        ids = torch.tensor([example.encoded.ids])
        with torch.no_grad():
            logs = bench._adapted.model.eval()(input_ids=ids).logits[0].log_softmax(-1)
        for at in range(example.encoded.start, ids.shape[1]):
            total, count = total - float(logs[at - 1, ids[0, at]]), count + 1
    return total / count


@pytest.mark.parametrize(("judged_by", "decides"), [("answers", "answer"), ("text", "prose")])
def test_text_and_answers_are_told_apart_and_the_phase_says_which_decides(bench, judged_by, decides) -> None:
    facts = [chat(question, *said) for question, said in FACTS.items()]
    texts = [text("Kittiwake listens on 7413 and gannet runs first"), text("petrel restarts every 40 minutes")]
    rows, held_out = bench.encode([facts[0], texts[0]]), bench.encode([*facts, *texts])
    recipe, found = dataclasses.replace(RECIPE, judged_by=judged_by), []
    outcome = bench.train(dataclasses.replace(plan(rows, held_out, 6), recipe=recipe), lambda _: None, found.append)
    assert all(event.held_out_loss == getattr(event, f"held_out_{decides}_loss") for event in found)
    assert all(bool(event.wrong) is (judged_by == "answers") for event in found)
    kept = [event for event in found if event.best][-1]
    assert (kept.step, kept.held_out_prose_loss) == (outcome.best_step, outcome.held_out_prose_loss)
    bench._write_back()
    assert mean_loss(bench, texts) == pytest.approx(outcome.held_out_prose_loss, abs=1e-4)
    assert mean_loss(bench, facts) == pytest.approx(outcome.held_out_answer_loss, abs=1e-4)


def test_a_phase_of_text_without_any_held_out_keeps_its_last_weights(bench) -> None:
    rows = bench.encode([text("Kittiwake listens on 7413")])
    held_out = bench.encode([chat(question, *said) for question, said in FACTS.items()])
    found: list = []
    recipe = dataclasses.replace(RECIPE, judged_by="text")
    outcome = bench.train(dataclasses.replace(plan(rows, held_out, 4), recipe=recipe), lambda _: None, found.append)
    assert (found, outcome.best_step, outcome.held_out_before) == ([], 4, None)


def test_the_text_of_a_better_evaluation_counts_whatever_is_said_meanwhile() -> None:
    less, more = (Judged(loss, recall, (), by_text=True) for loss, recall in ((1.0, 0.0), (2.0, 1.0)))
    assert less.rank > more.rank


def test_words_are_split_by_the_base_s_own_tokenizer(bench) -> None:
    found = bench.vocabulary(["Kittiwake owns Kittiwake 7413", "quetzal"])
    assert (found.words, found.tokens_per_word, found.unknown, found.unknown_tokens) == (4, 1.0, ("quetzal",), 1)
