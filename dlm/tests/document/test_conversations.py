"""Questions that continue the one above them."""

from __future__ import annotations

import pytest

from dlm.document import Document, parse, probes, records
from dlm.errors import DocumentError, Finding

FRONT = "---\ndlm_id: 01M81FN4JAC853MSGR8B0PH69S\nbase_model: x\n---\n::instruction::\n"
TALK = """### Q
Who keeps Heron?
### Q
Who is its keeper?
### A
Ada.
### Q !followup
Since when?
### Q !followup
For how long?
### A
Since May.
### Q !followup !probe
And before?
### A
Ben.
### Q
What is Heron?
### A
A pump.
"""


def instruction(text: str) -> Document:
    return parse(FRONT + text, "d.dlm")


def findings(text: str) -> list[Finding]:
    with pytest.raises(DocumentError) as caught:
        instruction(text)
    return list(caught.value.findings)


def test_a_follow_up_has_the_turns_above_it_in_their_first_wording() -> None:
    first, second, third, fourth = instruction(TALK).sections[0].body
    assert first.before == fourth.before == ()
    assert second.before == (("Who keeps Heron?", "Ada."),)
    assert third.before == (*second.before, ("Since when?", "Since May."))
    assert [pair.probe for pair in (first, second, third, fourth)] == [False, False, True, False]


def test_the_whole_conversation_is_trained_and_the_probe_keeps_its_turns() -> None:
    document = instruction(TALK)
    said = [[message.content for message in record.messages] for record in records(document)]
    assert said == [
        ["Who keeps Heron?", "Ada."],
        ["Who is its keeper?", "Ada."],
        ["Who keeps Heron?", "Ada.", "Since when?", "Since May."],
        ["Who keeps Heron?", "Ada.", "For how long?", "Since May."],
        ["What is Heron?", "A pump."],
    ]
    roles = [message.role for message in list(records(document))[2].messages]
    assert roles == ["user", "assistant", "user", "assistant"]
    (probe,) = probes(document)
    assert probe.before == (("Who keeps Heron?", "Ada."), ("Since when?", "Since May."))


def test_the_wordings_of_a_follow_up_share_a_group_that_depends_on_what_was_said() -> None:
    groups = [record.group for record in records(instruction(TALK))]
    assert groups[0] == groups[1] != groups[2] == groups[3]
    other = [record.group for record in records(instruction(TALK.replace("Ada.", "Eve.")))]
    assert other[2] != groups[2]
    assert other[4] == groups[4]


@pytest.mark.parametrize("flags", ["!followup !probe", "!probe !followup", "!probe  !followup"])
def test_flags_stand_in_any_order_behind_one_blank(flags: str) -> None:
    text = f"### Q\na\n### A\nb\n### Q {flags}\nc\n### A\nd\n"
    if "  " in flags:
        assert "is not a header" in findings(text)[0].what
        return
    assert instruction(text).sections[0].body[1].probe


@pytest.mark.parametrize(
    ("text", "line", "col", "what"),
    [
        ("### Q !followup\na\n### A\nb\n", 6, 1, "without a question above"),
        ("### Q !probe\na\n### A\nb\n### Q !followup\nc\n### A\nd\n", 10, 1, "the probe on line 6"),
        ("### Q\na\n### A\nb\n### Q !followup\nc\n### Q\nd\n### A\ne\n", 12, 1, "with and without !followup"),
        ("### Q\na\n### A\nb\n### Q !follow\nc\n### A\nd\n", 10, 7, "`!follow` is no flag"),
        ("### Q\na\n### A\nb\n### Q !followup !followup\nc\n### A\nd\n", 10, 17, "written twice"),
        ("### Q\na\n### A !followup\nb\n", 8, 7, "takes no `!followup`"),
        ("### Q !probe please\na\n### A\nb\n", 6, 14, "`please` is no flag"),
        ("### Q\na\n### A\n\n### Q !followup\nc\n### A\nd\n", 8, 1, "an empty answer"),
    ],
)
def test_a_mistake_in_a_conversation_is_reported_once_at_its_place(text: str, line: int, col: int, what: str) -> None:
    (found,) = findings(text)
    assert (found.line, found.col) == (line, col)
    assert what in found.what


def test_a_misspelt_flag_gets_a_guess() -> None:
    assert "did you mean `!probe`?" in findings("### Q !prob\na\n### A\nb\n")[0].fix
    assert "did you mean `!followup`?" in findings("### Q !follow-up\na\n### A\nb\n")[0].fix


def test_a_heading_with_an_exclamation_mark_in_an_answer_is_text() -> None:
    (pair,) = instruction("### Q\na\n### A\nb\n### A !important note\n### Q !important thing\n").sections[0].body
    assert pair.answer == "b\n### A !important note\n### Q !important thing"


def test_a_probe_may_ask_after_other_turns_what_is_trained_elsewhere() -> None:
    text = "### Q\na\n### A\nb\n### Q !followup\nWhy?\n### A\nc\n### Q\nd\n### A\ne\n"
    assert len(probes(instruction(text + "### Q !followup !probe\nWhy?\n### A\nf\n"))) == 1
    same = "### Q\na\n### A\nb\n### Q !followup\nWhy?\n### A\nc\n::instruction::\n### Q\na\n### A\nb\n"
    assert "line 10" in findings(same + "### Q !followup !probe\nwhy?\n### A\nc\n")[0].what


def test_a_conversation_without_an_end_is_a_mistake_and_not_a_hang() -> None:
    """Each of its pairs holds all turns before it."""
    turns = ["### Q\nq\n### A\na\n", *(f"### Q !followup\nq{n}\n### A\na\n" for n in range(1, 201))]
    assert len(instruction("".join(turns[:200])).sections[0].body[-1].before) == 199
    (found,) = findings("".join(turns))
    assert found.line == 6 + 4 * 200
    assert "more than 200 turns" in found.what
