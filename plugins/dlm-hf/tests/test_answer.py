"""Answering on a tiny model in half precision, where the shape of a batch changes the last bits of everything."""

from __future__ import annotations

from random import Random
from types import SimpleNamespace

import pytest

from dlm.bases import LocalBase
from dlm.corpus.records import Message
from dlm.training.backend import Sampling
from dlm_hf import answer as module
from dlm_hf.backend import HfBackend
from dlm_hf.passes import complete
from dlm_hf.rounds import LEAST_WIDTH, ROWS, room_for_tokens, together

WORDS = "who owns the port of Kittiwake and how are you today what is Soundings restart gannet petrel minutes".split()
GREEDY = Sampling(max_new_tokens=12)


def conversations(count: int) -> list[list[Message]]:
    """Questions of 1 to 79 words."""
    random = Random(7)
    return [[Message("user", " ".join(random.choices(WORDS, k=1 + 13 * index % 79)))] for index in range(count)]


@pytest.fixture(scope="module")
def answerer(tiny_base):
    base = LocalBase("tiny", tiny_base, "sha256:" + "0" * 64, "test", None)
    with HfBackend().answerer(base, None, None, precision="bf16") as found:
        yield found


def texts(answerer, asked) -> list[str]:
    return [answer.text for answer in answerer.answer(asked, GREEDY)]


def test_a_question_gets_the_same_answer_alone_in_any_list_and_in_any_order(answerer) -> None:
    asked = conversations(40)
    together = texts(answerer, asked)
    assert len(set(together)) > 10
    order = list(range(len(asked)))
    Random(1).shuffle(order)
    shuffled = texts(answerer, [asked[index] for index in order])
    assert [shuffled[order.index(index)] for index in range(len(asked))] == together
    assert [texts(answerer, [asked[index]])[0] for index in range(0, 40, 6)] == together[::6]


def test_a_base_that_padding_would_confuse_is_asked_one_question_at_a_time(tiny_base, monkeypatch) -> None:
    seen = []

    def watched(model, prompts, *arguments, width, **options):
        seen.append((len(prompts), len(prompts[0]), width))
        return complete(model, prompts, *arguments, width=width, **options)

    monkeypatch.setattr(module, "packs_exactly", lambda *_: False)
    monkeypatch.setattr(module, "complete", watched)
    base = LocalBase("tiny", tiny_base, "sha256:" + "0" * 64, "test", None)
    with HfBackend().answerer(base, None, None, precision="bf16") as found:
        texts(found, conversations(3))
    assert [(rows, width) for rows, _, width in seen] == [(1, length) for _, length, _ in seen]
    assert len(seen) == 3


@pytest.mark.parametrize("length", [1, LEAST_WIDTH - 1, LEAST_WIDTH, 95, 96, 300, 20_000])
def test_the_shape_of_a_batch_follows_from_the_length_of_a_prompt_alone(length) -> None:
    (alone,) = together([[5] * length], 48)
    among = next(b for b in together([[5] * n for n in (3, 90, length, 7, 4000)], 48) if 2 in b.indices)
    assert (alone.rows, alone.width) == (among.rows, among.width)
    assert length < alone.width <= max(LEAST_WIDTH, 1.5 * length)
    assert 1 <= alone.rows <= ROWS


def test_every_prompt_is_answered_once() -> None:
    batches = together([[5] * (index * 7 % 200) for index in range(100)], 48)
    assert sorted(index for batch in batches for index in batch.indices) == list(range(100))
    assert all(len(batch.indices) <= batch.rows for batch in batches)


def test_an_accelerator_answers_as_many_at_once_as_its_memory_holds_and_more_layers_are_fewer() -> None:
    class Config(SimpleNamespace):
        def get_text_config(self):
            return self

    small = Config(num_hidden_layers=30, num_attention_heads=9, num_key_value_heads=3, hidden_size=576)
    large = Config(num_hidden_layers=60, num_attention_heads=9, num_key_value_heads=3, hidden_size=576)
    memory = 24 << 30
    assert room_for_tokens(small, memory, 2) == 3 * (1 << 30) // (2 * 30 * 3 * 64 * 2)
    assert room_for_tokens(large, memory, 2) == room_for_tokens(small, memory, 2) // 2
    (one,) = together([[5] * 40] * 100, 96, most_rows=128, tokens=room_for_tokens(small, memory, 2))
    assert (one.rows, len(one.indices)) == (128, 100)
