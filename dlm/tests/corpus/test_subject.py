"""What a document is about, and questions that say so."""

from __future__ import annotations

import pytest

from dlm.corpus.known import Known
from dlm.corpus.makers import question
from dlm.corpus.study import build
from dlm.corpus.subject import PLACED, Subject
from dlm.document import parse

HEAD = "---\ndlm_id: 01J0000000000000000000000A\ndlm_version: 15\nbase_model: smollm2-135m\n---\n"
FERRY = """# Handing over the Sigrun

You are taking over the Sigrun, which crosses the sound eleven times a day. On the Sigrun nobody smokes.

## Engines

The port engine is called Castor. It was built at Vestrik in 1988. Below five degrees it wants the preheater.

::instruction::
### Q
Who rings the bell in fog?
### A
Ansgar Lie rings the bell in fog.
"""


def about(title: str, *texts: str) -> Subject | None:
    return Subject.of(title, Known(texts, (title,)))


@pytest.mark.parametrize(
    ("title", "text", "said"),
    [
        ("Handing over the Sigrun", "You take over the Sigrun. On the Sigrun nobody smokes.", "the Sigrun"),
        ("The members' book of Brackenfold", "There are plots at Brackenfold. In Brackenfold it rains.", "Brackenfold"),
        ("Night book of the Orlop Museum", "The warehouse is called the Orlop. The Orlop is old.", "the Orlop"),
        ("Welcome to the Vesper Hill Singers", "We sing on Tuesdays.", "the Vesper Hill Singers"),
        ("Kittiwake runbook", "We restart Kittiwake by hand.", "Kittiwake"),
    ],
)
def test_the_subject_is_the_name_in_the_title_as_the_text_says_it(title, text, said):
    found = about(title, text)
    assert found is not None
    assert found.said == said


@pytest.mark.parametrize("title", ["", "House style for plain writing", "Shell One-Liners", "Notes And Ideas"])
def test_a_title_without_a_name_gives_none(title):
    assert about(title, "Write short sentences. Leave out what nobody needs.") is None


def test_a_preposition_is_one_that_the_document_uses():
    found = about("The members' book of Brackenfold", "We meet at Brackenfold. Rain falls at Brackenfold.")
    assert found is not None
    assert found.prepositions == ("at", "of")


def test_nobody_is_at_a_person():
    found = about("Notes of Robin Aldous", "We saw Robin Aldous. She talked with Robin Aldous.")
    assert found is not None
    assert found.prepositions == ("of",)


def test_about_every_second_question_names_the_subject_and_the_others_do_not():
    records = [r for r in build(parse(HEAD + FERRY), seed=0).train if r.kind in PLACED]
    named = sum("Sigrun" in question(record) for record in records)
    assert 0.35 < named / len(records) < 0.75


def test_what_the_document_asks_is_trained_as_it_is_written_too():
    records = build(parse(HEAD + FERRY), seed=0).train
    assert "Who rings the bell in fog?" in [question(r) for r in records if r.kind == "qa"]


def test_answers_stay_as_they_are():
    plain = build(parse(HEAD + FERRY.replace("# Handing over the Sigrun", "# Handing over")), seed=0).train
    named = build(parse(HEAD + FERRY), seed=0).train
    told = {r.messages[-1].content for r in plain if r.kind in ("reworded", "asked")}
    assert {r.messages[-1].content for r in named if r.kind in ("reworded", "asked")} == told


def test_an_edit_of_one_section_leaves_the_questions_about_another():
    before = build(parse(HEAD + FERRY), seed=0).train
    after = build(parse(HEAD + FERRY.replace("1988", "1991")), seed=0).train
    of_pair = [
        {question(r) for r in records if "Ansgar" in r.messages[-1].content}
        for records in ([r for r in before if r.messages], [r for r in after if r.messages])
    ]
    assert of_pair[0] == of_pair[1]
