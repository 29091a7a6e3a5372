"""The learning report's numbers are those that a separate program gets through ``dlm prompt --file``; real base."""

from __future__ import annotations

import json

import pytest

from dlm.learning.measure import ANSWER_TOKENS

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def reported(run, make_document):
    """The runbook, trained for a few steps; its questions as they are listed, and its report."""
    path = make_document()
    run("dlm", "train", path, "--max-steps", 30, "--json")
    listed = run("dlm", "report", path, "--questions-only").stdout
    report = json.loads(run("dlm", "report", path, "--json").stdout)
    return path, [json.loads(line) for line in listed.splitlines()], report


@pytest.fixture(scope="module")
def ask(run, reported, tmp_path_factory):
    """``ask(lines, "--base")``: the answers that ``dlm prompt --file`` prints."""
    file = tmp_path_factory.mktemp("asked") / "q.jsonl"

    def go(lines, *flags: str) -> list[str]:
        file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        out = run("dlm", "prompt", reported[0], "--file", file, "--max-tokens", ANSWER_TOKENS, "--json", *flags).stdout
        return [json.loads(line)["answer"] for line in out.splitlines()]

    return go


def said(answer: str, value: str) -> bool:
    """A judge of its own: the value between characters that are no letters and no digits."""
    text, value = (part.casefold().replace("`", "").replace("*", "") for part in (answer, value))
    at = text.find(value)
    while at >= 0:
        around = text[at - 1 : at] + text[at + len(value) : at + len(value) + 1]
        if not any(character.isalnum() for character in around):
            return True
        at = text.find(value, at + 1)
    return False


def right(line: dict, answer: str) -> bool:
    return {"all": all, "any": any}[line["judged"]](said(answer, value) for value in line["expected"])


def test_asking_again_gives_the_report_s_numbers(reported, ask) -> None:
    _, lines, report = reported
    assert [line["question"] for line in lines] == [item["question"] for item in report["items"]]
    before, after = ask(lines, "--base"), ask(lines)
    assert [item["said_before"] for item in report["items"]] == before
    assert [item["said_after"] for item in report["items"]] == after
    # What is judged by its words has no short definition to repeat here.
    facts = [i for i, line in enumerate(lines) if line["kind"] == "fact" and line["judged"] != "words"]
    by_words = [item for item in report["items"] if item["judged"] == "words"]
    assert (
        sum(right(lines[i], before[i]) for i in facts) + sum(item["right_before"] for item in by_words)
        == (report["total"]["before"])
    )
    assert (
        sum(right(lines[i], after[i]) for i in facts) + sum(item["right_after"] for item in by_words)
        == (report["total"]["after"])
    )
    general = [i for i, line in enumerate(lines) if line["kind"] == "general"]
    assert sum(right(lines[i], after[i]) for i in general) == report["general"]["after"]
    assert 15 < report["general"]["before"] <= len(general)


def test_neither_order_nor_company_changes_an_answer(reported, ask) -> None:
    _, lines, report = reported
    answers = [item["said_after"] for item in report["items"]]
    assert ask(lines[::-1][:20]) == answers[::-1][:20]
    assert ask(lines[3:4]) == answers[3:4]
