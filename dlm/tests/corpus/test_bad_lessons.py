"""Documents that are hard to learn from: each gives sensible records or a clear error, never an empty success."""

from __future__ import annotations

from collections import Counter

import pytest

from dlm.corpus import contradictions
from dlm.corpus.makers import Block
from dlm.corpus.study import MOST_DERIVED, build, primary_records
from dlm.document.read import parse
from dlm.errors import DocumentError

HEAD = "---\ndlm_id: 01M81FN4JAC853MSGR8B0PH69S\ndlm_version: 15\nbase_model: smollm2-135m\n---\n"
SENTENCE = "The pump in the cellar is drained on Mondays by Ada Holm.\n"
QUESTIONS = """\
::instruction::
### Q
Who drains the pump?
### A
Ada Holm drains the pump.
### Q
Which lamp is lit when the pump runs?
### A
The green lamp is lit when the pump runs.
"""
CODE = """\
# Build

```sh
make -j 4 all
cp a.out /srv/pump
```
"""
POLISH = """\
# Podręcznik pompy

Pompa Czapla stoi w piwnicy ratusza. Opiekuje się nią Zofia Wójcik. Olej wymienia się co 40 dni.

::instruction::
### Q
Kto opiekuje się pompą?
### A
Pompą opiekuje się Zofia Wójcik.
"""
CONTRARY = """\
# Pumps

## Heron

Heron is drained on Mondays.

::instruction::
### Q
When is Heron drained?
### A
Heron is drained on Mondays.

### Q
When is Heron drained?
### A
Heron is drained on Fridays.
"""


def study(body: str):
    return build(parse(HEAD + body), 0)


def learned(made):
    return [record for record in made.train if record.objective != "anchor"]


def said(record) -> str:
    return record.messages[-1].content if record.messages else record.text


@pytest.mark.parametrize("body", [SENTENCE, QUESTIONS, CODE, POLISH, CONTRARY], ids=range(5))
def test_every_document_with_text_has_records_to_learn_from_and_something_held_out(body):
    made = study(body)
    assert learned(made)
    assert made.held_out
    assert sum(made.mixture.values()) == pytest.approx(1)
    assert set(made.mixture) == {record.kind for record in made.train}
    assert all(said(record).strip() for record in learned(made))


@pytest.mark.parametrize("body", ["", "\n\n", "# Only a title\n", "::instruction::\n"], ids=range(4))
def test_a_document_without_text_is_an_error_that_says_so(body):
    with pytest.raises(DocumentError) as problem:
        study(body)
    assert ":" in str(problem.value)


def test_of_one_sentence_its_facts_are_asked_for():
    made = study(SENTENCE)
    answers = {said(record).strip() for record in learned(made)}
    assert SENTENCE.strip() in answers
    assert any("Mondays" in said(record) and "Mondays" not in record.messages[0].content for record in learned(made))


def test_only_questions_are_learned_without_any_prose():
    made = study(QUESTIONS)
    assert not [record for record in made.train if record.objective == "text" and record.kind != "anchor"]
    answers = Counter(said(record) for record in learned(made) if record.kind == "qa")
    assert answers == {"Ada Holm drains the pump.": 1, "The green lamp is lit when the pump runs.": 1}


def test_code_is_learned_as_it_stands_and_never_taken_for_sentences():
    made = study(CODE)
    assert {record.kind for record in learned(made)} <= {"prose", "heading"}
    assert all("make -j 4 all\ncp a.out /srv/pump" in said(record) for record in learned(made))


def test_of_a_language_the_rules_do_not_speak_no_question_is_made_in_english_grammar():
    made = study(POLISH)
    assert {"qa", "prose", "heading"} <= {record.kind for record in learned(made)}
    assert not [record for record in made.train if record.kind in ("asked", "reworded", "analogy", "reverse")]
    assert any("Zofia Wójcik" in said(record) for record in learned(made))


def test_a_contradiction_is_found_and_both_of_its_sides_named():
    records = list(primary_records(parse(HEAD + CONTRARY)))
    blocks = [Block(record, record.title, 1500) for record in records if not record.messages]
    (found, *_) = contradictions.find([record for record in records if record.messages], blocks)
    assert {"Mondays", "Fridays"} <= {
        word.strip(".") for place in (found.first, found.second) for word in place.text.split()
    }


def pumps(count: int) -> str:
    sections = [
        f"## Pump {n}\n\nPump {n} stands in hall {n % 97} and is drained by Person{n} Holm{n}. It listens on port "
        f"{3000 + n}. If it stops, ring extension {n * 7}.\n"
        for n in range(count)
    ]
    return "# Pumps\n\n" + "\n".join(sections)


@pytest.mark.slow
def test_two_megabytes_are_learned_whole_with_questions_about_a_sample_only():
    count = 14_500
    body = pumps(count)
    assert len(body) > 2_000_000
    made = study(body)
    prose = {record.group for record in made.train if record.kind == "prose"}
    derived = {record.group for record in learned(made) if record.kind != "prose"}
    assert len(prose) == count
    assert 0 < len(derived) <= MOST_DERIVED
    assert len(made.held_out) < 1000
