from __future__ import annotations

import pytest

from dlm.corpus.sentences import content_words, key_span, paragraphs, sentences

NOTHING: frozenset[str] = frozenset()


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("It runs on two hosts. They are called gannet and petrel.", 2),
        ("Ask Dr. Hale or Mr. J. Kent. Both know, e.g. from last year.", 2),
        ("Version 2.4 is old. Use 3.0!", 2),
        ("Is it on? `lampctl on` starts it. (Twice.) Then wait.", 4),
        ("一つ目の文。二つ目の文。", 2),
        ("no capital after this. see below", 1),
        ("", 0),
    ],
)
def test_text_is_split_where_a_sentence_ends(text, count):
    assert len(sentences(text)) == count


def test_splitting_loses_no_word():
    text = "It is on. Ask Dr. Hale! Why? (Because.) `x` is 3.5 m. Done"
    assert " ".join(sentences(text)).split() == text.split()


@pytest.mark.parametrize(
    ("sentence", "span"),
    [
        ("To restart, run `lampctl bounce 3` as Ada.", "lampctl bounce 3"),
        ("Alerts go to #lamp-watch at 03:20.", "#lamp-watch"),
        ("It is saved at 03:20 UTC by Ada.", "03:20 UTC"),
        ("Write to ada@example.org for 3 lamps.", "ada@example.org"),
        ("It promises 99.95% of the time.", "99.95%"),
        ("It keeps its data in a database named saltmarsh.", "saltmarsh"),
        ("The hosts are called gannet and petrel.", "gannet and petrel"),
        ("A restart takes about 90 seconds.", "90 seconds"),
        ("Readings come from eleven gauges.", "eleven gauges"),
        ("It listens on port 7413.", "7413"),
        ("Its lead is Marit Oyelaran.", "Marit Oyelaran"),
        ("Marit Oyelaran leads it.", "Marit Oyelaran"),
        ("Never do this.", None),
        ("`x`.", None),
        ("It is ` ` or so.", None),
    ],
)
def test_the_key_span_is_what_a_reader_would_ask_for(sentence, span):
    gap = key_span(sentence, NOTHING)
    assert (gap and gap.span) == span
    assert gap is None or gap.sentence == sentence


def test_the_gap_is_where_the_span_was_found_not_where_its_letters_first_occur():
    assert key_span("In v13 it has 3 ports", NOTHING) == ("In v13 it has ", "3 ports", "")
    assert key_span("Of B13, 3.", NOTHING) == ("Of B13, ", "3", ".")


def test_what_the_title_says_is_no_key_span():
    assert key_span("The service is Kittiwake.", frozenset({"kittiwake"})) is None


def test_code_lists_tables_and_hard_breaks_are_no_running_prose():
    prose, code = "One line\nand another.", "```\nA. B.\n\nC. D.\n```"
    text = "\n\n".join([prose, code, "- a\n- b", "| x | y |", "1. first", "Hard  \nbreak.", "Last one."])
    found = paragraphs(text)
    assert [part.text for part in found if part.running] == ["One line and another.", "Last one."]
    assert code in [part.text for part in found]


def test_an_unclosed_fence_keeps_what_follows_whole():
    assert [part.running for part in paragraphs("Prose.\n\n```\nA. B.\n\nC. D.")] == [True, False]


def test_content_words_leave_out_function_words():
    assert content_words("Which port does the Lamp-7 listen on?") == ["port", "lamp-7", "listen"]
