"""The base's own answers on a tiny model: each is a function of its own question."""

from __future__ import annotations

from itertools import chain

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dlm.bases import LocalBase
from dlm.corpus.records import Message, Record
from dlm.training.plan import Plan
from dlm.training.recipe import Recipe
from dlm_hf import adapted
from dlm_hf import own_answers as module
from dlm_hf.model import load_base, load_tokenizer
from dlm_hf.own_answers import NEW_TOKENS, own_answers
from dlm_hf.render import Renderer
from dlm_hf.workbench import HfWorkbench

CPU = torch.device("cpu")
QUESTIONS = [[Message("user", " ".join("a b c d e f g h".split()[:size]) + " ?")] for size in range(1, 9)]
QUESTIONS += [[Message("user", "Which river is longest ? " * 12)]]


@pytest.fixture(autouse=True)
def small_batches(monkeypatch) -> None:
    monkeypatch.setattr(module, "ROWS", 4)


@pytest.fixture(scope="module")
def tiny(tiny_base):
    return load_base(tiny_base, torch.float32, CPU), Renderer(load_tokenizer(tiny_base))


def said(tiny, questions) -> list[tuple[str, bool]]:
    found = {
        answer.asked: (answer.text, answer.ended) for made in own_answers(*tiny, questions, CPU) for answer in made
    }
    return [found[index] for index in range(len(questions))]


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.permutations(range(len(QUESTIONS))), st.integers(1, len(QUESTIONS)), st.integers(2, 9))
def test_neither_the_company_nor_the_order_nor_the_size_of_a_batch_changes_an_answer(tiny, order, count, rows) -> None:
    expected = said(tiny, QUESTIONS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "ROWS", rows)
        assert said(tiny, [QUESTIONS[at] for at in order[:count]]) == [expected[at] for at in order[:count]]


def test_answers_are_drawn_and_not_all_alike(tiny) -> None:
    assert len({text for text, _ in said(tiny, QUESTIONS)}) == len(QUESTIONS)


def test_an_answer_is_drawn_from_what_the_model_gives_without_padding(tiny, monkeypatch) -> None:
    """With the likeliest token alone, a batch says what a plain loop over one prompt says."""
    model, renderer = tiny
    monkeypatch.setattr(module, "LIKELIEST", 1)
    for question, (text, ended) in zip(QUESTIONS, said(tiny, QUESTIONS), strict=True):
        ids = renderer.prompt_ids(question)
        new: list[int] = []
        while len(new) < NEW_TOKENS and (not new or new[-1] not in renderer.end_ids):
            with torch.no_grad():
                new.append(int(model(torch.tensor([ids + new])).logits[0, -1].argmax()))
        assert ended is (new[-1] in renderer.end_ids)
        assert text == renderer.decode(new[:-1] if ended else new)


def test_a_question_too_long_for_the_base_is_left_out(tiny) -> None:
    found = chain.from_iterable(own_answers(*tiny, [*QUESTIONS, [Message("user", "a " * 480)]], CPU))
    assert sorted(answer.asked for answer in found) == list(range(len(QUESTIONS)))


def test_another_base_or_another_template_is_another_file(tiny_base) -> None:
    def scope(digest: str, template: str | None = None, system: str | None = None, **options) -> str:
        bench = HfWorkbench(LocalBase("tiny", tiny_base, digest, "test"), Recipe(device="cpu", **options), system)
        if template is not None:
            bench._default_renderer.tokenizer.chat_template = template
        return bench.answers_scope

    same = scope("sha256:0", precision="fp32")
    assert same == scope("sha256:0", precision="fp32", seed=3, rank=2, system="Be brief .")
    others = {scope("sha256:1", precision="fp32"), scope("sha256:0", precision="bf16"), scope("sha256:0", "{{ 1 }}")}
    assert len(others | {same}) == 4


def test_the_bench_answers_the_same_before_and_after_training(tiny_base) -> None:
    bench = HfWorkbench(LocalBase("tiny", tiny_base, "sha256:0", "test"), Recipe(device="cpu", precision="fp32"), None)
    before = [(answer.asked, answer.text) for answer in chain.from_iterable(bench.own_answers(QUESTIONS))]
    model = bench._open(bench.recipe).model
    with torch.no_grad():
        for parameter in bench._parameters:
            parameter.fill_(0.05)
    model.eval()
    assert [(answer.asked, answer.text) for answer in chain.from_iterable(bench.own_answers(QUESTIONS))] == before
    assert [
        (a.asked, a.text) for a in chain.from_iterable(own_answers(model, bench.renderer, QUESTIONS, CPU))
    ] != before


def test_answered_anchors_train(tiny_base) -> None:
    bench = HfWorkbench(LocalBase("tiny", tiny_base, "sha256:0", "test"), Recipe(device="cpu", precision="fp32"), None)
    records = bench.complete([Record("anchor", "anchor", str(n), "", tuple(q)) for n, q in enumerate(QUESTIONS)])
    rows = bench.encode(records)
    assert len(rows) == len(QUESTIONS)
    assert all(1 < row.scored <= NEW_TOKENS + 1 for row in rows)


def test_a_base_that_padding_would_confuse_is_given_none(tiny_base, monkeypatch) -> None:
    monkeypatch.setattr(adapted, "packs_exactly", lambda *_: False)
    bench = HfWorkbench(LocalBase("tiny", tiny_base, "sha256:0", "test"), Recipe(device="cpu"), None)
    model = bench._loaded().model
    model.register_forward_pre_hook(lambda _, given, named: seen.append(named["input_ids"].shape[0]), with_kwargs=True)
    seen: list[int] = []
    expected = {answer.asked: answer.text for answer in chain.from_iterable(bench.own_answers(QUESTIONS))}
    assert len(set(expected.values())) == len(QUESTIONS)
    assert set(seen) == {1}
    for at in (7, 2):
        assert [answer.text for answer in chain.from_iterable(bench.own_answers([QUESTIONS[at]]))] == [expected[at]]


def test_asking_first_changes_no_training(tiny_base) -> None:
    losses: list[list[float]] = []
    for ask in (True, False):
        bench = HfWorkbench(LocalBase("tiny", tiny_base, "sha256:0", "test"), Recipe(precision="fp32"), None)
        if ask:
            bench.complete([Record("anchor", "anchor", "q", "", tuple(QUESTIONS[0]))])
        turns = (Message("user", "hello"), Message("assistant", "zebra"))
        rows, none = bench.encode([Record("qa", "answer", "g", "s", turns)]), bench.encode([])
        events: list = []
        plan = Plan(bench.recipe, (), tuple(rows), tuple(none), ((0,),) * 4, 1, 1, 9, 0)
        bench.train(plan, events.append, events.append)
        losses.append([event.loss for event in events])
    assert losses[0] == losses[1]
