"""Learning from the base that reads: the divergence is exact, the teacher is asked once, the pupil approaches it."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from dlm.answering import OPEN_BOOK
from dlm.bases import LocalBase
from dlm.corpus.records import Message, Record
from dlm.errors import TrainingFailed
from dlm.training.plan import Plan
from dlm.training.recipe import Recipe
from dlm_hf.losses import Losses
from dlm_hf.model import load_base, load_tokenizer
from dlm_hf.render import Renderer
from dlm_hf.teaching import LIKELIEST, WRITTEN, divergence, taught
from dlm_hf.workbench import HfWorkbench

RECIPE = Recipe(rank=8, alpha=16, learning_rate=5e-3, precision="fp32", device="cpu", sequence_len=256)
CONTEXT = "gannet runs first then petrel . Kittiwake listens on 7413 ."


def lesson(question: str, answer: str, value: str = "", context: str = CONTEXT) -> Record:
    turns = (Message("user", question), Message("assistant", answer))
    return Record("asked", "distill", question, "s" * 16, turns, value=value, context=context)


LESSONS = [lesson("what runs first ?", "gannet runs first", "gannet"), lesson("what is the port ?", "7413", "7413")]
PLAIN = Record("qa", "answer", "g", "s", (Message("user", "who owns it ?"), Message("assistant", "Soundings team")))
ANCHOR = Record("anchor", "anchor", "a", "", (Message("user", "hello"), Message("assistant", "zebra apples")))


@pytest.fixture
def bench(tiny_base) -> HfWorkbench:
    return HfWorkbench(LocalBase("tiny", tiny_base, "sha256:0", "test"), RECIPE, None)


@pytest.fixture(scope="module")
def plain_base(tiny_base):
    return load_base(tiny_base, torch.float32, torch.device("cpu")), Renderer(load_tokenizer(tiny_base))


def answer_logits(base, question: str, answer: str) -> torch.Tensor:
    """[K, V] of the answer's tokens and its end, by one plain pass."""
    model, renderer = base
    encoded = renderer.example([("user", question), ("assistant", answer)])
    with torch.no_grad():
        return model(torch.tensor([encoded.ids])).logits[0, encoded.start - 1 : -1]


def read(record: Record) -> str:
    return OPEN_BOOK.format(text=record.context, question=record.messages[0].content)


@settings(max_examples=60, deadline=None)
@given(st.integers(2, LIKELIEST), st.integers(0, 10**6), st.floats(0.1, 6))
def test_with_few_tokens_the_divergence_is_the_exact_one(size: int, seed: int, spread: float) -> None:
    torch.manual_seed(seed)
    teacher, student = (torch.randn(5, size) * spread for _ in range(2))
    exact = F.kl_div(student.log_softmax(-1), teacher.log_softmax(-1), log_target=True, reduction="none").sum(-1)
    torch.testing.assert_close(divergence(student, taught(teacher)), exact, atol=1e-4, rtol=1e-3)


@settings(max_examples=60, deadline=None)
@given(st.integers(LIKELIEST + 1, 900), st.integers(0, 10**6), st.floats(0.1, 6))
def test_a_bucket_for_the_rest_never_exaggerates_and_is_zero_for_an_equal(size: int, seed: int, spread: float) -> None:
    torch.manual_seed(seed)
    teacher, student = (torch.randn(5, size) * spread for _ in range(2))
    exact = F.kl_div(student.log_softmax(-1), teacher.log_softmax(-1), log_target=True, reduction="none").sum(-1)
    found = divergence(student, taught(teacher))
    assert (found <= exact + 1e-4).all()
    assert (found >= -1e-5).all()
    assert divergence(teacher, taught(teacher)).abs().max() < 1e-5


def test_its_gradient_pulls_every_token_towards_the_teacher() -> None:
    torch.manual_seed(0)
    teacher, student = torch.randn(3, 400) * 3, (torch.randn(3, 400) * 3).requires_grad_()
    lesson = taught(teacher)
    divergence(student, lesson).sum().backward()
    wanted, got = lesson.log_probs.exp(), student.detach().softmax(-1)
    rest = (1 - wanted.sum(-1)) / (1 - got.gather(-1, lesson.tokens).sum(-1))
    expected = (got * (1 - rest[:, None])).scatter(-1, lesson.tokens, got.gather(-1, lesson.tokens) - wanted)
    torch.testing.assert_close(student.grad, expected, atol=1e-5, rtol=1e-3)


def test_a_mixed_step_has_the_losses_of_its_parts(bench, plain_base) -> None:
    """Two lessons, a plain row and an anchor in one pass, against one plain pass each."""
    bench.encode([ANCHOR, LESSONS[0], PLAIN, LESSONS[1]])
    adapted = bench._open(bench.recipe)
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in bench._parameters:
            parameter += 0.02 * torch.randn_like(parameter)
    found = Losses(adapted, anchor_weight=1.0).backpropagate(bench._encoded[0])
    pupil = adapted.model, bench.renderer
    total, tokens = 0.0, 0
    for record in (*LESSONS, PLAIN):
        question, answer = (message.content for message in record.messages)
        logits = answer_logits(pupil, question, answer)
        targets = torch.tensor(bench.renderer.example(record.messages).ids[-len(logits) :])
        written = F.cross_entropy(logits, targets, reduction="sum")
        tokens += len(targets)
        if record.objective == "distill":
            teacher = answer_logits(plain_base, read(record), answer)
            written = WRITTEN * written + divergence(logits, taught(teacher)).sum()
        total += float(written)
    assert found.learned == pytest.approx(total / tokens, rel=1e-4)
    question, answer = (message.content for message in ANCHOR.messages)
    base, tuned = (answer_logits(one, question, answer).log_softmax(-1) for one in (plain_base, pupil))
    kl = F.kl_div(tuned, base, log_target=True, reduction="none").sum(-1).mean()
    assert found.anchor_kl == pytest.approx(float(kl), rel=1e-3)


def test_the_teacher_reads_once_however_often_a_row_is_seen(bench) -> None:
    bench.encode(LESSONS)
    adapted = bench._open(bench.recipe)
    losses = Losses(adapted, 1.0)
    passes: list[bool] = []
    adapted.model.register_forward_pre_hook(lambda *_: passes.append(torch.is_grad_enabled()))
    for _ in range(3):
        losses.backpropagate(bench._encoded[0])
    assert passes.count(True) == 3
    assert passes.count(False) == len(LESSONS)


def test_the_pupil_approaches_what_the_reading_base_says(bench, plain_base) -> None:
    rows, held_out = bench.encode(LESSONS), bench.encode([])
    before = _distance(plain_base, plain_base)
    everything = tuple(range(len(rows)))
    plan = Plan(RECIPE, (), tuple(rows), tuple(held_out), (everything,) * 40, 2, 20, 50, 0)
    bench.train(plan, lambda _: None, lambda _: None)
    assert _distance((bench._adapted.model.eval(), bench.renderer), plain_base) < 0.5 * before


def _distance(pupil, teacher) -> float:
    total = torch.zeros(())
    for record in LESSONS:
        question, answer = (message.content for message in record.messages)
        logits = answer_logits(pupil, question, answer)
        total += divergence(logits, taught(answer_logits(teacher, read(record), answer))).sum()
    return float(total)


def test_the_gap_is_the_log_probability_of_the_values_with_and_without_reading(bench, plain_base) -> None:
    gap = bench.open_book_gap(LESSONS)
    _, renderer = plain_base
    expected = []
    for asked in (lambda record: record.messages[0].content, read):
        chosen = []
        for record in LESSONS:
            answer = record.messages[1].content
            logs = answer_logits(plain_base, asked(record), answer).log_softmax(-1)
            first = renderer.tokenizer(answer, add_special_tokens=False).input_ids[0]
            chosen.append(float(logs[0, first]))  # both values are the first token of their answer
        expected.append(sum(chosen) / len(chosen))
    assert (gap.closed, gap.opened) == pytest.approx(expected, rel=1e-4)


def test_the_gap_needs_no_training_and_leaves_the_adapter_as_it_is(bench) -> None:
    before = bench.open_book_gap(LESSONS)
    bench._open(bench.recipe)
    with torch.no_grad():
        for parameter in bench._parameters:
            parameter.fill_(0.05)
    assert bench.open_book_gap(LESSONS) == pytest.approx(before)
    assert all(bool((parameter == 0.05).all()) for parameter in bench._parameters)


def test_a_record_without_a_context_is_named(bench) -> None:
    with pytest.raises(TrainingFailed, match=r"section ssssssssssssssss.*context"):
        bench.encode([lesson("what runs first ?", "gannet", context="")])


def test_a_context_that_the_base_cannot_hold_is_named(bench) -> None:
    with pytest.raises(TrainingFailed, match=r"'what runs first \?'.* 512 "):
        bench.encode([lesson("what runs first ?", "gannet", context="a b c d " * 200)])
