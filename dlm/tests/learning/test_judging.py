"""Whether an answer says a value."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlm.learning.judging import content_of, own_words, right, roughly, says


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        ("It listens on port 7413.", "7413"),
        ("Port: **7,413**", "7413"),
        ("Run `tidectl bounce kittiwake` now", "tidectl bounce kittiwake"),
        ("the SOUNDINGS team", "Soundings"),
        ("It is 3.5 metres.", "3.5 metres"),
        ("At 03:20, every night", "03:20"),
        ("It costs €40.", "€40"),
        ("write to #tide-watch", "#tide-watch"),
        ("the code\u2011name is plum\u2011tree", "plum-tree"),
        ("東京にあります", "東京"),
        ("Marit\nOyelaran leads it", "Marit Oyelaran"),
    ],
)
def test_a_value_is_said_whatever_its_case_markup_and_separators(answer, value) -> None:
    assert says(answer, value)


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        ("It listens on port 17413.", "7413"),
        ("It listens on port 7413.5", "7413"),
        ("It opens at 17:30", "17"),
        ("It opens at 7:17", "17"),
        ("a catalogue", "cat"),
        ("in 1,074,130 cases", "7413"),
        ("Soundingsville", "Soundings"),
        ("anything", ""),
        ("", "7413"),
    ],
)
def test_a_value_inside_of_another_is_not_said(answer, value) -> None:
    assert not says(answer, value)


@given(st.text(min_size=1, max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_judging_never_fails_and_a_value_alone_says_itself(value, before, after) -> None:
    says(before + value + after, value)
    if any(character.isalnum() for character in value):
        assert says(value, value)


def test_every_value_of_a_list_must_be_said() -> None:
    assert right("It runs on gannet and petrel.", ("petrel", "gannet"))
    assert not right("It runs on gannet.", ("petrel", "gannet"))


def test_content_counts_only_when_the_question_does_not_hold_it() -> None:
    assert content_of("Kittiwake uses saltmarsh.", "What is Kittiwake?", ("Kittiwake", "saltmarsh")) == ["saltmarsh"]


def test_most_words_in_any_form_are_enough_and_those_of_the_question_do_not_count() -> None:
    words = own_words("The tap beside the shed runs dry first.", "Which tap runs dry first?")
    assert words == ("beside", "shed")
    assert roughly("It stands beside the sheds", words)
    assert not roughly("Which tap runs dry first?", words)
    assert not roughly("anything", ())
