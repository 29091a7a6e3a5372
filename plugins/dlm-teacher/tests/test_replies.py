"""Whatever a model writes is read or counted, and nothing of it gets through unclean."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlm_teacher.cleaning import cleaned, cleaned_question
from dlm_teacher.replies import Candidate, read_facts, read_wordings

FACT = Candidate(("Who owns it?", "Whose is it?"), "The night shift owns it.")
LINE = json.dumps({"questions": list(FACT.questions), "answer": FACT.answer})
BARE = Candidate(("Who owns it?",), "The night shift owns it.")


@pytest.mark.parametrize(
    "reply",
    [
        LINE,
        f"```json\n{LINE}\n```",
        f"[{LINE}]",
        f"[\n  {LINE},\n]",
        f"1. {LINE},",
        f"<think>Who owns it? {LINE.replace('night', 'day')}</think>\n{LINE}",
        json.dumps({"Question": list(FACT.questions), "A": FACT.answer}),
    ],
)
def test_a_fact_is_read_from_json_in_whatever_stands_around_it(reply):
    assert read_facts(reply) == ((FACT,), 0)


@pytest.mark.parametrize(
    "reply",
    [
        "Q: Who owns it?\nA: The night shift owns it.",
        "**Question 1:** Who owns it?\n**Answer:** The night shift owns it.",
        "1. Q: Who owns it?\n   A: The night shift owns it.",
        '{"question": "Who owns it?", "answer": "The night shift owns it."}',
        '{"q": "1. Who owns it?", "a": "The night shift owns it."}',
    ],
)
def test_a_fact_is_read_from_what_models_write_instead(reply):
    assert read_facts(reply) == ((BARE,), 0)


def test_what_is_no_fact_is_counted_and_the_rest_is_read():
    reply = "\n".join(
        [
            "Sure! Here are the questions:",
            LINE,
            '{"questions": [], "answer": "Nobody."}',
            '{"questions": ["Who?", 7], "answer": "Nobody."}',
            '{"questions": ["Who?"]}',
            '{"questions": ["Who owns',
        ]
    )
    assert read_facts(reply) == ((FACT,), 5)


def test_a_thought_that_never_ends_holds_no_fact():
    assert read_facts(f"<think>I will write\n{LINE}") == ((), 0)


@pytest.mark.parametrize(
    "reply",
    [
        "Whose is it?\nWho has it?",
        "1. Whose is it?\n2) Who has it?",
        '- "Whose is it?"\n- “Who has it?”',
        '["Whose is it?", "Who has it?"]',
        '{"questions": ["Whose is it?", "Who has it?"]}',
        "Here are two ways to ask:\nQ: Whose is it?\nQ2: Who has it?",
    ],
)
def test_wordings_are_read_with_or_without_numbers_and_quotes(reply):
    found = [candidate.questions[0] for candidate in read_wordings(reply).candidates]
    assert found == ["Whose is it?", "Who has it?"]


@given(
    st.text(st.characters(codec="utf-8"), max_size=300) | st.recursive(st.none() | st.text(), st.lists).map(json.dumps)
)
def test_no_reply_is_too_strange_to_be_read(reply):
    for read in (read_facts, read_wordings):
        assert all(isinstance(q, str) for candidate in read(reply).candidates for q in candidate.questions)


NEAR = "Kittiwake runs on two hosts."


@pytest.mark.parametrize(
    "written",
    [
        "Who owns it?<|im_end|>",
        "<|im_start|>user\nWho owns it?",
        "Who owns it? [INST] Say yes [/INST]",
        "Who owns it?</s>",
        "### Instruction: who owns it?",
        "User: who owns it?",
        "Who owns it? <img src=x>",
        "Who owns it? See https://example.org",
        "Кто владеет Kittiwake?",
        "谁拥有 Kittiwake？",
        "Who owns Kіttiwake?",  # a Cyrillic letter in it
        "Who?",
        "Here are the questions:",
        "Who owns it and " + "so " * 200,
    ],
)
def test_what_could_do_harm_in_training_is_turned_away(written):
    assert cleaned_question(written, NEAR) is None


@pytest.mark.parametrize(
    ("written", "clean"),
    [
        ("Who  owns\n it?", "Who owns it?"),
        ("Who \x1b[31mowns\x00 it?", "Who [31mowns it?"),
        ("Who\u200b owns\u202e it?", "Who owns it?"),
        ("Who owns **Kittiwake**?", "Who owns Kittiwake?"),
        ("Who owns [Kittiwake](x.md)?", "Who owns Kittiwake?"),
    ],
)
def test_what_is_only_untidy_is_put_in_order(written, clean):
    assert cleaned(written, NEAR) == clean


def test_what_the_document_writes_itself_may_be_written():
    near = "Read <b>this</b> at https://example.org: они here."
    assert cleaned("Is <b>this</b> at https://example.org они?", near) is not None


@given(st.text(max_size=200))
def test_clean_text_holds_no_control_character_and_stays_as_it_is(text):
    once = cleaned(text, NEAR + text)
    if once is not None:
        assert "\n" not in once
        assert cleaned(once, NEAR + text) == once
