"""The comments by which tools sign what they wrote: kept, checked, and written back."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlm.document import Section, parse
from dlm.document.markers import marker_lines
from dlm.errors import DocumentError

FRONT = "---\ndlm_id: 01M81FN4JAC853MSGR8B0PH69S\nbase_model: x\n---\nText.\n"
PAIR = "### Q\nWho?\n### A\nAda.\n"
TRIPLE = "### Prompt\nWho?\n### Chosen\nAda.\n### Rejected\nBen.\n"
HARVEST = '<!-- dlm-auto-harvest: source="run 7" -->'
SYNTH = (
    '<!-- dlm-auto-synth: synth_teacher="self" synth_strategy="extraction" synth_at="2026-01-02T03:04:05Z" '
    'source_section_id="0123456789abcdef" -->'
)
MINED = (
    '<!-- dlm-auto-mined: judge_name="sway" judge_score_chosen="0.5" judge_score_rejected="-1e3" '
    'mined_at="2026-01-02" mined_run_id="1" -->'
)
VALUE = st.text(st.characters(codec="utf-8", exclude_characters='"\r\n\0'), min_size=1).filter(str.strip)


def signed(kind: str, *comments: str) -> Section:
    body = PAIR if kind == "instruction" else TRIPLE
    return parse(FRONT + f"::{kind}::\n" + "".join(f"{comment}\n" for comment in comments) + body).sections[-1]


@pytest.mark.parametrize(
    ("kind", "comments", "tools"),
    [
        ("instruction", [HARVEST], "harvest"),
        ("instruction", [SYNTH], "synth"),
        ("instruction", [SYNTH, HARVEST], "synth harvest"),
        ("preference", [HARVEST], "harvest"),
        ("preference", [MINED], "mined"),
        ("preference", [HARVEST, MINED], "harvest mined"),
    ],
)
def test_what_is_read_is_written_back_word_for_word(kind: str, comments: list[str], tools: str) -> None:
    section = signed(kind, *comments)
    assert section.provenance["written_by"] == tools
    assert list(marker_lines(section.provenance)) == comments
    assert section.id == signed(kind).id
    assert section.content == signed(kind).content


@settings(deadline=None, derandomize=True, max_examples=100)
@given(VALUE)
def test_any_text_without_quotes_survives_in_a_comment(value: str) -> None:
    section = signed("instruction", f'<!-- dlm-auto-harvest: source="{value}" -->')
    assert section.provenance == {"written_by": "harvest", "source": value}
    assert signed("instruction", *marker_lines(section.provenance)).provenance == section.provenance


def test_a_section_without_comments_writes_none() -> None:
    assert list(marker_lines(signed("instruction").provenance)) == []


@pytest.mark.parametrize(
    ("kind", "comment", "what"),
    [
        ("preference", MINED.replace('"1"', '"0"'), "`mined_run_id`"),
        ("preference", MINED.replace('"1"', '"1.5"'), "`mined_run_id`"),
        ("preference", MINED.replace("0.5", "nan"), "`judge_score_chosen`"),
        ("preference", MINED.replace("-1e3", "-inf"), "`judge_score_rejected`"),
        ("preference", MINED.replace("2026-01-02", "yesterday"), "`mined_at`"),
        ("preference", MINED.replace("sway", " "), "`judge_name`"),
        ("preference", MINED.replace('mined_run_id="1" ', ""), "cannot be read"),
        ("instruction", SYNTH.replace("extraction", "invention"), "`synth_strategy`"),
        ("instruction", SYNTH.replace("0123456789abcdef", "0123456789ABCDEF"), "`source_section_id`"),
        ("instruction", SYNTH.replace("2026", "26"), "`synth_at`"),
        ("instruction", SYNTH.replace("synth_teacher", "teacher"), "cannot be read"),
        ("instruction", SYNTH.replace(" -->", ' synth_teacher="a" -->'), "cannot be read"),
        ("instruction", HARVEST.replace(" -->", " and more -->"), "cannot be read"),
        ("instruction", HARVEST.replace('"', "'"), "cannot be read"),
        ("instruction", f"{HARVEST}\n{HARVEST}", "a second dlm-auto-harvest"),
    ],
)
def test_a_comment_that_says_something_impossible_is_reported_at_its_line(kind: str, comment: str, what: str) -> None:
    with pytest.raises(DocumentError) as caught:
        signed(kind, comment)
    (found,) = caught.value.findings
    assert found.line == 6 + comment.count("\n") + 1
    assert what in found.what
    assert found.fix
