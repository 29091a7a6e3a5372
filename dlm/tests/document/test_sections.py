"""What the two built-in section types read, and what they hand to training."""

from __future__ import annotations

import pytest

from dlm.corpus.records import Message
from dlm.document import Document, parse, probes, records
from dlm.errors import DocumentError, Finding

FRONT = "---\ndlm_id: 01M81FN4JAC853MSGR8B0PH69S\nbase_model: x\n---\n"


def instruction(text: str) -> Document:
    return parse(f"{FRONT}::instruction::\n{text}", "d.dlm")


def findings(text: str) -> list[Finding]:
    with pytest.raises(DocumentError) as caught:
        instruction(text)
    return list(caught.value.findings)


def test_consecutive_questions_share_the_next_answer() -> None:
    found = instruction("### Q\nOne?\n\n### Q\nFirst?\n### A\n\n1\n\n1.0\n\n  ### Q  \nTwo?\n### A\n2\n")
    first, second = found.sections[0].body
    assert (first.questions, first.answer, first.probe, first.line) == (("One?", "First?"), "1\n\n1.0", False, 6)
    assert (second.questions, second.answer, second.line) == (("Two?",), "2", 17)


def test_one_record_a_wording_with_one_group_a_pair() -> None:
    found = list(records(instruction("### Q\nOne?\n### Q\nFirst?\n### A\n1\n### Q\nTwo?\n### A\n2\n")))
    assert [record.messages for record in found] == [
        (Message("user", "One?"), Message("assistant", "1")),
        (Message("user", "First?"), Message("assistant", "1")),
        (Message("user", "Two?"), Message("assistant", "2")),
    ]
    assert {(record.kind, record.objective) for record in found} == {("qa", "answer")}
    assert found[0].group == found[1].group != found[2].group


def test_probes_are_never_trained_and_always_found() -> None:
    document = instruction("### Q\nOne?\n### A\n1\n### Q !probe\nUne?\n### Q !probe\nEins?\n### A\n1\n")
    assert [record.messages[0].content for record in records(document)] == ["One?"]
    (probe,) = probes(document)
    assert (probe.questions, probe.answer, probe.probe, probe.line) == (("Une?", "Eins?"), "1", True, 10)
    assert probe.section_id == document.sections[0].id


def test_headers_inside_code_are_text() -> None:
    answer = "Write:\n\n```md\n### Q\nWhat?\n### A\nThat.\n```\n\n~~~\n### Q\n~~~"
    (pair,) = instruction(f"### Q\nHow?\n### A\n{answer}\n").sections[0].body
    assert pair.answer == answer


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("stray\nstray\n### Q\na\n### A\nb\n", 6, "text before the first"),
        ("### A\nb\n", 6, "an answer without a question"),
        ("### Q\na\n### A\nb\n### A\nc\n", 10, "an answer without a question"),
        ("### Q\na\n", 6, "a question without an answer"),
        ("### Q\na\n### A\nb\n\n### Q\nc\n### Q\nd\n", 11, "a question without an answer"),
        ("### Q\n\n### A\nb\n", 6, "an empty question"),
        ("### Q\na\n### Q\n### A\nb\n", 8, "an empty question"),
        ("### Q\na\n### A\n \n", 8, "an empty answer"),
        ("\n\n", 5, "without a question"),
        ("### Q\na\n### Q !probe\nb\n### A\nc\n", 8, "with and without !probe"),
        ("### Q !probe\na\n### Q\nb\n### A\nc\n", 8, "with and without !probe"),
        ("### Q !prob\na\n### A\nb\n", 6, "`!prob` is no flag of `### Q`"),
        ("### Q:\na\n### A\nb\n", 6, "`### Q:` is not a header"),
        ("### Q\na\n###A\nb\n", 8, "`###A` is not a header"),
        ("### Q\na\n### A !probe\nb\n", 8, "`### A` takes no `!probe`"),
    ],
)
def test_a_mistake_in_the_pairs_is_reported_at_its_line(text: str, line: int, what: str) -> None:
    (found,) = findings(text)
    assert found.line == line
    assert what in found.what


def test_all_mistakes_of_a_section_are_reported_at_once() -> None:
    assert [finding.line for finding in findings("x\n### A\n### Q\n### A\nb\n### Q\nc\n")] == [6, 7, 8, 11]


@pytest.mark.parametrize("heading", ["### Answers", "### A note", "#### Q", "## A", "### Questions and answers"])
def test_other_headings_in_an_answer_are_text(heading: str) -> None:
    (pair,) = instruction(f"### Q\na\n### A\nb\n{heading}\nc\n").sections[0].body
    assert pair.answer == f"b\n{heading}\nc"


def test_a_probe_in_the_words_of_a_trained_question_is_refused() -> None:
    found = findings(
        "### Q\nWho is it?\n### A\nb\n::prose::\nx\n::instruction::\n### Q !probe\nwho  is IT?\n### A\nb\n"
    )
    assert [(finding.line, "line 6" in finding.what) for finding in found] == [(13, True)]


def test_prose_is_one_record_a_heading_under_its_title() -> None:
    body = "Intro.\n# Guide #\nTop.\n## Care\nOil it.\n\nDaily.\n### Oil\nNo. 7.\n## Empty\n## Rust\n"
    body += "```\n# not a heading\n```\n"
    found = list(records(parse(FRONT + body, "d.dlm")))
    assert [(record.title, record.text) for record in found] == [
        ("Guide", "Intro."),
        ("Guide", "Top."),
        ("Guide > Care", "Oil it.\n\nDaily."),
        ("Guide > Care > Oil", "No. 7."),
        ("Guide > Rust", "```\n# not a heading\n```"),
    ]
    assert {(record.kind, record.objective, record.messages) for record in found} == {("prose", "text", ())}
    assert len({record.group for record in found}) == 5


def test_the_title_is_the_first_heading_of_the_first_level_else_the_file_name() -> None:
    assert parse(FRONT + "## Low\na\n::prose::\n# High\nb", "dir/name.dlm").title == "High"
    assert parse(FRONT + "```\n# code\n```\n#hash\n", "dir/name.dlm").title == "name"
    assert parse(FRONT + "a").title == "Untitled"


@pytest.mark.parametrize(
    ("line", "name"),
    [("# A", "A"), ("#\tA", "A"), ("   # A b  ##  ", "A b"), ("# A#", "A#"), ("# #1 rule", "#1 rule")],
)
def test_a_heading_is_read_as_markdown_reads_it(line: str, name: str) -> None:
    assert parse(f"{FRONT}{line}\ntext").title == name


@pytest.mark.parametrize("line", ["#A", "    # A", "####### A", "\\# A"])
def test_a_line_that_is_no_heading_is_text(line: str) -> None:
    assert parse(f"{FRONT}{line}\ntext").sections[0].body[0].text.startswith(line.strip())
