"""``dlm check`` as its user meets it: what the first line says, exit codes, several documents, JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from dlm.cli.main import main
from dlm.testing import toy_base

ROOT = Path(__file__).parents[3]
SOUND = """---
dlm_id: 01M81FN4JAC853MSGR8B0PH69S
dlm_version: 15
base_model: path:base
---
# Lamp

The lamp stands in the cellar.

::instruction::

### Q
Who built it?
### A
Ada.
"""


@pytest.fixture
def dlm(tmp_path, monkeypatch):
    monkeypatch.setenv("DLM_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    toy_base(tmp_path / "base")
    (tmp_path / "sound.dlm").write_text(SOUND, "utf-8")
    (tmp_path / "doubtful.dlm").write_text(SOUND + "\n### Q\nWho built it?\n### A\nBen.\n", "utf-8")
    (tmp_path / "broken.dlm").write_text(SOUND.replace("### A", "### B"), "utf-8")

    def dlm(*arguments):
        return CliRunner().invoke(main, ["check", *arguments])

    return dlm


@pytest.mark.parametrize(
    ("name", "strict", "code"),
    [("sound", False, 0), ("sound", True, 0), ("doubtful", False, 0), ("doubtful", True, 1), ("broken", True, 2)],
)
def test_mistakes_end_with_2_and_warnings_with_1_only_when_strict(dlm, name, strict, code):
    assert dlm(f"{name}.dlm", *(["--strict"] if strict else [])).exit_code == code


def test_the_first_line_says_whether_it_is_fine(dlm):
    assert dlm("sound.dlm").output.splitlines()[0] == "sound.dlm: no mistakes"
    assert dlm("doubtful.dlm").output.splitlines()[0] == "doubtful.dlm: no mistakes, 1 warning"
    assert dlm("broken.dlm").output.splitlines()[0].startswith("broken.dlm: ")
    assert "mistake" in dlm("broken.dlm").output.splitlines()[0]


def test_a_warning_stands_where_editors_look_for_it_and_the_text_fits_a_terminal(dlm):
    lines = dlm("doubtful.dlm").stdout.splitlines()
    assert lines[1].startswith("doubtful.dlm:17:1: warning: this question has another answer on line 12: ")
    assert all(len(line) <= 80 for line in lines if not line.startswith("doubtful.dlm:"))


def test_several_documents_are_all_checked_and_the_worst_decides(dlm):
    found = dlm("sound.dlm", "missing.dlm", "doubtful.dlm")
    assert found.exit_code == 2
    assert "missing.dlm: no such file" in found.stderr
    assert "sound.dlm: no mistakes" in found.stdout
    assert "doubtful.dlm: no mistakes, 1 warning" in found.stdout
    assert dlm("sound.dlm", "doubtful.dlm", "--strict").exit_code == 1


def test_json_is_one_object_for_one_document_and_a_list_for_several(dlm):
    one = json.loads(dlm("doubtful.dlm", "--json").stdout)
    assert (one["ok"], one["findings"][0]["severity"], one["findings"][0]["file"]) == (True, "warning", "doubtful.dlm")
    assert one["will_train"]["rows"]["qa"] == 2
    both = json.loads(dlm("sound.dlm", "broken.dlm", "--json").stdout)
    assert [(found["path"], found["ok"]) for found in both] == [("sound.dlm", True), ("broken.dlm", False)]


def test_many_findings_are_cut_on_a_terminal_and_complete_as_json(dlm, tmp_path):
    (tmp_path / "broken.dlm").write_text(SOUND + "::nothing::\n" * 300, "utf-8")
    found = dlm("broken.dlm")
    assert found.output.splitlines()[0] == "broken.dlm: 300 mistakes"
    pairs = "\n### Q\nWho built it?\n### A\nAda.\n" * 300
    (tmp_path / "repeated.dlm").write_text(SOUND + pairs, "utf-8")
    notes = dlm("repeated.dlm").stdout.splitlines()
    assert notes[-1] == "... and 101 more notes: `dlm check --json repeated.dlm` lists all"
    assert found.stdout.splitlines()[200] == "... and 100 more findings: `dlm check --json broken.dlm` lists all"
    assert len(json.loads(dlm("broken.dlm", "--json").stdout)["findings"]) == 300


def test_the_reference_shows_the_lines_that_are_printed(dlm, monkeypatch):
    page = (ROOT / "docs" / "reference" / "check.md").read_text("utf-8")
    monkeypatch.chdir(ROOT)
    printed = dlm("examples/runbook.dlm").stdout.splitlines()
    shown = page.split("```\n")[3].splitlines()
    assert shown[0] == printed[0]
    assert [line[:13] for line in shown if line[2:13].strip()] == [line[:13] for line in printed if line[2:13].strip()]


def test_what_a_document_holds_cannot_steer_the_terminal(dlm, tmp_path):
    (tmp_path / "evil.dlm").write_text(SOUND.replace("# Lamp", "# Lamp\x1b[2J\x07\x9b1A"), "utf-8")
    (title,) = [line for line in dlm("evil.dlm").stdout.splitlines() if line.startswith("  title")]
    assert title == "  title      Lamp\ufffd[2J\ufffd\ufffd1A"
