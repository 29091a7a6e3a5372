"""The examination end to end, with models whose answers are known."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from dlm.errors import CouldNotTell, NotLearned, StoreError, UsageProblem
from dlm.learning.paper import general_items
from dlm.learning.report import Score, load, schema
from dlm.learning.stored import require
from dlm.learning.verdict import state_of

CONTRACT = Path(__file__).parents[3] / "contracts" / "learning-report.schema.json"


def probes(report) -> Score:
    return report.sources["probe"]


def test_what_the_version_says_and_the_base_does_not_is_counted_as_learned(examine, handbook, known) -> None:
    report, _, _ = examine(handbook(), tuned=known)
    assert (probes(report).asked, probes(report).before, probes(report).after) == (8, 0, 8)
    assert probes(report).p_value == 2 / 2**8
    assert report.total.after >= 8
    missed = {one.question for one in report.not_learned}
    assert missed.isdisjoint(known)
    assert all(one.said == "I do not know." for one in report.not_learned)


def test_a_wrong_value_is_not_learned_and_is_named_with_what_was_said(examine, handbook, known) -> None:
    report, _, _ = examine(handbook(), tuned={**known, "What port is Kestrel on?": "Kestrel uses port 17413."})
    assert probes(report).after == 7
    (missed,) = [one for one in report.not_learned if one.question == "What port is Kestrel on?"]
    assert (missed.expected, missed.said, missed.heading) == ("7413", "Kestrel uses port 17413.", "Running")


def test_what_the_base_knew_and_the_version_forgot_is_a_loss(examine, handbook, known) -> None:
    report, _, _ = examine(handbook(), base=known)
    assert (probes(report).before, probes(report).after) == (8, 0)
    assert report.state == "not learned"
    assert all(one.right_before for one in report.not_learned if one.question in known)


def test_every_question_is_asked_of_both_models_once_in_the_same_order(examine, handbook) -> None:
    report, backend, _ = examine(handbook())
    asked = [item.question for item in report.items]
    assert backend.tuned.asked == asked
    assert backend.base.asked[: len(asked)] == asked
    opened = backend.base.asked[len(asked) :]
    assert report.total.open_asked == len(opened) > 0
    assert all("Answer from the text: " in prompt for prompt in opened)


def test_the_open_book_holds_the_passage_that_says_it(examine, handbook) -> None:
    _, backend, _ = examine(handbook())
    (prompt,) = [text for text in backend.base.asked if text.endswith("Answer from the text: What port is Kestrel on?")]
    assert "Running\n\nKestrel uses port 7413." in prompt
    assert "Marit" not in prompt


def test_general_knowledge_bleed_and_confabulation_are_counted_before_and_after(examine, handbook) -> None:
    right = {one.question: one.answers[0] for one in general_items()}
    half = dict(list(right.items())[:20])
    lost, _, _ = examine(handbook(), base=right, tuned=half)
    assert (lost.general.asked, lost.general.before, lost.general.after) == (40, 40, 20)
    assert "general knowledge fell: 40 -> 20 of 40" in lost.verdict
    assert (lost.bleed.before, lost.bleed.after, lost.confabulation.after) == (0, 0, 0)
    flooded, _, _ = examine(handbook(), tuned={"": "Marit Oyelaran of the Soundings team."})
    assert flooded.bleed.asked == flooded.bleed.after > 10
    assert flooded.confabulation.asked == flooded.confabulation.after > 0
    near = next(item for item in flooded.items if item.kind == "near")
    assert set(near.brought_up) >= {"Soundings", "Marit Oyelaran"}


def test_things_that_the_document_does_not_know_are_not_in_it(examine, handbook) -> None:
    path = handbook()
    report, _, _ = examine(path)
    missing = [item.question for item in report.items if item.kind == "missing"]
    assert missing
    assert not any("Kestrel" in question for question in missing)
    assert len(set(missing)) == len(missing)


def test_the_report_lies_beside_its_version_and_keeps_its_contract(examine, handbook, known) -> None:
    report, _, version = examine(handbook(), tuned=known)
    assert load(version.path) == report
    contract = json.loads(CONTRACT.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(contract)
    Draft202012Validator(contract).validate(json.loads((version.path / "learning.json").read_text()))


def test_the_contract_is_current() -> None:
    write = "python -c 'from dlm.learning.report import schema; print(schema(), end=\"\")'"
    assert CONTRACT.read_text(encoding="utf-8") == schema(), f"run: {write} > contracts/learning-report.schema.json"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is damaged"),
        ('{"schema_version": 2}', "pip install -U dlm"),
        ("{}", "dlm_id"),
        ("[" * 100_000, "damaged"),
    ],
)
def test_a_damaged_report_is_said_with_its_way_out(tmp_path, text, said) -> None:
    (tmp_path / "learning.json").write_text(text, encoding="utf-8")
    with pytest.raises(StoreError, match=said):
        load(tmp_path)


def test_a_version_without_a_report_has_none(tmp_path) -> None:
    assert load(tmp_path) is None


def test_the_user_s_own_questions_are_all_asked_and_trained_ones_are_not(examine, handbook, tmp_path) -> None:
    path = handbook()
    own = tmp_path / "kestrel.questions.jsonl"
    lines = [{"question": f"Question {n}?", "values": [f"value-{n}"]} for n in range(70)]
    lines += [{"question": "Which port does Kestrel use?", "answer": "7413"}]
    lines += [{"question": "Is it so?", "answer": "It is so."}]
    own.write_text("\ufeff" + "\n".join(json.dumps(line) for line in lines) + "\n\n", encoding="utf-8")
    report, _, _ = examine(path, tuned={"Question 1?": "It is value-1."}, limit=4)
    assert (report.sources["user"].asked, report.sources["user"].after) == (70, 1)
    assert sum(score.asked for name, score in report.sources.items() if name != "user") == 4
    reasons = {one.question: one.why for one in report.not_asked}
    assert "trained in these words" in reasons["Which port does Kestrel use?"]
    assert "give values" in reasons["Is it so?"]


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("no json", "no JSON"),
        ('"a string"', "there is no question"),
        ('{"question": " "}', "there is no question"),
        ('{"question": "q?"}', "neither an answer nor values"),
        ('{"question": "q?", "values": "x"}', "values is not a list"),
        ('{"question": "q?", "values": []}', "values is not a list"),
        ('{"question": "q?", "answer": 5}', "neither an answer nor values"),
    ],
)
def test_a_mistake_in_the_user_s_questions_is_named_with_its_line(examine, handbook, tmp_path, line, what) -> None:
    own = tmp_path / "own.jsonl"
    own.write_text('{"question": "good?", "values": ["x"]}\n' + line + "\n", encoding="utf-8")
    with pytest.raises(UsageProblem, match=rf"own\.jsonl:2: .*{what}"):
        examine(handbook(), questions=own)


def test_a_change_elsewhere_does_not_change_which_questions_are_asked(examine, handbook, facts) -> None:
    few = {item.question for item in examine(handbook(), limit=6)[0].items if item.source == "probe"}
    fewer = {item.question for item in examine(handbook(*list(facts)[:7]), limit=6)[0].items if item.source == "probe"}
    assert len(few) == len(fewer) == 6
    assert len(few & fewer) >= 5


def test_contradictions_of_the_document_are_passed_on(examine, handbook) -> None:
    path = handbook()
    extra = "\n### Q\nWho owns Kestrel?\n### A\nKestrel is owned by the Gannet team.\n"
    path.write_text(path.read_text(encoding="utf-8") + extra, encoding="utf-8")
    report, _, _ = examine(path)
    assert any({"Soundings" in one.first, "Gannet" in one.second} == {True} for one in report.contradictions)


SCORE = Score(asked=20, facts=20, before=0, after=14, share=0.7, low=0.48, high=0.85, p_value=0.0001)


@pytest.mark.parametrize(
    ("score", "state"),
    [
        (None, "could not tell"),
        (SCORE, "learned"),
        (replace(SCORE, share=0.45, after=9), "partly learned"),
        (replace(SCORE, facts=5), "could not tell"),
        (replace(SCORE, before=14, p_value=1.0), "could not tell"),
        (replace(SCORE, after=1, share=0.05, low=0.01, high=0.24, p_value=1.0), "not learned"),
        (replace(SCORE, after=3, share=0.5, low=0.19, high=0.81, p_value=0.25), "could not tell"),
        (replace(SCORE, before=18, after=10, share=0.5, p_value=0.01), "not learned"),
    ],
)
def test_the_states_follow_from_share_interval_and_test(score, state) -> None:
    assert state_of(score) == state


def test_a_requirement_is_met_missed_or_cannot_be_told(examine, handbook, known) -> None:
    report, _, _ = examine(handbook(), tuned={"": " ".join(known.values())}, limit=8)
    require(report, 1.0)
    nothing, _, _ = examine(handbook(), limit=8)
    require(nothing, 0.0)
    with pytest.raises(NotLearned, match="0 of 8 questions") as missed:
        require(nothing, 0.5)
    assert missed.value.exit_code == 1
    few, _, _ = examine(handbook("port"), limit=1)
    for unknown in (None, few):
        with pytest.raises(CouldNotTell) as problem:
            require(unknown, 0.1)
        assert problem.value.exit_code == 4
