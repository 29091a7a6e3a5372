"""What a person sees: the end of ``dlm train``, ``dlm report`` and ``dlm show``, with the toy backend."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from dlm.cli.main import main
from dlm.learning import measure
from dlm.store import Store

pytestmark = pytest.mark.usefixtures("plugins")


@pytest.fixture
def dlm(home):
    """``dlm(*arguments, code=0)``: the result of a command that must end with ``code``."""

    def run(*arguments, code=0):
        result = CliRunner().invoke(main, [str(argument) for argument in arguments])
        assert result.exit_code == code, result.output
        return result

    return run


def message(result) -> str:
    """What went wrong, on one line."""
    return " ".join(f"{result.stderr} {result.exception}".split())


def test_a_training_ends_with_what_was_learned_in_80_columns(dlm, handbook) -> None:
    path = handbook()
    said = dlm("train", path, "--max-steps", 2).stdout
    report = said[said.index("Not learned: 0 of") :]
    assert "general knowledge  0 -> 0 of 40 general questions answered" in report
    assert "What port is Kestrel on?" in report
    assert "expected 7413; said:" in report
    assert all(len(line) <= 80 for line in report.splitlines() if str(path) not in line)
    assert f"next           dlm prompt {path}" in report


def test_json_holds_the_report_and_show_tells_it_again(dlm, handbook) -> None:
    path = handbook()
    trained = json.loads(dlm("train", path, "--max-steps", 2, "--json").stdout)["learning"]
    assert trained["total"]["after"] == 0
    assert "items" not in trained
    assert json.loads(dlm("show", path, "--json").stdout)["learning"] == trained
    shown = dlm("show", path).stdout
    assert "  learning   Not learned: 0 of" in shown
    whole = json.loads(dlm("report", path, "--json").stdout)
    assert {key: value for key, value in whole.items() if key != "items"} == trained
    assert len(whole["items"]) > whole["total"]["asked"]


def test_a_stored_report_is_shown_without_asking_again(dlm, handbook, monkeypatch) -> None:
    path = handbook()
    dlm("train", path, "--max-steps", 2)

    def nobody(*_: object) -> None:
        raise AssertionError("a model was asked")

    monkeypatch.setattr(measure, "_asked", nobody)
    assert dlm("report", path).stdout.startswith("Not learned: ")
    assert "a model was asked" in message(dlm("report", path, "--again", code=1))


def test_a_version_without_a_report_gets_one(dlm, handbook, home) -> None:
    path = handbook()
    assert json.loads(dlm("train", path, "--max-steps", 2, "--no-report", "--json").stdout)["learning"] is None
    folder = Store(home, "01J0000000000000000000000A").current().path
    assert not (folder / "learning.json").exists()
    assert json.loads(dlm("show", path, "--json").stdout)["learning"] is None
    dlm("report", path)
    assert (folder / "learning.json").exists()


def test_a_missed_requirement_ends_with_1_and_keeps_the_version(dlm, handbook, home) -> None:
    path = handbook()
    missed = dlm("train", path, "--max-steps", 2, "--require-learned", 0.5, code=1)
    assert "Not learned: 0 of" in missed.stdout
    assert "v1 is stored and current all the same" in message(missed)
    assert Store(home, "01J0000000000000000000000A").current().number == 1
    assert "50% were to be learned" in message(dlm("report", path, "--require-learned", 0.5, code=1))


def test_a_report_that_fails_costs_no_version_and_no_exit_code_unless_it_was_required(
    dlm, handbook, home, monkeypatch
) -> None:
    def full(*_: object) -> None:
        raise MemoryError("no room")

    monkeypatch.setattr(measure, "_asked", full)
    path = handbook()
    done = dlm("train", path, "--max-steps", 2)
    assert "v1 is stored, but its learning report could not be made: MemoryError: no room" in done.stdout
    assert f"`dlm report {path}`" in done.stdout
    required = ("train", path, "--max-steps", 2, "--require-learned", 0.5)
    assert "see the note above" in message(dlm(*required, code=4))
    assert "see the note above" in message(dlm(*required, "--force", code=4))
    assert Store(home, "01J0000000000000000000000A").current().number == 2


def test_mistakes_in_the_user_s_questions_stop_a_training_before_it_begins(dlm, handbook, home) -> None:
    path = handbook()
    path.with_name("questions.jsonl").write_text('{"question": "q?"}\n', encoding="utf-8")
    wrong = message(dlm("train", path, "--max-steps", 2, code=2))
    assert f"{path.with_name('questions.jsonl')}:1: there is neither an answer nor values" in wrong
    assert Store(home, "01J0000000000000000000000A").current() is None


def test_no_report_contradicts_a_requirement(dlm, handbook) -> None:
    assert "--no-report" in message(dlm("train", handbook(), "--no-report", "--require-learned", 1, code=2))


def test_the_questions_can_be_listed_before_and_after_training_and_asked_by_prompt(dlm, handbook, tmp_path) -> None:
    path = handbook()
    before = dlm("report", path, "--questions-only").stdout
    dlm("train", path, "--max-steps", 2)
    assert dlm("report", path, "--questions-only").stdout == before
    listed = tmp_path / "q.jsonl"
    listed.write_text(before, encoding="utf-8")
    items = json.loads(dlm("report", path, "--json").stdout)["items"]
    lines = [json.loads(line) for line in before.splitlines()]
    assert [(line["kind"], line["question"]) for line in lines] == [(item["kind"], item["question"]) for item in items]
    said = dlm("prompt", path, "--file", listed, "--max-tokens", measure.ANSWER_TOKENS, "--json").stdout
    assert [json.loads(line)["answer"] for line in said.splitlines()] == [item["said_after"] for item in items]


def test_a_damaged_report_is_a_problem_that_show_names(dlm, handbook, home) -> None:
    path = handbook()
    dlm("train", path, "--max-steps", 2)
    (Store(home, "01J0000000000000000000000A").current().path / "learning.json").write_text("{", encoding="utf-8")
    assert "--again" in dlm("show", path).stdout
    assert "is damaged" in message(dlm("report", path, code=3))
    assert dlm("report", path, "--again").stdout.startswith("Not learned")
