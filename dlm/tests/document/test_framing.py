"""Bytes, the ``---`` frame, section fences and code fences."""

from __future__ import annotations

from pathlib import Path

import pytest

from dlm.document import Document, parse, read
from dlm.errors import DocumentError, Finding, UsageProblem

FRONT = "---\ndlm_id: 01M81FN4JAC853MSGR8B0PH69S\nbase_model: x\n---\n"


def findings(text: str) -> list[Finding]:
    with pytest.raises(DocumentError) as caught:
        parse(text, "d.dlm")
    return list(caught.value.findings)


def only(text: str) -> Finding:
    found = findings(text)
    assert len(found) == 1, found
    return found[0]


def shape(document: Document) -> list[tuple[str, str]]:
    return [(section.type, section.content.strip("\n")) for section in document.sections]


def test_bytes_that_are_not_utf8_are_named_with_line_and_column(tmp_path: Path) -> None:
    path = tmp_path / "d.dlm"
    path.write_bytes(FRONT.encode() + "one\r\ngrö".encode() + b"\xdfe\r\n")
    with pytest.raises(DocumentError, match=r"d\.dlm:6:4: not UTF-8: byte 0xdf: save the file as UTF-8"):
        read(path)


@pytest.mark.parametrize(("char", "name"), [("\0", "U+0000"), ("\ud800", "U+D800")])
def test_characters_that_no_text_file_holds_are_named(char: str, name: str) -> None:
    found = only(f"{FRONT}one\nab{char}")
    assert (found.line, found.col) == (6, 3)
    assert name in found.what


def test_a_missing_file_and_a_folder_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageProblem, match=r"no such file; .* run: dlm init .*new\.dlm"):
        read(tmp_path / "new.dlm")
    with pytest.raises(UsageProblem, match="this is a folder"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("", 1, "empty"),
        (" \n\n", 1, "empty"),
        ("# Title\n", 1, "no frontmatter"),
        ("\n---\n", 1, "no frontmatter"),
        ("---\ndlm_id: x\n", 1, "never ends"),
        ("---\n---\nText.\n", 2, "frontmatter is empty"),
        (FRONT, 5, "no text"),
        (FRONT + "::prose::\n \n\t\n", 5, "no text"),
        (FRONT + "# Only\n\n## Headings\n", 5, "nothing to train"),
        (FRONT + "::instruction::\n### Q !probe\nWhat?\n### A\nThat.\n", 5, "only probes"),
        (FRONT + "::instruction::\n", 5, "without a question"),
    ],
)
def test_a_document_without_content_says_what_to_write(text: str, line: int, what: str) -> None:
    found = findings(text)[0]
    assert (found.line, found.path) == (line, "d.dlm")
    assert what in found.what
    assert any(word in found.fix for word in ("write", "begin"))


def test_blanks_after_the_frame_and_the_fences_do_no_harm() -> None:
    assert shape(parse("--- \ndlm_id: 01M81FN4JAC853MSGR8B0PH69S\t\nbase_model: x\n---\t\na\n::prose:: \nb")) == [
        ("prose", "a"),
        ("prose", "b"),
    ]


def test_blank_prose_is_dropped_and_lines_stay_true() -> None:
    document = parse(FRONT + "\n\n::instruction::\n\n### Q\nA?\n### A\nB.\n::prose::\n\n::prose::\nend\n")
    assert [(section.type, section.fence, section.line) for section in document.sections] == [
        ("instruction", 7, 8),
        ("prose", 15, 16),
    ]
    assert document.sections[0].body[0].line == 9


@pytest.mark.parametrize(
    "code",
    [
        "```\n::note::\n```",
        "~~~\n::note::\n~~~",
        "````text\n```\n::note::\n```\n````",
        "~~~ a `b` c\n```\n::note::\n~~~~~~~   ",
        "   ```\n::note::\n  ```",
        "```\n::note::\n    ```\n~~~\n``` x\n```",
        "`````\n````\n::note::\n``````",
    ],
)
def test_nothing_is_a_fence_inside_a_code_block(code: str) -> None:
    assert shape(parse(f"{FRONT}{code}\n::prose::\nb")) == [("prose", code), ("prose", "b")]


@pytest.mark.parametrize("line", ["```a``` b", "    ```", "``", "``` `x", "\\```", "~~", "\t```"])
def test_a_line_that_opens_no_code_block_hides_no_fence(line: str) -> None:
    assert shape(parse(f"{FRONT}{line}\n::prose::\nb")) == [("prose", line), ("prose", "b")]


@pytest.mark.parametrize("fence", ["```", "~~~~", "  ```python"])
def test_an_unclosed_code_block_is_reported_where_it_opens(fence: str) -> None:
    found = only(f"{FRONT}a\n::prose::\n```\nok\n```\n{fence}\n::note::\n``\n")
    assert found.line == 10
    assert "never closes" in found.what


@pytest.mark.parametrize("line", ["::note::", "::Instruction::", "::123::", "::note-to-self::", '::card front="a"::'])
def test_an_unknown_section_names_the_types_and_the_escape(line: str) -> None:
    found = only(f"{FRONT}Text.\n{line}\nmore\n")
    assert (found.line, found.col) == (6, 1)
    assert "audio, image, instruction, preference, prose" in found.fix
    assert "\\::" in found.fix
    assert shape(parse(f"{FRONT}Text.\n\\{line}\nmore")) == [("prose", f"Text.\n{line}\nmore")]


def test_a_misspelt_section_gets_a_guess() -> None:
    assert "did you mean ::instruction::?" in only(f"{FRONT}a\n::instructions::\n").fix


def test_one_backslash_is_taken_from_an_escaped_fence_and_none_elsewhere() -> None:
    body = "\\\\::note::\n\\::a::b::\n\\text\n```\n\\::note::\n```"
    assert shape(parse(FRONT + body)) == [("prose", body.replace("\\\\::note", "\\::note"))]


@pytest.mark.parametrize(
    "line", ["::a::b::", " ::prose::", "::", "::::", ":: prose ::", "::acme/quiz::", "x ::prose::"]
)
def test_lines_that_only_resemble_a_fence_are_text(line: str) -> None:
    assert shape(parse(f"{FRONT}a\n{line}\nb")) == [("prose", f"a\n{line}\nb")]


def test_attributes_that_cannot_be_read_are_reported_for_known_words_only() -> None:
    assert "attributes cannot be read" in only(f"{FRONT}a\n::image path='x'::\n").what
    assert shape(parse(f"{FRONT}a\n::std foo='x'::")) == [("prose", "a\n::std foo='x'::")]
    assert shape(parse(f"{FRONT}a\n\\::image path='x'::")) == [("prose", "a\n::image path='x'::")]


def test_a_section_may_be_routed_to_an_adapter() -> None:
    document = parse(f"{FRONT}::prose#tone_2::\na\n::prose::\na\n")
    assert [section.adapter for section in document.sections] == ["tone_2", None]
    assert document.sections[0].id != document.sections[1].id


@pytest.mark.parametrize("name", ["", "Bad", "a#b", "9a", "a-b", "a" * 33])
def test_a_bad_adapter_name_is_reported_at_its_column(name: str) -> None:
    found = only(f"{FRONT}a\n::prose#{name}::\nb\n")
    assert (found.line, found.col) == (6, 9)


def test_an_attribute_that_the_type_does_not_have_is_reported() -> None:
    found = findings(f'{FRONT}::prose a="1" a="2"::\nb\n')
    assert [finding.what for finding in found] == [
        "::prose:: has no attribute `a`",
        "the attribute `a` is written twice",
    ]


def test_signatures_of_tools_are_read_and_are_no_part_of_the_section() -> None:
    pair = "### Q\nA?\n### A\nB.\n"
    signed = parse(f'{FRONT}::instruction::\n<!-- dlm-auto-harvest: source="run 7" -->\n{pair}')
    plain = parse(f"{FRONT}::instruction::\n{pair}")
    assert signed.sections[0].provenance == {"written_by": "harvest", "source": "run 7"}
    assert signed.sections[0].id == plain.sections[0].id
    assert signed.sections[0].body[0].line == 7
    text = '<!-- dlm-auto-harvest: source="run 7" -->'
    assert shape(parse(FRONT + text)) == [("prose", text)]
    broken = only(f'{FRONT}::instruction::\n<!-- dlm-auto-synth: synth_teacher="" -->\n{pair}')
    assert (broken.line, "cannot be read" in broken.what) == (6, True)
