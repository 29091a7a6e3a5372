"""``dlm fmt``: what it lays out, what it leaves, and how it says so."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dlm.cli.main import main
from dlm.document import parse
from dlm.document.fmt import formatted
from dlm.document.starter import starter

HEAD = "---\ndlm_id: 01M81FN4JAC853MSGR8B0PH69S\nbase_model: x\n---\n"


def dlm(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.mark.parametrize(
    ("body", "made"),
    [
        ("Text.", "Text.\n"),
        ("\n\n\nText.  \n\n \n", "\nText.\n"),
        ("One  \t\nTwo   \nThree  \n\nFour  \n", "One\nTwo  \nThree\n\nFour\n"),
        ("# Head  \nText.\n", "# Head\nText.\n"),
        ("```  \ncode  \n\n\n  \t\n```  \nText.\n", "```  \ncode  \n\n\n  \t\n```  \nText.\n"),
        ("Text.\n\n    code  \n\nText.\n", "Text.\n\n    code  \n\nText.\n"),
        ("One.\n\n\n\nTwo.\n", "One.\n\n\n\nTwo.\n"),
        ("One.\n::prose::\nTwo.\n\n\n\n::prose::\n\n\nThree.\n", "One.\n\n::prose::\nTwo.\n\n::prose::\n\nThree.\n"),
        ('::prose#a   title="A  b"\tweight="2" ::  \nText.\n', '::prose#a title="A  b" weight="2"::\nText.\n'),
        ("Text.\n::prose::\n\n::prose::\nMore.", "Text.\n\n::prose::\n\n::prose::\nMore.\n"),
        ("::instruction::\n### Q  \na\n### A\nb\n", "::instruction::\n### Q\na\n### A\nb\n"),
        ("\\::note:: \nText.\n", "\\::note::\nText.\n"),
    ],
)
def test_the_body_is_laid_out(body: str, made: str) -> None:
    assert formatted(HEAD + body) == HEAD + made
    assert formatted("\ufeff" + (HEAD + body).replace("\n", "\r\n")) == HEAD + made


def test_the_frontmatter_keeps_its_order_comments_and_quotes() -> None:
    lines = ["# top  ", "base_model:   'x'   # why \t", "", "dlm_id: 01M81FN4JAC853MSGR8B0PH69S", "system_prompt: >-"]
    long = "  " + "a long line " * 30
    text = "\n".join(["---  ", "", *lines, long, "", "---", "Text."])
    assert formatted(text) == "\n".join(["---", *(line.rstrip() for line in [*lines, long]), "---", "Text.", ""])


def test_blank_lines_that_a_block_keeps_stay() -> None:
    text = HEAD.replace("base_model: x", "base_model: x\nsystem_prompt: |+\n  Be kind.\n\n") + "Text.\n"
    assert formatted(text) == text


def test_a_new_document_is_laid_out_already() -> None:
    text = starter("smollm2-135m")
    assert formatted(text) == text


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path, Path]:
    good, loose, broken = (tmp_path / name for name in ("good.dlm", "loose.dlm", "broken.dlm"))
    good.write_bytes(f"{HEAD}Text.\n".encode())
    loose.write_bytes(f"{HEAD}Text. \r\n".encode())
    broken.write_bytes(b"---\nbase_model: x\n---\nText. \n::note::\n")
    return good, loose, broken


def test_files_are_written_only_where_something_changes(files: tuple[Path, Path, Path]) -> None:
    good, loose, _ = files
    before = good.stat()
    done = dlm("fmt", good, loose)
    assert (done.exit_code, done.stdout) == (0, f"formatted  {loose}\n")
    assert loose.read_bytes() == good.read_bytes()
    assert good.stat() == before
    assert dlm("fmt", good).stdout == "nothing to change\n"


def test_check_writes_nothing_and_exits_with_1_if_something_would_change(files: tuple[Path, Path, Path]) -> None:
    good, loose, _ = files
    before = loose.read_bytes()
    done = dlm("fmt", "--check", good, loose)
    assert (done.exit_code, done.stdout) == (1, f"would change  {loose}\n")
    assert loose.read_bytes() == before
    assert dlm("fmt", "--check", good).exit_code == 0


def test_diff_shows_the_change_and_writes_nothing(files: tuple[Path, Path, Path]) -> None:
    _, loose, _ = files
    before = loose.read_bytes()
    done = dlm("fmt", "--diff", loose)
    assert done.exit_code == 0
    assert done.stdout.splitlines()[-2:] == ["-Text. \\r\\n", "+Text."]
    assert dlm("fmt", "--diff", "--check", loose).exit_code == 1
    assert loose.read_bytes() == before


def test_a_document_with_mistakes_is_refused_and_the_others_are_laid_out(files: tuple[Path, Path, Path]) -> None:
    good, loose, broken = files
    before = broken.read_bytes()
    done = dlm("fmt", broken, loose, good.with_name("none.dlm"))
    assert done.exit_code == 2
    assert f"{broken}:5:1: unknown section type `note`" in done.stderr
    assert f"2 mistakes in {broken}: left as it is" in done.stderr
    assert "none.dlm: no such file" in done.stderr
    assert broken.read_bytes() == before
    assert parse(loose.read_text("utf-8")).text == f"{HEAD}Text.\n"
