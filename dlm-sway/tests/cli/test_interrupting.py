"""Ctrl-C, what it leaves, and going on with that; several reports of one run."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dlm_sway._plugkit.plugins import PluginManager
from dlm_sway.cli.main import main
from dlm_sway.scoring.remembering import Identity

Write = Callable[..., Path]
ENTRIES = "- {name: a, kind: moved}\n- {name: b, kind: say}\n- {name: c, kind: raise, error: interrupt}\n"


@pytest.fixture(autouse=True)
def _known(installed: PluginManager, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    kit = sys.modules["sway_tests_kit"]
    monkeypatch.setattr(kit.Learned, "identity", lambda self, digest: Identity({"base": 1}, {"adapter": 2}))
    monkeypatch.setenv("SWAY_CACHE_DIR", str(tmp_path / "cache"))


def sway(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.mark.parametrize("command", ["run", "gate"])
def test_ctrl_c_keeps_and_shows_what_is_done_and_the_same_command_goes_on(
    command: str, suite_file: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec, kept = suite_file(ENTRIES), tmp_path / "r.json"
    done = sway(command, spec, "--json", kept)
    assert done.exit_code == 130
    assert f"interrupted: what is done is kept in {kept}: the same command with --resume goes on" in done.stderr
    assert "INTERRUPTED" in done.stdout
    assert "PASS   a (moved)" in done.stdout
    data = json.loads(kept.read_text())
    assert (data["status"], [one["verdict"] for one in data["probes"]]) == ("interrupted", ["pass", "pass", "skip"])

    # This time nobody presses Ctrl-C.
    answers = sys.modules["sway_tests_kit"].Say
    monkeypatch.setattr(sys.modules["sway_tests_kit"].Raise, "run", lambda self, ctx: self.result("pass", "answered"))
    monkeypatch.setattr(answers, "run", lambda self, ctx: pytest.fail("asked again"))
    done = sway(command, spec, "--json", kept, "--resume")
    assert done.exit_code == 0, done.output
    assert "[2/3] b (say): known from the interrupted run" in done.stderr
    data = json.loads(kept.read_text())
    assert (data["status"], [one["verdict"] for one in data["probes"]]) == ("finished", ["pass", "pass", "pass"])
    assert data["provenance"]["resumed"] == ["a", "b"]


def test_a_second_ctrl_c_loses_nothing_that_the_first_one_left(suite_file: Write, tmp_path: Path) -> None:
    spec, kept = suite_file(ENTRIES), tmp_path / "r.json"
    sway("run", spec, "--json", kept)
    done = sway("run", spec, "--json", kept, "--resume")
    assert (done.exit_code, "--resume goes on" in done.stderr) == (130, True)
    assert [one["verdict"] for one in json.loads(kept.read_text())["probes"]] == ["pass", "pass", "skip"]


def test_ctrl_c_without_a_file_shows_what_is_done_and_says_how_to_keep_it(suite_file: Write) -> None:
    done = sway("run", suite_file(ENTRIES))
    assert (done.exit_code, "PASS   a (moved)" in done.stdout) == (130, True)
    assert "interrupted: with --json FILE, what is done is kept in FILE" in done.stderr


@pytest.mark.parametrize("name", ["terminal", "markdown", "junit", "sarif", "json"])
def test_every_report_of_an_unfinished_run_says_that_it_is_one(name: str, suite_file: Write, tmp_path: Path) -> None:
    sway("run", suite_file(ENTRIES), "--json", tmp_path / "r.json")
    done = sway("report", tmp_path / "r.json", "--format", name)
    assert (done.exit_code, "interrupted" in done.stdout.lower()) == (0, True)


def test_the_file_is_there_while_the_suite_still_runs(
    suite_file: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "r.json"
    seen: list[list[str]] = []

    def look(self: object, ctx: object) -> object:
        seen.append([one["verdict"] for one in json.loads(kept.read_text())["probes"]] if kept.exists() else [])
        return self.result("pass", "looked")  # type: ignore[attr-defined]

    monkeypatch.setattr(sys.modules["sway_tests_kit"].Say, "run", look)
    entries = "- {name: a, kind: say}\n- {name: b, kind: say}\n- {name: c, kind: say}\n"
    assert sway("run", suite_file(entries), "--json", kept).exit_code == 0
    assert seen == [[], ["pass", "skip", "skip"], ["pass", "pass", "skip"]]
    assert [path.name for path in tmp_path.glob(".r.json*")] == []


def test_a_disk_that_is_full_is_said_once_and_the_suite_goes_on(
    suite_file: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    entries = "- {name: a, kind: say}\n- {name: b, kind: say}\n- {name: c, kind: say}\n"
    done = sway("run", suite_file(entries), "--json", tmp_path / "r.json")
    assert (done.exit_code, "PASS   c (say)" in done.stdout) == (3, True)
    assert done.stderr.count("warning: ") == 1
    assert "error: " in done.stderr


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ([], "--resume needs the file that holds what is done: name it with --json FILE"),
        (["--json", "r.json", "--no-cache"], "--no-cache asks anew: leave one out"),
    ],
)
def test_going_on_without_a_place_to_look_is_a_mistake(more: list[str], said: str, suite_file: Write) -> None:
    done = sway("run", suite_file(ENTRIES), "--resume", *more)
    assert (done.exit_code, said in " ".join(done.stderr.split())) == (2, True)


def test_going_on_with_nothing_or_with_a_finished_run_begins_at_the_beginning(
    suite_file: Write, tmp_path: Path
) -> None:
    spec, kept = suite_file("- {name: a, kind: moved}\n"), tmp_path / "r.json"
    done = sway("run", spec, "--json", kept, "--resume")
    assert (done.exit_code, "is not there yet: the suite runs from the beginning" in done.stderr) == (0, True)
    done = sway("run", spec, "--json", kept, "--resume")
    assert (done.exit_code, "is a finished run: the suite runs anew" in done.stderr) == (0, True)


def test_going_on_with_another_suite_ends_with_2_and_leaves_the_file(suite_file: Write, tmp_path: Path) -> None:
    kept = tmp_path / "r.json"
    sway("run", suite_file(ENTRIES), "--json", kept)
    before = kept.read_text()
    done = sway("run", suite_file(ENTRIES + "- {name: d, kind: say}\n"), "--json", kept, "--resume")
    assert (done.exit_code, kept.read_text()) == (2, before)
    assert "cannot go on with this run: the suite changed since: run again without --resume" in done.stderr


def test_one_run_writes_every_report_that_was_asked_for(suite_file: Write, tmp_path: Path) -> None:
    outs = [argument for name in ("r.md", "r.xml", "r.sarif", "r.json") for argument in ("--out", tmp_path / name)]
    done = sway("gate", suite_file("- {name: a, kind: moved}\n"), *outs)
    assert (done.exit_code, "sway report" in done.stdout) == (0, True)
    starts = {"r.md": "# sway report", "r.xml": "<testsuite", "r.sarif": "{", "r.json": "{"}
    assert all((tmp_path / name).read_text().startswith(start) for name, start in starts.items())


@pytest.mark.parametrize("command", ["run", "gate"])
def test_a_printed_format_takes_the_place_of_the_terminal_report(command: str, suite_file: Write) -> None:
    done = sway(command, suite_file("- {name: a, kind: moved, limit: 9}\n"), "--format", "json")
    assert json.loads(done.stdout)["gate"]["outcome"] == "fail"
    assert ("gate failed:" in done.stderr) == (command == "gate")


def test_a_report_that_cannot_be_written_as_asked_is_refused_before_a_model_is_loaded(
    suite_file: Write, tmp_path: Path
) -> None:
    spec = suite_file("- {name: a, kind: moved}\n", kind="missing")  # loading it would end with another message
    done = sway("run", spec, "--out", tmp_path / "r.html")
    assert (done.exit_code, "'html'" in done.stderr) == (2, True)
