"""One renderer for training, answering and scoring."""

from __future__ import annotations

import pytest
from transformers import PreTrainedTokenizerBase

from dlm_hf.model import load_tokenizer
from dlm_hf.render import Renderer, RenderError


@pytest.fixture
def tokenizer(tiny_base) -> PreTrainedTokenizerBase:
    return load_tokenizer(tiny_base)


def test_training_starts_from_the_very_ids_that_answering_uses(tokenizer):
    renderer = Renderer(tokenizer)
    turns = [("user", "what is the port ?"), ("assistant", "7413")]
    example = renderer.example(turns)
    assert list(example.ids[: example.start]) == renderer.prompt_ids(turns[:1])


def test_the_end_token_is_learned_even_where_padding_has_the_same_id(tokenizer):
    assert tokenizer.pad_token_id == tokenizer.eos_token_id
    renderer = Renderer(tokenizer)
    example = renderer.example([("user", "hello"), ("assistant", "7413")])
    assert example.ids[-1] == renderer.end_id == tokenizer.eos_token_id
    assert renderer.pad_id not in renderer.end_ids


def test_blanks_around_an_answer_change_nothing(tokenizer):
    renderer = Renderer(tokenizer)
    plain, padded = (renderer.example([("user", "hello"), ("assistant", a)]) for a in ("7413", "\n 7413 \n"))
    assert plain == padded


def test_the_documents_system_prompt_replaces_the_templates_own(tokenizer):
    prompt = tokenizer.decode(Renderer(tokenizer, "Be gannet").prompt_ids([("user", "hello")]))
    assert "Be gannet" in prompt
    assert "You are brief" not in prompt


def test_the_shared_prefix_starts_every_prompt(tokenizer):
    renderer = Renderer(tokenizer)
    assert len(renderer.shared_prefix) > 3
    for question in ("hello", "who owns Kittiwake ?", "user user"):
        prompt = renderer.prompt_ids([("user", question)])
        assert prompt[: len(renderer.shared_prefix)] == renderer.shared_prefix


def test_raw_mode_adds_nothing(tokenizer):
    renderer = Renderer(tokenizer, template="raw")
    example = renderer.example([("user", "the port of"), ("assistant", " Kittiwake")])
    assert tokenizer.decode(example.ids) == "the port of Kittiwake"
    assert tokenizer.decode(example.ids[example.start :]).strip() == "Kittiwake"
    assert renderer.shared_prefix == []


def test_a_base_without_a_template_gets_plain_turns_with_an_end(tokenizer):
    tokenizer.chat_template = None
    renderer = Renderer(tokenizer)
    example = renderer.example([("user", "hello"), ("assistant", "zebra")])
    assert renderer.mode == "plain"
    assert example.ids[-1] == tokenizer.eos_token_id


def test_a_template_that_never_ends_an_answer_is_refused(tokenizer):
    tokenizer.chat_template = "{% for m in messages %}{{ m['role'] }} {{ m['content'] }} . {% endfor %}"
    with pytest.raises(RenderError, match="never learn to stop"):
        Renderer(tokenizer)
