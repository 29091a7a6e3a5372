"""How well a tokenizer knows the words of a document: counted exactly, and told when it matters."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from dlm.training.plan import Plan
from dlm.training.recipe import Recipe
from dlm.training.vocabulary import MOST_WARMED, Vocabulary, counted, general, measured, with_embeddings

PIECES = {
    "the": [1],
    "lamp": [2],
    "Kittiwake": [3, 4, 5, 6],
    "gannets": [7, 8, 9],
    "petrel": [7, 4, 3],
    "\u2603x": [0, 2],
}


def test_words_are_counted_without_numbers():
    found = counted(["The lamp's key, the Lamp: 7413 v2.", "don\u2019t the"])
    assert found == {"The": 1, "lamp's": 1, "key": 1, "the": 2, "Lamp": 1, "v2": 1, "don\u2019t": 1}


def test_tokens_a_word_are_means_over_the_words_as_often_as_they_come():
    found = measured({"the": 6, "Kittiwake": 2}, {"the": 3, "lamp": 1}, PIECES, None)
    assert (found.words, found.tokens_per_word, found.general_tokens_per_word) == (8, 14 / 8, 1.0)
    assert found.poor


def test_the_words_that_cost_most_pieces_come_first_and_rare_ones_are_not_warmed_up():
    found = measured({"petrel": 1, "gannets": 3, "Kittiwake": 5, "the": 9}, {"the": 1}, PIECES, None)
    assert [(one.word, one.pieces, one.times) for one in found.split] == [
        ("Kittiwake", 4, 5),
        ("gannets", 3, 3),
        ("petrel", 3, 1),
    ]
    assert found.tokens == (3, 4, 5, 6, 7, 8, 9)
    assert measured({"petrel": 1}, {"the": 1}, PIECES, None).tokens == ()


def test_pieces_of_everyday_words_are_not_warmed_up():
    pieces = {**PIECES, "take": [6], "hill": [9]}
    found = measured({"Kittiwake": 5, "gannets": 5, "the": 90}, {"take": 2, "hill": 1, "the": 97}, pieces, None)
    assert found.tokens == (3, 4, 5, 7, 8, 9)


def test_no_more_tokens_are_warmed_up_than_the_most_frequent():
    words = {f"w{n}": MOST_WARMED - n + 2 for n in range(MOST_WARMED)}
    pieces = {word: [10 * n, 10 * n + 1, 10 * n + 2] for n, word in enumerate(words)}
    found = measured(words, {}, pieces, None)
    assert len(found.tokens) == MOST_WARMED
    assert max(found.tokens) < 10 * (MOST_WARMED // 3 + 1)


def test_unknown_characters_are_counted_named_and_never_warmed_up():
    found = measured({"\u2603x": 4, "the": 50}, {"the": 1}, {**PIECES, "\u2603x": [0, 2, 0]}, 0)
    assert (found.unknown, found.unknown_tokens, found.poor) == (("\u2603x",), 8, True)
    assert 0 not in found.tokens
    assert "8 tokens are unknown to it: \u2603x" in found.said


def test_an_empty_document_has_no_words():
    found = measured({}, {"the": 1}, PIECES, 0)
    assert (found.words, found.tokens_per_word, found.poor) == (0, 0.0, False)


def test_general_text_comes_with_dlm():
    found = general()
    assert found.total() > 1000
    assert found["the"] > 50


def test_it_is_told_in_words_and_as_plain_data():
    found = measured({"Kittiwake": 2, "the": 1}, {"the": 1}, PIECES, None)
    assert found.said == (
        "the base's tokenizer takes 3.00 tokens a word, and 1.00 in general text; Kittiwake takes 4 (2 times)"
    )
    plain = found.as_json()
    assert plain["split"] == [{"word": "Kittiwake", "pieces": 4, "times": 2}]
    assert (plain["tokens"], plain["poor"]) == (4, True)


FOUND = Vocabulary(10, 1.0, 1.0, tokens=(3, 4))


def plan(warmup: int) -> Plan:
    return Plan(Recipe(embed_warmup_steps=warmup), (), (), (), (), 0, 0, 1, 0)


def test_every_phase_of_a_run_knows_the_tokens_that_one_of_them_warms_up():
    made = with_embeddings((plan(5), plan(0)), FOUND, None)
    assert [(one.recipe.embedded, one.recipe.embed_warmup_steps) for one in made] == [((3, 4), 5), ((3, 4), 0)]
    assert all(one.vocabulary is FOUND for one in made)


@pytest.mark.parametrize("found", [None, replace(FOUND, tokens=())])
def test_without_tokens_nothing_is_warmed_up(found):
    (made,) = with_embeddings((plan(5),), found, None)
    assert (made.recipe.embedded, made.recipe.embed_warmup_steps) == ((), 0)


def test_nobody_asked_and_no_embedding_is_kept():
    (made,) = with_embeddings((plan(0),), FOUND, None)
    assert made.recipe.embedded == ()


def test_counting_does_not_depend_on_the_order_of_the_words():
    words = {"Kittiwake": 2, "gannets": 2, "petrel": 2}
    assert measured(words, {}, PIECES, None) == measured(Counter(dict(reversed(words.items()))), {}, PIECES, None)
