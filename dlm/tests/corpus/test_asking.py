"""What is asked about sentences of many kinds: the exact questions, and where nothing may be asked.

``asked.txt`` holds sentences, each with every question that is made of it; ``Yes`` or ``No`` begins the answer of those
that name it.
"""

from __future__ import annotations

import re
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlm.corpus.asking import ask, ask_all, verbs
from dlm.corpus.asking.sentence import Statement
from dlm.corpus.asking.sentence import ask as ask_sentence
from dlm.corpus.makers import Block
from dlm.corpus.records import Record

SILENT = [
    "Is the gate locked?",
    "It runs on two hosts.",
    "They are emptied on Fridays.",
    "Nobody knows the code.",
    "Larkspur is written in Rust.",
    "One command for one job, in a POSIX shell on Linux or macOS.",
    "The second is the base without training.",
    "The same function is the Python API.",
    "- The port is 7413.",
    "The command is ```run```.",
    "Yes.",
    "The greenhouse was a gift from the Aldous family.",
    "To, the gate.",
    "The service takes it to",
    "The gate, also called x,",
    "Three more belong to the format.",
    "",
    "一つ目の文。",
    "Zaliczka wynosi czterdzieści złotych za każdą osobę.",
]


def read_table() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in (Path(__file__).parent / "asked.txt").read_text("utf-8").splitlines():
        if line.startswith("  "):
            found[list(found)[-1]].append(line.strip())
        elif line:
            found[line] = []
    return found


TABLE = read_table()


def asked(sentence: str) -> list[str]:
    made = ask_sentence(Statement.read(sentence))
    return [f"{one.question} {one.answer[:3].strip('.')}" if is_polar(one.answer) else one.question for one in made]


def is_polar(answer: str) -> bool:
    return answer.startswith(("Yes. ", "No. "))


def block(text: str, title: str = "Kittiwake runbook > Operation", room: int = 1500) -> Block:
    return Block(Record("block", "text", "group", "section", (), text, title), title.rsplit(" > ", 1)[-1], room)


def exchanges(made: Block) -> dict[str, str]:
    return {record.messages[0].content: record.messages[1].content for record in ask(made)}


@pytest.mark.parametrize("sentence", TABLE)
def test_a_sentence_is_asked_about_in_these_words(sentence):
    assert asked(sentence) == TABLE[sentence]


@pytest.mark.parametrize("sentence", SILENT)
def test_nothing_is_asked_where_a_question_could_be_wrong(sentence):
    assert ask_sentence(Statement.read(sentence)) == []


def test_an_answer_names_what_its_pronoun_stands_for():
    made = exchanges(block("Kittiwake predicts tides. It listens on port 7413. Its technical lead is Marit Oyelaran."))
    assert made["Which port does Kittiwake listen on?"] == "Kittiwake listens on port 7413."
    assert made["Who is the technical lead of Kittiwake?"] == "Kittiwake's technical lead is Marit Oyelaran."


def test_a_pronoun_stands_for_the_subject_before_it_and_not_for_the_heading():
    made = exchanges(block("Kittiwake has a cache. The cache is small. It is emptied every night."))
    assert made["How often is the cache emptied?"] == "The cache is emptied every night."


def test_they_stand_for_several_and_she_for_the_one_person_named_before():
    made = exchanges(
        block(
            "The jugs stand on the sill. They hold four litres each.\n\nAna Ruiz keeps the log. She works on Fridays."
        )
    )
    assert made["How many litres do the jugs hold?"] == "The jugs hold four litres each."
    assert made["When does Ana Ruiz work?"] == "Ana Ruiz works on Fridays."


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("It listens on port 7413.", "Runbook > Backups"),
        ("They are kept for 45 days.", "Kittiwake"),
        ("She works in the library on Tuesdays.", "Kittiwake"),
        ("Ana Ruiz helps Piet Moor. She works on Fridays.", "People"),
    ],
)
def test_nothing_is_put_in_the_place_of_a_pronoun_that_could_mean_two_things(text, title):
    assert not any(re.search(r"Fridays|7413|45|Tuesdays", answer) for answer in exchanges(block(text, title)).values())


def test_what_one_section_says_of_a_name_helps_in_the_others():
    first = block("Kittiwake is the tide service of the harbour office.", "Kittiwake runbook")
    second = block("The service listens on port 7413.", "Kittiwake runbook > Operation")
    made = {record.messages[0].content: record.messages[1].content for record in ask_all([first, second])}
    assert made["Which port does Kittiwake listen on?"] == "Kittiwake listens on port 7413."


def test_a_question_that_two_sections_answer_names_the_one_that_is_meant():
    texts = {"Courses > Pottery": "The fee is 20 euros.", "Courses > Weaving": "The fee is 35 euros."}
    blocks = [
        replace(block(text, title), record=replace(block(text, title).record, group=title))
        for title, text in texts.items()
    ]
    made = {record.messages[0].content: record.messages[1].content for record in ask_all(blocks)}
    assert made["Weaving: how much is the fee?"] == "Weaving: The fee is 35 euros."
    assert "How much is the fee?" not in made


def test_two_answers_of_one_section_to_a_question_are_given_together():
    made = exchanges(block("The warden checks the boiler. The warden checks the gate."))
    assert made["What does the warden check?"] == "The warden checks the boiler. The warden checks the gate."


def test_code_in_a_list_keeps_its_blanks():
    made = exchanges(
        block(r"- `^\s*$` matches `   `; it does not match `x`." + "\n- `a.c` matches `abc`.\n- `a\\.c` matches `a.c`.")
    )
    assert made[r"What does `^\s*$` match?"] == r"`^\s*$` matches `   `; it does not match `x`."
    assert made["What does `a.c` match?"] == "`a.c` matches `abc`."


def test_a_list_completes_the_sentence_that_leads_to_it():
    made = exchanges(block("The kit contains:\n\n- a torch\n- a whistle\n- two blankets"))
    assert made["What does the kit contain?"] == "The kit contains: a torch, a whistle and two blankets."


def test_every_record_belongs_to_its_block_and_fits_its_room():
    made = ask(block("Refunds are paid by the treasurer on Fridays.", room=60))
    assert {(one.kind, one.objective, one.group, one.section_id, one.text) for one in made} == {
        ("asked", "answer", "group", "section", "")
    }
    assert ask(block("Refunds are paid by the treasurer on Fridays.", room=20)) == []


def test_editing_one_paragraph_changes_no_question_about_another():
    first, second = "The gate is locked at nine by the warden.", "The pump is oiled every month."
    kept = exchanges(block(f"{first}\n\n{second}"))
    edited = exchanges(block(f"The gate is never locked.\n\n{second}"))
    assert {q: a for q, a in kept.items() if a == second} == {q: a for q, a in edited.items() if a == second} != {}


@pytest.mark.parametrize(
    ("base", "third", "past", "gerund"),
    [
        ("carry", "carries", "carried", "carrying"),
        ("stay", "stays", "stayed", "staying"),
        ("stop", "stops", "stopped", "stopping"),
        ("fix", "fixes", "fixed", "fixing"),
        ("go", "goes", "went", "going"),
        ("open", "opens", "opened", "opening"),
        ("submit", "submits", "submitted", "submitting"),
        ("tie", "ties", "tied", "tying"),
        ("organize", "organizes", "organized", "organizing"),
        ("write", "writes", "wrote", "writing"),
    ],
)
def test_a_verb_is_inflected_and_recognised(base, third, past, gerund):
    assert (verbs.third(base), verbs.past(base), verbs.gerund_base(gerund)) == (third, past, base)
    assert {form.base for form in verbs.finite(third)} == {base}


@given(st.text(max_size=60))
def test_any_text_is_asked_about_without_failing(text):
    assert ask(block(text)) == ask(block(text))


@given(
    st.lists(
        st.sampled_from(
            'The It To When is are was has to be called owned takes place in on by from 3 two port `x y` "q" , ; : and '
            "that when because so every night at 03:20 days Ann Roe team its not up out of , ( never Rinse before you "
            "your who may do Only There".split(" ")
        ),
        max_size=16,
    )
)
def test_any_order_of_words_gives_well_formed_questions_or_none(words):
    for question, answer in exchanges(block(" ".join(words))).items():
        assert question.endswith("?")
        assert question[0] == question[0].upper()
        assert "  " not in question
        assert answer


def test_a_long_document_takes_seconds():
    texts = [sentence for sentence in TABLE if TABLE[sentence]] * 10
    started = time.process_time()
    for text in texts:
        ask(block(text))
    assert (time.process_time() - started) / len(texts) < 0.002


def test_a_ship_is_she_where_nobody_else_is_named():
    first = block("You are taking over the Sigrun. Sign the last page.", "Handing over the Sigrun")
    second = block("She was built at Vestrik in 1988.", "Handing over the Sigrun > The boat")
    answers = {record.messages[1].content for record in ask_all([first, second])}
    assert "The Sigrun was built at Vestrik in 1988." in answers
