"""``dlm check`` tells where a document says two things that cannot both hold."""

from __future__ import annotations

import pytest

from dlm.document import parse
from dlm.document.conflicts import conflicts
from dlm.document.remarks import remarks

HEAD = "---\ndlm_id: 01J0000000000000000000000A\ndlm_version: 15\nbase_model: smollm2-135m\n---\n"
BOATS = """# Boats

## Tern

The Tern is steered by Bo Lind. The Tern leaves at {time}.

## Gull

The Gull is steered by Ivo Marsh. The Gull leaves at 09:15.

::instruction::
### Q
When does the Tern leave?
### A
The Tern leaves at 07:45.
"""


def test_a_pair_and_a_sentence_that_disagree_are_one_warning_at_its_line():
    [warning] = conflicts(parse(HEAD + BOATS.format(time="08:30"), "boats.dlm")).remarks
    assert warning.severity == "warning"
    line = (HEAD + BOATS.format(time="08:30")).split("\n")[warning.finding.line - 1]
    assert "Tern" in line
    assert "08:30" in warning.finding.what
    assert "07:45" in warning.finding.what
    assert warning.finding.fix


def test_what_agrees_is_no_contradiction():
    assert not conflicts(parse(HEAD + BOATS.format(time="07:45"), "boats.dlm")).remarks


@pytest.mark.parametrize("other", ["The Tern leaves at 11:00."])
def test_two_pairs_that_disagree_are_not_reported_twice(other):
    pairs = f"\n### Q\nWhen does the Tern leave?\n### A\n{other}\n"
    document = parse(HEAD + BOATS.format(time="07:45") + pairs, "boats.dlm")
    both = [*remarks(document).remarks, *conflicts(document).remarks]
    assert len({(one.finding.line, one.finding.what) for one in both}) == len(both)
    assert sum("another answer" in one.finding.what for one in both) == 1
