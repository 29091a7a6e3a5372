"""The bench of learning asks what it says it asks, and counts right. No model is loaded here but a toy."""

from __future__ import annotations

import json
import re
import sys
from importlib import import_module
from pathlib import Path

import pytest

from dlm.corpus.anchors import anchors
from dlm.document import read
from dlm.document.model import Block, Pair, probes
from dlm.document.read import parse
from dlm.testing import only_plugins
from dlm.testing.toy import ToyBackend, ToyPlugin, toy_base

ROOT = Path(__file__).parent.parent
sys.path.append(str(ROOT / "bench"))
learn, measure = import_module("learn"), import_module("learning.measure")
domains, exam, invented = (import_module(f"learning.{name}") for name in ("domains", "exam", "invented"))
results, table = import_module("learning.results"), import_module("learning.table")

SEEDS = range(12)
GENERAL = [*exam.chats(), *(item.question for item in exam.general())]


def questions_of(document) -> list[str]:
    pairs = [part for section in document.sections for part in section.body if isinstance(part, Pair)]
    return [question for pair in pairs for question in pair.questions]


def prose_of(document) -> str:
    blocks = [part for section in document.sections for part in section.body if isinstance(part, Block)]
    return "\n".join(block.text for block in blocks)


def count(text: str, value: str) -> int:
    return len(re.findall(rf"(?<![\w.]){re.escape(value)}(?![\w]|[.:]\d)", text))


@pytest.mark.parametrize("seed", SEEDS)
def test_an_invented_document_is_the_same_for_the_same_seed_and_another_for_the_next(seed):
    assert invented.invent(seed).exam() == invented.invent(seed).exam()
    assert invented.invent(seed).text() != invented.invent(seed + len(domains.DOMAINS)).text()


@pytest.mark.parametrize("seed", SEEDS)
def test_fifty_facts_of_which_thirty_have_a_pair_are_read_by_the_reader_of_documents(seed):
    made = invented.invent(seed)
    document = parse(made.text())
    asked = made.exam().facts
    assert len(made.facts) == 50
    assert len(questions_of(document)) == 30
    assert len(asked) == len({fact.question for fact in asked}) == 100
    assert sum(fact.taught == "pair" for fact in asked) == 60
    assert [block.headings[-1] for block in document.sections[0].body][1:] == list(made.things)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_held_out_wording_stands_in_the_document_and_no_question_of_the_exam_gives_a_value_away(seed):
    made = invented.invent(seed)
    asked, text = made.exam(), made.text().casefold()
    for question in (*(fact.question for fact in asked.facts), *asked.near, *asked.missing, *GENERAL):
        assert question.casefold() not in text
        assert not [value for value in asked.values if exam.says(question, value)]


@pytest.mark.parametrize("seed", SEEDS)
def test_every_value_stands_once_in_the_prose_of_its_thing_and_in_its_answer_and_nowhere_else(seed):
    made = invented.invent(seed)
    document = parse(made.text())
    assert len({fact.value for fact in made.facts}) == len(made.facts)
    for fact in made.facts:
        assert count(made.prose[fact.thing], fact.value) == 1
        assert count(prose_of(document), fact.value) == 1
        assert count(made.text(), fact.value) == 1 + fact.paired
        said = [other.value for other in made.facts if exam.says(fact.answer, other.value)]
        assert said == [fact.value]
        assert exam.says(measure.section_text(document, fact.thing), fact.value)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_not_in_the_document_is_asked_about_things_and_attributes_it_does_not_have(seed):
    made = invented.invent(seed)
    unknown = made.exam().missing
    assert len(unknown) == 20
    assert sum(any(thing in question for thing in made.things) for question in unknown) == 10
    assert not {fact.question for fact in made.facts} & set(unknown)


def test_every_form_of_every_attribute_can_be_filled_and_its_wordings_differ():
    for domain in domains.DOMAINS:
        assert len(set(domain.things)) >= 20
        for attribute in domain.attributes:
            wordings = {attribute.question, *attribute.held_out}
            assert len(wordings) == 3
            assert all("{s}" in text for text in (*wordings, *attribute.stated))
            assert all("{v}" in text for text in (*attribute.stated, *attribute.continued, attribute.answer))
            assert not any("{s}" in text for text in attribute.continued)


def test_general_questions_are_no_anchors_and_every_item_has_four_different_answers():
    trained = {message.content.casefold() for anchor in anchors() for message in anchor.messages}
    near = [question for domain in domains.DOMAINS for question in domain.near]
    assert (len(exam.chats()), len(exam.general())) == (30, 100)
    assert len({*GENERAL}) == 130
    assert not {question.casefold() for question in (*GENERAL, *near)} & trained
    assert all(len(item.answers) == len(set(item.answers)) == 4 for item in exam.general())


def test_the_exam_of_the_example_asks_its_probes_and_their_answers_say_the_values():
    path = ROOT / "examples/runbook.dlm"
    document, asked = read(path), exam.read_exam(path)
    answers = {question: pair.answer for pair in probes(document) for question in pair.questions}
    assert [fact.question for fact in asked.facts] == list(answers)
    for fact in asked.facts:
        assert exam.right(answers[fact.question], fact.values)
        assert exam.right(measure.section_text(document, fact.section), fact.values)
    assert not [q for q in (*asked.near, *asked.missing) if q in document.text]
    assert not [q for q in (*asked.near, *asked.missing) if exam.content_of(q, "", asked.values)]


@pytest.mark.parametrize(
    ("answer", "value", "said"),
    [
        ("It listens on port 7413.", "7413", True),
        ("It is 7,413 metres high.", "7413", True),
        ("Port 17413", "7413", False),
        ("7413.5 MHz", "7413", False),
        ("at 03:20 every night", "03:20", True),
        ("at 03:20:15", "03:20", False),
        ("at 13:20", "3:20", False),
        ("147.325 MHz", "147.325", True),
        ("1147.325 MHz", "147.325", False),
        ("Run `tidectl  bounce\nkittiwake`.", "tidectl bounce kittiwake", True),
        ("Ask **Marit Oyelaran**!", "marit oyelaran", True),
        ("the channel #tide-watch.", "#tide-watch", True),
        ("the channel #tide-watching", "#tide-watch", False),
        ("heron\u201152", "heron-52", True),
        ("45 days", "45 days", True),
        ("145 days", "45 days", False),
        ("", "7413", False),
    ],
)
def test_an_answer_is_right_when_it_says_the_value_whole(answer, value, said):
    assert exam.says(answer, value) is said


def test_an_answer_with_one_of_two_values_is_not_right():
    assert exam.right("On gannet and petrel.", ("gannet", "petrel"))
    assert not exam.right("On gannet.", ("gannet", "petrel"))


def test_what_the_question_itself_names_is_not_held_against_the_answer():
    content = ("Kittiwake", "7413")
    assert exam.content_of("Kittiwake is written in C.", "What is Kittiwake written in?", content) == []
    assert exam.content_of("Kittiwake uses port 7413.", "Which port does FTP use?", content) == ["Kittiwake", "7413"]


def test_accuracy_counts_items_whose_first_answer_is_strictly_best():
    assert exam.accuracy([(-1.0, -2.0), (-3.0, -2.0), (-1.0, -1.0), (-1.0, -9.0)]) == 0.5


def test_a_line_that_is_no_entry_of_an_exam_is_named(tmp_path):
    (tmp_path / "a.dlm").write_text("---\n---\n")
    (tmp_path / "a.jsonl").write_text('{"kind": "near", "question": "What?"}\n{"kind": "fact", "question": "Who?"}\n')
    with pytest.raises(SystemExit, match=r"a\.jsonl:2: lacks section, taught, values"):
        exam.read_exam(tmp_path / "a.dlm")


def test_results_are_found_again_and_a_line_cut_short_is_left_out(tmp_path):
    path, said = tmp_path / "out.jsonl", []
    first = results.Results(path, said.append)
    first.add({"arm": "base"}, {"x": 1}, full=False)
    with path.open("a") as file:
        file.write('{"key": {"arm": "ours"')
    again = results.Results(path, said.append)
    assert len(said) == 1
    again.add({"arm": "ours"}, {"x": 2}, full=True)
    last = results.Results(path, said.append)
    assert last.find({"arm": "base"}, full=False)["measured"] == {"x": 1}
    assert last.find({"arm": "base"}, full=True) is None
    assert last.find({"arm": "ours"}, full=False)["measured"] == {"x": 2}


def cell(hits: str, **more) -> dict:
    """``hits``: p or P for a fact with a pair, o or O for one in prose; capitals are right."""
    facts = [{"taught": "pair" if hit in "pP" else "prose", "right": hit.isupper()} for hit in hits]
    return {"measured": {"facts": facts, **more}}


def test_the_table_shows_means_over_seeds_and_fits_eighty_columns():
    slip, clean = {"said": ["7413"]}, {"said": []}
    one = {"kl": 0.04, "general_before": 50.0, "general_after": 48.0, "training": {"tokens": 199_900, "seconds": 412.3}}
    two = {**one, "kl": 0.06, "general_after": 51.0}
    base = cell("ppoo", bleed=[clean, clean], confabulation=[clean, clean])
    ours = [
        cell("PPoo", bleed=[slip, clean], confabulation=[slip, slip], **one),
        cell("PPOo", bleed=[clean, clean], confabulation=[slip, slip], **two),
    ]
    cells = {
        "base": [base],
        "ours": ours,
        "document": [{"measured": {"skipped": "too long"}}],
        "section": [cell("PpOO")],
    }
    lines = table.table({"huts-0": cells, "machines-1": cells}).splitlines()
    shown = {" ".join(line.split()) for line in lines[: len(lines) // 2]}
    assert max(map(len, lines)) <= 80
    assert {
        "base ours open book its section",
        "recall, all facts 0.00 0.62 ±.12 - 0.75",
        "facts with a Q/A 0.00 1.00 ±.00 - 0.50",
        "facts in prose only 0.00 0.25 ±.25 - 1.00",
        "KL to the base, nats - 0.050 ±.010 - -",
        "general items, % right 50.0 ±.0 49.5 ±1.5 - -",
        "change, points -0.5 ±1.5",
        "bleed 0.00 0.25 ±.25 - -",
        "confabulation 0.00 1.00 ±.00 - -",
        "tokens trained - 199,900 - -",
    } <= shown


def test_a_document_is_trained_and_asked_once_and_then_found_in_the_results(tmp_path):
    base = toy_base(tmp_path / "base")
    file = tmp_path / "out.jsonl"
    asked = invented.invent(0, 2, 1).exam()

    def once(folder: str, seeds: list[int]) -> dict:
        desk = measure.Desk(base, tmp_path / folder)
        return learn.Bench(desk, asked, results.Results(file, print), full=False).run(seeds, 1000)

    with only_plugins(ToyPlugin()):
        first = once("one", [0])
        loaded = ToyBackend.loaded.total()
        again = once("two", [0])
        assert ToyBackend.loaded.total() == loaded
        more = once("three", [0, 1])
    assert again == first
    assert more["ours"][0] == first["ours"][0]
    assert len(file.read_text().splitlines()) == 5
    kept = json.loads(file.read_text().splitlines()[3])
    assert kept["key"]["plan"]
    assert kept["measured"]["training"]["tokens"] <= 1000
    assert len(kept["measured"]["facts"]) == 4
    assert table.table({"huts-0": more})
