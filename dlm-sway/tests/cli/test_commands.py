"""The commands: exit codes, files, and what is printed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from dlm_sway._plugkit.plugins import PluginManager
from dlm_sway.cli.main import main

Write = Callable[..., Path]
GOLDEN = Path(__file__).parents[3] / "contracts" / "golden" / "report"

pytestmark = pytest.mark.usefixtures("installed")


def sway(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_run_reports_writes_its_files_and_ends_with_0_whatever_the_verdicts(suite_file: Write, tmp_path: Path) -> None:
    path = suite_file("- {name: a, kind: moved}\n- {name: b, kind: raise}\n")
    done = sway("run", path, "--json", tmp_path / "r.json", "-m", tmp_path / "r.md", "--weights", "adherence=0.9")
    assert done.exit_code == 0, done.output
    assert "PASS   a (moved)" in done.stdout
    assert "[1/2] a (moved)" in done.stderr
    data = json.loads((tmp_path / "r.json").read_text())
    assert [probe["verdict"] for probe in data["probes"]] == ["pass", "error"]
    assert data["score"]["weights"]["adherence"] == 0.9
    assert (tmp_path / "r.md").read_text().startswith("# sway report")


@pytest.mark.parametrize(
    ("entries", "code", "word"),
    [
        ("- {name: a, kind: moved}\n", 0, "gate passed"),
        ("- {name: a, kind: moved, limit: 9}\n", 1, "gate failed:\n  a: fail: mean"),
        ("- {name: a, kind: moved}\n- {name: b, kind: raise}\n", 1, "gate failed:\n  b: error: Zero"),
        ("- {name: a, kind: say, verdict: warn}\n", 1, "below the threshold 0.60"),
        ("- {name: a, kind: say, verdict: inconclusive}\n", 4, "gate could not tell:\n  a: inconclusive"),
    ],
)
def test_the_gate_turns_verdicts_into_its_exit_code(entries: str, code: int, word: str, suite_file: Write) -> None:
    done = sway("gate", suite_file(entries))
    assert (done.exit_code, word in done.stdout) == (code, True), done.output


def test_the_gate_writes_junit_and_takes_a_threshold(suite_file: Write, tmp_path: Path) -> None:
    path = suite_file("- {name: a, kind: say, verdict: warn}\n")
    done = sway("gate", path, "--threshold", "0.5", "--junit", tmp_path / "j.xml", "--json", tmp_path / "r.json")
    assert done.exit_code == 0, done.output
    assert ElementTree.parse(tmp_path / "j.xml").getroot().get("tests") == "1"
    assert json.loads((tmp_path / "r.json").read_text())["gate"]["threshold"] == 0.5


@pytest.mark.parametrize("command", ["run", "gate"])
def test_a_suite_with_two_faults_names_both_and_ends_with_2(command: str, suite_file: Write) -> None:
    path = suite_file("- {name: a, kind: moved, typo: 1}\n- {name: b, kind: none}\n")
    done = sway(command, path)
    assert done.exit_code == 2
    assert f"{path}:6: suite[0] (a).typo: unknown key 'typo'" in done.stderr
    assert f"{path}:7: suite[1] (b).kind: no installed plugin offers the probe 'none'" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_adapter_that_does_not_belong_to_the_base_ends_with_2(suite_file: Write, tmp_path: Path) -> None:
    done = sway("gate", suite_file("- {name: a, kind: moved}\n", kind="missing"), "--json", tmp_path / "r.json")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "error: 12 of 12 keys match no module" in done.stderr
    assert not (tmp_path / "r.json").exists()


def test_a_dry_run_lists_the_entries_and_loads_no_model(suite_file: Write) -> None:
    path = suite_file("- {name: a, kind: moved}\n- {name: b, kind: say, enabled: false}\n", kind="missing")
    done = sway("run", path, "--dry-run")
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        f"dry-run for {path} - 2 probe(s)",
        "#  name  kind   category     enabled",
        "1  a     moved  adherence    yes",
        "2  b     say    attribution  no",
    ]


@pytest.mark.parametrize(
    ("weights", "what"),
    [
        ("adherance=1", "no category is called 'adherance'"),
        ("adherence=-1", "must be 0 or more"),
        ("adherence", "has no =NUMBER"),
        ("adherence=much", "is not CATEGORY=NUMBER"),
        ("adherence=nan", "must be 0 or more"),
    ],
)
def test_weights_on_the_command_line_are_checked(weights: str, what: str, suite_file: Write) -> None:
    done = sway("run", suite_file("- {name: a, kind: moved}\n"), "--weights", weights)
    assert done.exit_code == 2
    assert what in " ".join(done.stderr.split())


def test_ctrl_c_ends_with_130_and_writes_nothing(suite_file: Write, tmp_path: Path) -> None:
    path = suite_file("- {name: a, kind: raise, error: interrupt}\n")
    done = sway("run", path, "--json", tmp_path / "r.json")
    assert done.exit_code == 130
    assert "interrupted" in done.stderr
    assert not (tmp_path / "r.json").exists()


def test_a_bug_ends_with_3_and_its_traceback_so_that_ci_cannot_read_it_as_a_verdict(
    suite_file: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dlm_sway.suite.run.conclude", lambda results: 1 // 0)
    done = sway("gate", suite_file("- {name: a, kind: moved}\n"))
    assert done.exit_code == 3
    assert "ZeroDivisionError" in done.stderr


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("terminal", "sway report"),
        ("md", "# sway report"),
        ("markdown", "# sway report"),
        ("junit", "<testsuite"),
        ("json", "{"),
    ],
)
def test_a_saved_result_is_shown_in_every_format_without_its_plugins(name: str, start: str, tmp_path: Path) -> None:
    done = sway("report", GOLDEN / "prior.json", "--format", name)
    assert (done.exit_code, done.stdout.startswith(start)) == (0, True), done.output
    assert sway("report", GOLDEN / "prior.json", "--format", name, "--out", tmp_path / "out").exit_code == 0
    assert (tmp_path / "out").read_text() == done.stdout


def test_a_report_in_an_unknown_format_or_from_a_missing_file_ends_with_2(tmp_path: Path) -> None:
    done = sway("report", GOLDEN / "prior.json", "--format", "pdf")
    assert (done.exit_code, "'pdf' (installed: json, junit" in done.stderr) == (2, True)
    done = sway("report", tmp_path / "none.json")
    assert (done.exit_code, "check the path" in done.stderr) == (2, True)


def test_a_check_of_nothing_ends_with_2(tmp_path: Path) -> None:
    done = sway("check", tmp_path / "none")
    assert (done.exit_code, "no such adapter folder or document" in done.stderr) == (2, True)


def test_list_probes_shows_what_a_suite_can_name_and_who_offers_it() -> None:
    done = sway("list-probes")
    rows = [line.split() for line in done.stdout.splitlines()]
    assert rows[0] == ["kind", "category", "seeks", "distribution"]
    assert ["integrity", "baseline", "harm", "builtin"] in rows
    assert ["moved", "adherence", "change", "kit"] in rows


def test_plugins_and_doctor_name_a_plugin_that_failed(installed: PluginManager) -> None:
    from dlm_sway._plugkit.plugins import PluginFailure

    installed.failures.append(PluginFailure("bad", "bad-dist 1.0", ImportError("no such library")))
    found = json.loads(sway("doctor", "--json").stdout)
    assert set(found) == {"sway_version", "python", "platform", "extras", "plugins", "findings"}
    assert set(found["extras"]) == {"api", "dlm", "hf", "mlx", "pytest", "semsim", "style", "viz"}
    assert found["extras"]["pytest"]["pytest"] == pytest.__version__
    assert found["findings"][0].startswith("plugin 'bad' (bad-dist 1.0) failed to load: no such library")
    assert found["findings"][1].startswith("the backend 'absent' needs no_such_module_here")
    assert "problem: plugin 'bad'" in sway("doctor").stdout
    assert json.loads(sway("plugins", "--json").stdout) == []


def test_no_arguments_show_the_help_and_the_version_names_the_tool() -> None:
    assert "list-probes" in sway().output
    assert sway("--version").stdout.startswith("sway ")
