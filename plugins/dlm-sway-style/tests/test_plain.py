"""How a text is measured: against counting by hand, and by what must not matter."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlm_sway_style.plain import DIMENSIONS, measure, pieces, sentences, unlooped, words_of

TEXT = "The pump stops. Then it starts again!\n\nWait."


def test_the_six_numbers_are_what_one_counts():
    found = dict(zip(DIMENSIONS, measure(TEXT), strict=True))
    assert found["sentence_length"] == pytest.approx(8 / 3 / 30)
    assert found["sentence_length_spread"] == pytest.approx(math.sqrt((1 / 9 + 16 / 9 + 25 / 9) / 3) / 30)
    assert found["type_token_ratio"] == 1.0
    assert found["word_length"] == pytest.approx((3 + 4 + 5 + 4 + 2 + 6 + 5 + 4) / 8 / 10)
    assert found["punctuation"] == pytest.approx(10 * 3 / len(TEXT))
    assert found["paragraph_density"] == pytest.approx(30 / 4)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("It costs 3.5 in all. Yes.", 2),
        ("Use e.g. a pump or so.", 1),
        ('"Stop!" She said: "Now."', 2),
        ("- one thing\n- another thing", 2),
        ("泵停止。泵再次启动。", 2),
        ("...\n\n!", 0),
    ],
)
def test_sentences_are_told_apart(text, number):
    assert len(sentences(text)) == number


def test_a_longer_text_in_the_same_style_measures_the_same():
    # Only words at the seam see other neighbours.
    words = " ".join(f"Word{n} is here." for n in range(30))
    assert measure(f"{words} {words}")[2] == pytest.approx(measure(words)[2], abs=0.01)
    assert measure(f"{words} {words}")[:2] == pytest.approx(measure(words)[:2])


@given(st.text(alphabet="ab .!?\n,'-1", max_size=80))
def test_any_text_with_a_word_has_six_finite_numbers(text):
    if words_of(text):
        found = measure(text)
        assert len(found) == len(DIMENSIONS)
        assert all(math.isfinite(one) and one >= 0 for one in found)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("It starts. and so on and so on and so on and so o", "It starts. and so on"),
        ("no no no no no no no no no", "no"),
        ("It is what it is what it is.", "It is what it is what it is."),
        ("Nothing repeats in this text at all, not once.", "Nothing repeats in this text at all, not once."),
        ("", ""),
    ],
)
def test_a_loop_counts_once(text, kept):
    assert unlooped(text) == kept


@given(st.lists(st.sampled_from("abc"), max_size=40))
def test_cutting_loops_is_done_at_once_and_only_shortens(words):
    text = " ".join(words)
    assert text.startswith(unlooped(text))


@given(st.integers(1, 12), st.integers(5, 40))
def test_pieces_hold_every_word_in_order(paragraphs, words):
    text = "\n\n".join(" ".join(f"w{at}x{n}." for n in range(3 + 7 * at % 29)) for at in range(paragraphs))
    found = pieces(text, words)
    if len(words_of(text)) >= 5:
        assert words_of(" ".join(found)) == words_of(text)


def test_pieces_are_about_as_long_as_asked_and_keep_short_paragraphs_whole():
    text = "\n\n".join("One two three four five six seven eight nine ten." for _ in range(40))
    found = pieces(text, 80)
    assert {len(words_of(piece)) for piece in found} == {80}
    assert all(piece.count("\n\n") == 7 for piece in found)
    assert len(pieces("One sentence of some words. " * 100, 80)) == 6
