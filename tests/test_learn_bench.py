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
from dlm.learning.judging import content_of, right, says
from dlm.testing import only_plugins
from dlm.testing.toy import ToyBackend, ToyPlugin, toy_base

ROOT = Path(__file__).parent.parent
sys.path.append(str(ROOT / "bench"))
learn, measure = import_module("learn"), import_module("learning.measure")
domains, exam, invented = (import_module(f"learning.{name}") for name in ("domains", "exam", "invented"))
results, table, targets = (import_module(f"learning.{name}") for name in ("results", "table", "targets"))
edits, external, prior = (import_module(f"learning.{name}") for name in ("edits", "external", "prior"))
WORDINGS = import_module("learning.wordings").WORDINGS

SEEDS = range(12)
GENERAL = [*exam.chats(), *(item.question for item in exam.general())]


def questions_of(document) -> list[str]:
    pairs = [part for section in document.sections for part in section.body if isinstance(part, Pair)]
    return [question for pair in pairs for question in pair.questions]


def prose_of(document) -> str:
    blocks = [part for section in document.sections for part in section.body if isinstance(part, Block)]
    return "\n".join(block.text for block in blocks)


def plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


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
        assert not [value for value in asked.values if says(question, value)]


@pytest.mark.parametrize("seed", SEEDS)
def test_every_value_stands_once_in_the_prose_of_its_thing_and_in_its_answer_and_nowhere_else(seed):
    made = invented.invent(seed)
    document = parse(made.text())
    assert len({fact.value for fact in made.facts}) == len(made.facts)
    for fact in made.facts:
        assert count(made.prose[fact.thing], fact.value) == 1
        assert count(prose_of(document), fact.value) == 1
        assert count(made.text(), fact.value) == 1 + fact.paired
        said = [other.value for other in made.facts if says(fact.answer, other.value)]
        assert said == [fact.value]
        assert says(measure.section_text(document, fact.thing), fact.value)


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


def test_sixteen_more_wordings_of_each_question_are_all_different_and_none_is_held_out():
    for domain in domains.DOMAINS:
        for attribute in domain.attributes:
            more = WORDINGS[attribute.name]
            assert len(more) == len({plain(text) for text in (*more, attribute.question)} - {plain(attribute.question)})
            assert len(more) == 16
            assert all(text.count("{s}") == 1 for text in more)
            for held_out in attribute.held_out:
                assert not any(plain(held_out) in plain(text) or plain(text) in plain(held_out) for text in more)


@pytest.mark.parametrize("seed", range(2))
def test_a_document_with_more_wordings_differs_in_its_pairs_only(seed):
    made = invented.invent(seed)
    few, many = made.exam(), made.exam(16)
    assert len(questions_of(parse(many.document))) == 17 * len(questions_of(parse(few.document)))
    assert prose_of(parse(many.document)) == prose_of(parse(few.document))
    assert many.facts == few.facts
    assert not [fact.question for fact in many.facts if fact.question in many.document]


@pytest.mark.parametrize("seed", SEEDS)
def test_an_edit_puts_a_value_that_was_nowhere_where_the_old_one_stood_and_is_asked_for(seed):
    before = invented.invent(seed).exam()
    assert len(before.changes) == 2
    for change in before.changes:
        after = before.changed(change)
        assert not says(before.document, change.new)
        assert not says(after.document, change.old)
        touched = [new for old, new in zip(before.facts, after.facts, strict=True) if old != new]
        assert [fact.values for fact in touched] == [(change.new,)] * 2
        assert says(measure.section_text(parse(after.document), touched[0].section), change.new)
        assert after.document.replace(change.new, change.old) == before.document
    assert {fact.taught for fact in before.facts for change in before.changes if change.old in fact.values} == {
        "pair",
        "prose",
    }


def test_a_deleted_section_takes_its_text_and_its_pairs_along_and_nothing_else():
    before = invented.invent(0).exam()
    heading = before.facts[0].section
    after = before.without(heading)
    assert after.facts == before.facts
    assert heading not in after.document
    assert len(parse(after.document).sections[0].body) == len(parse(before.document).sections[0].body) - 1
    kept = [line for line in before.document.splitlines() if line.startswith("## ") and heading not in line]
    assert [line for line in after.document.splitlines() if line.startswith("## ")] == kept


GENERATOR = """
NEAR = ["What is tea?"]
class Doc: pass
def make_doc(seed):
    made = Doc()
    made.title = "Teas"
    made.facts = []
    for n, s in enumerate(["Asla", "Borin"]):
        v = f"{seed + n + 2} min"
        fact = {"id": n, "s": s, "a": "time", "v": v, "qa": n == 0, "A": (f"How long for {s}?", f"{s}: {v}.")}
        asked = {"B": f"{s} is in the pot. When out?", "C": f"Minutes for {s}, please."}
        made.facts.append({**fact, **asked, "D": [f"{s} time?", f"Brew {s} how long?"]})
    made.sections = [{"head": f["s"], "sents": [f"{f['s']} brews for {f['v']}.", "It is green."]} for f in made.facts]
    made.qa = [(*f["A"], f["id"]) for f in made.facts if f["qa"]]
    made.unknown = ["Cerel"]
    return made
"""


def test_a_generator_from_elsewhere_becomes_a_document_with_its_exam(tmp_path):
    path = tmp_path / "teas.py"
    path.write_text(GENERATOR)
    made = external.exam(external.load(path), 3, 2)
    document = parse(made.document)
    assert made.name == "teas-3-2w"
    assert questions_of(document) == ["How long for Asla?", "Asla time?", "Brew Asla how long?"]
    assert [(fact.section, fact.values, fact.taught) for fact in made.facts[1:3]] == [
        ("Asla", ("5 min",), "pair"),
        ("Borin", ("6 min",), "prose"),
    ]
    assert all(right(measure.section_text(document, fact.section), fact.values) for fact in made.facts)
    assert (made.near, made.missing) == (("What is tea?",), ("How long for Cerel?",) * 2)
    assert (made.chats, made.general) == (exam.chats(), exam.general())
    assert [change.old for change in made.changes] == ["5 min", "6 min"]
    assert not [change for change in made.changes if says(made.document, change.new)]


def test_a_generator_without_its_function_is_refused(tmp_path):
    (tmp_path / "empty.py").write_text("")
    with pytest.raises(SystemExit, match="has no make_doc"):
        external.load(tmp_path / "empty.py")


HANDBOOKS = sorted((ROOT / "bench/handbooks").glob("*.dlm"))


@pytest.mark.parametrize("path", HANDBOOKS, ids=lambda path: path.stem)
def test_a_handbook_says_every_value_it_is_asked_for_and_no_question_of_its_exam(path):
    document, asked = read(path), exam.read_exam(path)
    assert len(asked.facts) == 25
    assert sum(fact.backwards for fact in asked.facts) == 5
    assert (len(asked.near), len(asked.missing)) == (12, 10)
    assert 6 <= len(questions_of(document)) <= 8 <= sum(fact.taught == "prose" for fact in asked.facts)
    for fact in asked.facts:
        assert right(measure.section_text(document, fact.section), fact.values)
        assert not any(says(fact.question, value) for value in fact.values)
        assert not any(plain(fact.question) in plain(said) for said in (document.text, *questions_of(document)))


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
        assert right(answers[fact.question], fact.values)
        assert right(measure.section_text(document, fact.section), fact.values)
    assert not [q for q in (*asked.near, *asked.missing) if q in document.text]
    assert not [q for q in (*asked.near, *asked.missing) if content_of(q, "", asked.values)]


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
        "prior": [
            cell("ppoo", **{**one, "kl": 0.01, "general_after": 51.0, "training": {"tokens": 8000, "seconds": 60}})
        ],
        "ours": ours,
        "document": [{"measured": {"skipped": "too long"}}],
        "section": [cell("PpOO")],
    }
    lines = table.table({"huts-0": cells, "machines-1": cells}).splitlines()
    shown = {" ".join(line.split()) for line in lines[: len(lines) // 3]}
    assert max(map(len, lines)) <= 80
    assert {
        "base prior ours open book section",
        "recall, all facts 0.00 0.00 0.62±.12 - 0.75",
        "facts with a Q/A 0.00 0.00 1.00±.00 - 0.50",
        "facts in prose only 0.00 0.00 0.25±.25 - 1.00",
        "KL to the base, nats - 0.010 0.050±.010 - -",
        "general items, % 50.0±.0 51.0 49.5±1.5 - -",
        "change, points +1.0 -0.5±1.5",
        "bleed 0.00 - 0.25±.25 - -",
        "confabulation 0.00 - 1.00±.00 - -",
        "tokens trained - 8,000 199,900 - -",
    } <= shown
    assert "| recall, all facts | 0.00 | 0.00 | 0.62±.12 | - | 0.75 |" in table.markdown({"huts-0": cells}).splitlines()


def test_each_target_takes_its_own_setting_and_documents_and_says_what_was_not_measured():
    normal, quick = targets.NORMAL, targets.QUICK
    trained = {"kl": 0.06, "general_before": 50.0, "general_after": 47.0, "training": {"tokens": 200_001, "seconds": 1}}
    found = {
        normal: {"huts-0": {"ours": [cell("PPPooO", **trained)]}, "dev-x": {"ours": [cell("ppPo", **trained)]}},
        quick: {"huts-0": {"ours": [cell("PPoo")]}},
    }
    facts = {"others_before": [True] * 20, "others_after": [True] * 18 + [False] * 2, "seconds": 91.0}
    changed = {"new_said": [True, True], "old_said": [False, False], **facts}
    deleted = {"gone_said": [False, False], "gone_base": [False, False], "seconds": 50.0}
    lines = targets.held_against(found, {quick: {"huts-0": [changed, deleted]}}, {"dev-x"}).splitlines()
    assert max(map(len, lines)) <= 80
    ends = {f"{line[:27].strip()} @ {line[27:47].strip()}": line.split()[-1] for line in lines[1:]}
    assert ends == {
        "recall, all facts @ normal": "pass",
        "recall, prose only @ normal": "FAIL",
        "KL to the base, nats @ normal": "pass",
        "general items lost, points @ normal": "FAIL",
        "bleed @ normal": "-",
        "confabulation @ normal": "-",
        "tokens @ normal": "FAIL",
        "recall @ quick": "pass",
        "tokens @ quick": "-",
        "recall @ thorough": "-",
        "recall @ normal, 16 wordings": "-",
        "recall, handbooks @ normal": "FAIL",
        "general lost, handbooks @ normal": "pass",
        "edit: new value said @ quick": "pass",
        "edit: old value said @ quick": "pass",
        "edit: others lost, points @ quick": "FAIL",
        "edit: seconds to answer @ quick": "FAIL",
        "deletion: over the base @ quick": "pass",
    }
    assert "+" not in edits.table({"huts-0": [changed, deleted]}).split("points")[1].splitlines()[0]


def test_the_prior_default_trains_each_section_whole_and_each_wording_once_and_no_probe():
    class Tokenizer:
        def apply_chat_template(self, turns, tokenize):
            return " | ".join(turn["content"] for turn in turns)

    document = parse(
        "---\ndlm_id: 01M81FN4JAC853MSGR8B0PH69S\ndlm_version: 15\nbase_model: x\n---\n# A\n\nOne.\n\n## B\n\nTwo.\n\n"
        "::instruction::\n### Q\nWho?\n### Q\nWhich?\n### A\nHe.\n### Q !probe\nWhose?\n### A\nHis.\n"
    )
    assert list(prior._rows(document, Tokenizer())) == ["# A\n\nOne.\n\n## B\n\nTwo.", "Who? | He.", "Which? | He."]


def test_a_document_is_trained_and_asked_once_and_then_found_in_the_results(tmp_path):
    base = toy_base(tmp_path / "base")
    file = tmp_path / "out.jsonl"
    asked = invented.invent(0, 2, 1).exam()

    def once(folder: str, seeds: list[int]) -> dict:
        desk = measure.Desk(base, tmp_path / folder)
        return learn.Bench(desk, asked, results.Results(file, print), full=False).run(
            seeds, measure.Amount(tokens=1000)
        )

    with only_plugins(ToyPlugin()):
        first = once("one", [0])
        loaded = ToyBackend.loaded.total()
        again = once("two", [0])
        # The base is asked its general questions, which decide the plan; nothing is trained or examined again.
        assert ToyBackend.loaded.total() == loaded + 1
        more = once("three", [0, 1])
    assert again == first
    assert more["ours"][0] == first["ours"][0]
    assert len(file.read_text().splitlines()) == 5
    kept = next(cell for line in file.read_text().splitlines() if (cell := json.loads(line))["key"]["arm"] == "ours")
    assert kept["key"]["plan"]
    assert kept["measured"]["training"]["tokens"] <= 1000
    assert len(kept["measured"]["facts"]) == 4
    assert table.table({"huts-0": more})
