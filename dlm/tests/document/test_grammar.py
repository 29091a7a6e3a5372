"""Every construct of the format in one table: a file, and the sections or the mistake that it must become."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import pytest

from dlm.document import Pair, read
from dlm.document.formats import Triple
from dlm.errors import DocumentError

HEAD = "---\ndlm_id: 01M81FN4JAC853MSGR8B0PH69S\nbase_model: x\n---\n"
ID = "dlm_id: 01M81FN4JAC853MSGR8B0PH69S\n"
QA = "### Q\na\n### A\nb"
MINED = 'judge_name="j" judge_score_chosen="1" judge_score_rejected="0.5" mined_at="2026-01-02" mined_run_id="3"'
SYNTH = 'synth_teacher="t" synth_strategy="extraction" synth_at="2026-01-02" source_section_id="0123456789abcdef"'

NOBODY = SYNTH.replace('"t"', '""')
PROBE = QA.replace("Q", "Q !probe")


class Sections(NamedTuple):
    """What a file has to become: (type, content without blank lines at the ends) of every section."""

    found: list[tuple[str, str]]


class Mistake(NamedTuple):
    """The one finding that a file has to give."""

    line: int
    col: int
    what: str


def prose(text: str) -> Sections:
    return Sections([("prose", text)])


def file(body: str) -> bytes:
    return (HEAD + body).encode()


TABLE: list[tuple[str, bytes, Sections | Mistake]] = [
    ("bytes that are no UTF-8", b"---\n\xff", Mistake(2, 1, "not UTF-8")),
    ("a byte order mark", b"\xef\xbb\xbf" + HEAD.encode() + b"a", prose("a")),
    ("CRLF", file("a\nb").replace(b"\n", b"\r\n"), prose("a\nb")),
    ("CR", file("a\nb").replace(b"\n", b"\r"), prose("a\nb")),
    ("a mixture of line ends", HEAD.encode() + b"a\r\nb\rc\nd", prose("a\nb\nc\nd")),
    ("NUL", HEAD.encode() + b"a\0", Mistake(5, 2, "U+0000")),
    ("a first line that is not ---", b"x" + HEAD.encode(), Mistake(1, 1, "no frontmatter")),
    ("a frontmatter without an end", b"---\n" + ID.encode(), Mistake(1, 1, "never ends")),
    ("blanks behind ---", HEAD.replace("---\n", "--- \t\n").encode() + b"a", prose("a")),
    ("a frontmatter that is a list", b"---\n- a\n---\nx", Mistake(2, 1, "not a map")),
    ("a frontmatter that is no YAML", b"---\na: [\n---\nx", Mistake(2, 5, "not valid YAML")),
    ("a key twice", (HEAD[:-4] + ID + "---\na").encode(), Mistake(4, 1, "written twice")),
    ("an unknown key", (HEAD[:-4] + "nope: 1\n---\na").encode(), Mistake(4, 1, "unknown key")),
    ("a --- in the body", file("a\n---\nb"), prose("a\n---\nb")),
    ("text before the first fence", file("a\n::prose::\nb"), Sections([("prose", "a"), ("prose", "b")])),
    ("back to prose", file(f"::instruction::\n{QA}\n::prose::\nc"), Sections([("instruction", QA), ("prose", "c")])),
    ("a heading ends no section", file(f"::instruction::\n{QA}\n# c"), Sections([("instruction", f"{QA}\n# c")])),
    ("blank prose", file("\n::prose::\n \n::prose::\na"), prose("a")),
    ("an empty instruction", file("a\n::instruction::\n"), Mistake(6, 1, "without a question")),
    ("an empty preference", file("a\n::preference::\n"), Mistake(6, 1, "without a prompt")),
    ("an adapter", file("::prose#a_1::\na"), prose("a")),
    ("an empty adapter", file("a\n::prose#::\nb"), Mistake(6, 9, "no adapter")),
    ("a wrong adapter", file("a\n::prose#A::\nb"), Mistake(6, 9, "no name for an adapter")),
    ("two adapters", file("a\n::prose#a#b::\nb"), Mistake(6, 9, "no name for an adapter")),
    ("an unknown word", file("a\n::note::\nb"), Mistake(6, 1, "unknown section type")),
    ("a word in another case", file("a\n::Prose::\nb"), Mistake(6, 1, "unknown section type")),
    ("two words", file("a\n::a::b::"), prose("a\n::a::b::")),
    ("blanks before ::", file("a\n ::note::"), prose("a\n ::note::")),
    ("blanks behind ::", file("a\n::prose:: \t\nb"), Sections([("prose", "a"), ("prose", "b")])),
    ("an escaped fence", file("\\::note::"), prose("::note::")),
    ("an escaped fence with attributes", file('\\::image path="x"::'), prose('::image path="x"::')),
    ("a fence behind two backslashes", file("\\\\::note::"), prose("\\::note::")),
    (
        "an escaped fence in an answer",
        file(f"::instruction::\n{QA}\n\\::note::"),
        Sections([("instruction", f"{QA}\n::note::")]),
    ),
    (
        "attributes",
        file('a\n::image path="b c.png" alt="grün = green"::\nd'),
        Sections([("prose", "a"), ("image", "d")]),
    ),
    ("no attributes where some are needed", file("a\n::image::\nb"), Mistake(6, 1, "needs the attribute `path`")),
    ("an attribute twice", file('a\n::image path="b" path="c"::'), Mistake(6, 18, "written twice")),
    ("an unknown attribute", file('a\n::image path="b" title="c"::'), Mistake(6, 18, "no attribute `title`")),
    ("single quotes", file("a\n::image path='b'::"), Mistake(6, 1, "cannot be read")),
    ("an image with an adapter", file('a\n::image#b path="c"::'), Sections([("prose", "a"), ("image", "")])),
    ("a recording", file('a\n::audio path="b" transcript="c"::\nd'), Sections([("prose", "a"), ("audio", "d")])),
    ("a recording without its words", file('a\n::audio path="b"::'), Mistake(6, 1, "`transcript`")),
    ("a weight", file('::prose weight="2"::\na'), prose("a")),
    ("a wrong weight", file('a\n::prose weight="-1"::\nb'), Mistake(6, 9, 'the weight is "-1"')),
    ("backticks in column 1", file("```\n::note::\n```"), prose("```\n::note::\n```")),
    ("tildes", file("~~~\n::note::\n~~~"), prose("~~~\n::note::\n~~~")),
    ("an indented code fence", file("  ```\n::note::\n  ```"), prose("  ```\n::note::\n  ```")),
    ("four backticks around three", file("````\n```\n::note::\n````"), prose("````\n```\n::note::\n````")),
    ("code within a line", file("```a``` b\n::prose::\nc"), Sections([("prose", "```a``` b"), ("prose", "c")])),
    ("a code block without an end", file("```\na"), Mistake(5, 1, "never closes")),
    (
        "a fence behind a list item's code",
        file("- ```\n  a\n::prose::\nb"),
        Sections([("prose", "- ```\n  a"), ("prose", "b")]),
    ),
    (
        "a mark of harvest",
        file(f'::instruction::\n<!-- dlm-auto-harvest: source="s" -->\n{QA}'),
        Sections([("instruction", QA)]),
    ),
    (
        "a mark of mining in another type",
        file(f"a\n::instruction::\n<!-- dlm-auto-mined: {MINED} -->\n{QA}"),
        Mistake(7, 1, "text before"),
    ),
    (
        "a mark of synthesis",
        file(f"::instruction::\n<!-- dlm-auto-synth: {SYNTH} -->\n{QA}"),
        Sections([("instruction", QA)]),
    ),
    (
        "a mark that cannot be read",
        file(f"::instruction::\n<!-- dlm-auto-synth: x -->\n{QA}"),
        Mistake(6, 1, "cannot be read"),
    ),
    (
        "a mark without a teacher",
        file(f"::instruction::\n<!-- dlm-auto-synth: {NOBODY} -->\n{QA}"),
        Mistake(6, 1, "`synth_teacher`"),
    ),
    ("a probe", file(f"a\n::instruction::\n{PROBE}"), Sections([("prose", "a"), ("instruction", PROBE)])),
    (
        "blanks around a header",
        file("::instruction::\n  ### Q \na\n### A\t\nb"),
        Sections([("instruction", "  ### Q \na\n### A\t\nb")]),
    ),
    ("text before the first header", file(f"a\n::instruction::\nx\n{QA}"), Mistake(7, 1, "text before")),
    ("an answer without a question", file("a\n::instruction::\n### A\nb"), Mistake(7, 1, "without a question")),
    ("a question without an answer", file("a\n::instruction::\n### Q\nb"), Mistake(7, 1, "without an answer")),
    ("an empty question", file("a\n::instruction::\n### Q\n### A\nb"), Mistake(7, 1, "an empty question")),
    ("an empty answer", file("a\n::instruction::\n### Q\nb\n### A"), Mistake(9, 1, "an empty answer")),
    ("a prompt without its answers", file("a\n::preference::\n### Prompt\nb"), Mistake(7, 1, "without `### Chosen`")),
    (
        "a worse answer without a better one",
        file("a\n::preference::\n### Prompt\nb\n### Rejected\nc"),
        Mistake(9, 1, "`### Rejected` where"),
    ),
    (
        "an empty answer of a preference",
        file("a\n::preference::\n### Prompt\nb\n### Chosen\n### Rejected\nc"),
        Mistake(9, 1, "nothing below"),
    ),
]


@pytest.mark.parametrize(("data", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_the_format(data: bytes, expected: Sections | Mistake, tmp_path: Path) -> None:
    path = tmp_path / "d.dlm"
    path.write_bytes(data)
    if isinstance(expected, Sections):
        found = [(section.type, section.content.strip("\n")) for section in read(path).sections]
        assert found == expected.found
        return
    with pytest.raises(DocumentError) as caught:
        read(path)
    finding = caught.value.findings[0]
    assert (finding.line, finding.col) == (expected.line, expected.col), finding
    assert expected.what in finding.what
    assert finding.fix


def body(text: str, tmp_path: Path) -> Any:
    path = tmp_path / "d.dlm"
    path.write_text(f"{HEAD}a\n{text}", "utf-8")
    return read(path).sections[-1]


def test_preference_is_triples_in_their_order(tmp_path: Path) -> None:
    text = "### Prompt\na\n\nb\n### Chosen\n```\n### Rejected\n```\n### Rejected\n\\### Chosen\n"
    text += "### Prompt\nc\n### Chosen\nd\n### Rejected\ne"
    assert body(f"::preference::\n{text}", tmp_path).body == (
        Triple("a\n\nb", "```\n### Rejected\n```", "### Chosen", 7),
        Triple("c", "d", "e", 17),
    )


def test_an_image_keeps_its_caption_and_a_recording_its_words(tmp_path: Path) -> None:
    image = body('::image#look path="b.png" alt="" weight="3"::\n\nA caption.\n', tmp_path)
    assert (image.body, image.attributes, image.adapter, image.weight) == (
        "A caption.",
        {"path": "b.png", "alt": ""},
        "look",
        3.0,
    )
    audio = body('::audio path="b.wav" transcript="Grün :: green"::\n', tmp_path)
    assert audio.attributes == {"path": "b.wav", "transcript": "Grün :: green"}


def test_a_literal_header_loses_one_backslash_in_questions_and_answers_alike(tmp_path: Path) -> None:
    text = "::instruction::\n### Q\n\\### A\n  \\\\###Q\n### A\n\\### Q !probe\n\\### Q: b\n\\text\n```\n\\### Q\n```\n"
    assert body(text, tmp_path).body == (
        Pair(("### A\n  \\###Q",), "### Q !probe\n\\### Q: b\n\\text\n```\n\\### Q\n```", False, 7),
    )
