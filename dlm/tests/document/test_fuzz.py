"""Any bytes become a document, or findings that lie inside of the file."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from dlm.document import Document, parse
from dlm.document.findings import Findings
from dlm.document.scan import decode, normalise
from dlm.errors import DocumentError, Finding

FRONT = "---\ndlm_id: 01M81FN4JAC853MSGR8B0PH69S\nbase_model: x\n---\n"
FUZZ = settings(deadline=None, derandomize=True, max_examples=250)

MARKUP = st.text(st.sampled_from('#:`~\\-QA!>*1. \n\r\tx"'), max_size=60)
YAML = st.text(st.sampled_from("ab:[]{}&*!-'\"\n #|>,?0.e%@~<"), max_size=60)

WORDS = [
    "prose",
    "instruction",
    "preference",
    "image",
    "audio",
    "note",
    "Prose",
    "a/b",
    "",
    "prose#",
    "prose#a",
    "prose#A",
]
ATTRIBUTES = [
    "",
    ' path="a"',
    ' transcript="a"',
    ' weight="2"',
    ' weight="x"',
    ' title=""',
    " path='a'",
    ' a="b" a="c"',
    "  ",
]
FENCE = st.tuples(
    st.sampled_from(["", "", "\\", "\\\\", " ", "> "]), st.sampled_from(WORDS), st.sampled_from(ATTRIBUTES)
)
HEADER = st.tuples(
    st.sampled_from(["### ", "### ", "###", "  ### ", "\\### ", "## ", "> ### "]),
    st.sampled_from(["Q", "A", "q", "Q:", "Prompt", "Chosen", "Rejected", "prompt", ""]),
    st.sampled_from(["", "", "", " !probe", " !followup", " !prob", " !probe !followup", " x", "\t!probe"]),
)
CODE = st.tuples(
    st.sampled_from(["", "", "  ", "    ", "- ", "1. ", "> ", "\t"]),
    st.sampled_from(["```", "~~~", "````", "``"]),
    st.sampled_from(["", "x", " `", "~"]),
)
VALUES = ["run", "", "1", "nan", "2026-01-02", "extraction", "0123456789abcdef"]
KEYS = ["source", "judge_name", "judge_score_chosen", "mined_at", "mined_run_id", "synth_teacher", "synth_at"]
MARK = st.tuples(
    st.sampled_from(["harvest", "mined", "synth", "other"]),
    st.lists(
        st.tuples(st.sampled_from(KEYS), st.sampled_from(VALUES)).map(lambda pair: f'{pair[0]}="{pair[1]}"'), max_size=6
    ),
).map(lambda parts: f"<!-- dlm-auto-{parts[0]}: {' '.join(parts[1])} -->")
LINE = st.one_of(
    FENCE.map(lambda parts: f"{parts[0]}::{parts[1]}{parts[2]}::"),
    HEADER.map("".join),
    CODE.map("".join),
    MARK,
    st.sampled_from(
        ["", "", "text", "# Title", "- a", "  b", "> c", "---", "Größe \u2028 x", "\ufeff", "\x0b", "\x85"]
    ),
)
BODY = st.lists(LINE, max_size=25).flatmap(
    lambda lines: st.sampled_from(["\n", "\r\n", "\r"]).map(lambda end: end.join(lines))
)
SNIPPETS = [
    "dlm_version: 1",
    "dlm_version: 99",
    "dlm_version:",
    "system_prompt: |\n  a\n\n  b",
    "training:",
    "training: {}",
    "  dpo: {beta: 7}",
    "  dpo:",
    "  preference: {enabled: yes}",
    "  seed: 0x1F",
    "  adapters: {a: {}, b: {}}",
    "  gate: {enabled: true}",
    "  sources: [{path: .}]",
    "  sources: x",
    "  replay: {max_sections: -1}",
    "  lora_r: .nan",
    "  nope: &a [*a]",
    "# a comment",
    "export: {default_quant: 1}",
    "  - x",
    "\tx: 1",
    "x: !!binary aGk=",
    "x: 'a",
    "? {a: b}",
    "...",
    "%YAML 1.1",
    'x: "\\ud800"',
    "x: 2026-01-02",
]
HEADS = st.lists(st.sampled_from(SNIPPETS), max_size=5).map("\n".join)


@FUZZ
@given(st.binary() | st.text().map(str.encode))
@example(b"---\na: &x [*x]\n---\n")
@example(b"---\n" + b"[" * 5000 + b"\n---\n")
@example(b"---\n" + b"- " * 5000 + b"\n---\n")
@example(b"---\n" + b"{a: " * 5000 + b"\n---\n")
@example(b"---\n? {a: b}\n: c\n...\n---\n")
@example(b"---\n" + b"a: " * 30 + b"\n---\n")
@example(b"---\ntraining: {seed: 0x" + b"f" * 5000 + b"}\n---\n")
@example(b"---\n!!python/object/apply:os.system [true]\n---\n")
def test_any_bytes(data: bytes) -> None:
    check(data)


@FUZZ
@given(MARKUP)
def test_any_markup(text: str) -> None:
    check((FRONT + text).encode())


@FUZZ
@given(YAML)
def test_any_yaml(text: str) -> None:
    check(f"---\n{text}\n---\nx".encode())


@FUZZ
@given(HEADS, BODY)
def test_any_document_of_sensible_parts(head: str, body: str) -> None:
    check((FRONT[:-4] + head + "\n---\n" + body).encode())


@FUZZ
@given(BODY)
def test_any_body_of_sensible_parts(body: str) -> None:
    document = check((FRONT + body).encode())
    if document is not None:
        assert [section.id for section in parse(FRONT + body).sections] == [section.id for section in document.sections]


def check(data: bytes) -> Document | None:
    """The document, if ``data`` is one; else every finding has been found to point into the file."""
    lines = normalise(data.decode("utf-8", "replace")).split("\n")
    found = Findings("d.dlm")
    text = decode(data, found.report)
    findings = found.sorted()
    try:
        return parse(text, "d.dlm") if text is not None else None
    except DocumentError as error:
        findings = list(error.findings)
    finally:
        for finding in findings:
            assert_inside(finding, lines)
    assert findings
    return None


def assert_inside(finding: Finding, lines: list[str]) -> None:
    assert 1 <= finding.line <= len(lines), finding
    assert 1 <= finding.col <= len(lines[finding.line - 1]) + 1, finding
    assert finding.what
    assert finding.fix
    assert "\n" not in finding.what
