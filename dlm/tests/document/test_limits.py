"""Files and lines that are far too long cost no more than reading them once."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from dlm.document import parse, read
from dlm.document.read import LARGEST
from dlm.errors import DocumentError, Finding, UsageProblem

FRONT = "---\ndlm_id: 01M81FN4JAC853MSGR8B0PH69S\nbase_model: x\n---\n"
ASK = "::instruction::\n### Q\na\n### A\nb\n"
LONG = 4_000_000
SLOWEST = 2.0
"""Seconds for four megabytes. What is read in one pass takes a tenth of it; what is read in N² takes days."""

LINES = {
    "letters": "a" * LONG,
    "colons": ":" * LONG,
    "a fence of blanks": "::a" + " " * LONG + "x",
    "a fence of fences": "::a b" + ":: " * (LONG // 3) + "x",
    "a fence of attributes": "::prose" + ' a="1"' * (LONG // 6) + "::",
    "a word": "::" + "a" * LONG + "::",
    "an attribute's key": "::prose " + "a" * LONG + '="1"::',
    "a heading of blanks": "# a" + " " * LONG + "x",
    "a heading of hashes": "# a" + " #" * (LONG // 2) + "x",
    "hashes": "#" * LONG,
    "a header of blanks": ASK + "### Q" + " " * LONG + "x y",
    "a header of flags": ASK + "### Q" + " !probe" * (LONG // 7),
    "backslashes": ASK + "\\" * LONG + "### Q",
    "backslashes before a fence": "\\" * LONG + "::prose::",
    "a comment of letters": "::instruction::\n<!-- dlm-auto-synth: " + "a" * LONG + " -->\n",
    "a comment of ends": "::instruction::\n<!-- dlm-auto-synth:" + " -->" * (LONG // 4) + "x\n",
    "a comment of values": "::instruction::\n<!-- dlm-auto-synth:" + 'a="' * (LONG // 3) + " -->\n",
    "backticks": "`" * LONG,
    "backticks and letters": "```" + "`a" * (LONG // 2),
    "quotations": "> " * (LONG // 2) + "x",
    "list items": "- + " * (LONG // 4) + "x",
    "dashes": "- " * (LONG // 2) + "x",
    "tabs": "-\t" * (LONG // 2) + "x",
    "digits": "1" * LONG,
    "carriage returns": "a\r" * (LONG // 10),
}


@pytest.mark.parametrize("text", LINES.values(), ids=LINES.keys())
def test_a_long_line_is_read_in_one_pass(text: str) -> None:
    findings: tuple[Finding, ...] = ()
    started = time.process_time()
    try:
        parse(FRONT + text)
    except DocumentError as error:
        findings = error.findings
    assert max((len(str(finding)) for finding in findings), default=0) < 500
    assert time.process_time() - started < SLOWEST


def test_a_file_that_is_too_large_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "large.dlm"
    with path.open("wb") as file:
        file.write(FRONT.encode())
        file.truncate(LARGEST + 1)
    started = time.perf_counter()
    with pytest.raises(UsageProblem, match=r"large\.dlm: larger than 256 MB.*under training\.sources"):
        read(path)
    assert time.perf_counter() - started < 0.5


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_a_pipe_is_read_like_a_file(tmp_path: Path) -> None:
    path = tmp_path / "pipe.dlm"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_text, args=(f"{FRONT}Text.", "utf-8"))
    writer.start()
    assert [section.content for section in read(path).sections] == ["Text."]
    writer.join()


@pytest.mark.parametrize("text", ["k" * 300_000 + ": 1", "# c\n" * 100_000, "system_prompt: |\n" + "  a\n" * 100_000])
def test_a_frontmatter_that_is_no_frontmatter_any_more_is_refused_unread(text: str) -> None:
    started = time.perf_counter()
    with pytest.raises(DocumentError, match="the frontmatter is longer than 256 kB"):
        parse(f"{FRONT[:-4]}{text}\n---\nText.")
    assert time.perf_counter() - started < SLOWEST


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_deep_yaml_is_refused_where_it_becomes_too_deep(opening: str) -> None:
    started = time.perf_counter()
    with pytest.raises(DocumentError, match="nested too deeply") as caught:
        parse(
            f"{FRONT[:-4]}a: {opening * 20_000}\n---\nText." if opening != "- " else f"---\n{opening * 20_000}\n---\nx"
        )
    assert caught.value.findings[0].line in (2, 4)
    assert time.perf_counter() - started < SLOWEST
