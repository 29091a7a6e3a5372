"""The GitHub Action's scripts, run as a runner runs them: real sway, GitHub's variables and files, a `gh` that notes
what it is asked. And what the linters for shells, images and workflows say of them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parent.parent
ACTION = ROOT / "action"
SCRIPTS = sorted(ACTION.glob("*.sh"))
PLUGIN = '''
from dlm_sway.entries import ProbeEntry
from dlm_sway.hookspecs import hookimpl
from dlm_sway.probes.base import Probe, ProbeSpec

class SaySpec(ProbeSpec):
    verdict: str = "pass"
    words: str = "as it was told"

class Say(Probe[SaySpec]):
    """Gives the verdict that it was told."""
    kind = "say"
    spec_type = SaySpec

    def run(self, ctx):
        return self.result(self.spec.verdict, self.spec.words)

    def measure(self, scoring, view):
        raise AssertionError

    judge = measure

@hookimpl
def dlm_sway_probes():
    yield ProbeEntry(name="say", target="toy_action:Say", summary="x", category="adherence")
'''
GH = """#!/bin/sh
printf '%s\\n' "$*" >> "$GH_LOG"
case "$*" in
    *--paginate*) [ -z "$GH_FAILS" ] || exit 1; printf '%s' "$GH_FOUND" ;;
    *) for one in "$@"; do case $one in body=@*) cp "${one#body=@}" "$GH_LOG.body" ;; esac; done ;;
esac
"""


class Runner:
    """A folder as a runner has it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        info = folder / "site" / "toy_action-1.0.dist-info"
        info.mkdir(parents=True)
        (folder / "site" / "toy_action.py").write_text(PLUGIN)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-action\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[dlm_sway]\ntoy = toy_action\n")
        (folder / "temp").mkdir()
        (folder / "bin").mkdir()
        (folder / "bin" / "gh").write_text(GH)
        (folder / "bin" / "gh").chmod(0o755)
        (folder / "event.json").write_text(json.dumps({"pull_request": {"number": 7}}))

    def suite(self, *verdicts: str, words: str = "as it was told") -> str:
        entries = "".join(
            f"  - {{name: p{n}, kind: say, verdict: {one}, words: {json.dumps(words)}}}\n"
            for n, one in enumerate(verdicts)
        )
        (self.folder / "adapter").mkdir(exist_ok=True)
        (self.folder / "my suite.yaml").write_text(
            f"version: 1\nmodels:\n  base: {{base: x}}\n  ft: {{base: x, adapter: ./adapter}}\nsuite:\n{entries}"
        )
        return "my suite.yaml"

    def run(self, script: str, **variables: str) -> subprocess.CompletedProcess[str]:
        binaries = f"{self.folder / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        env = {
            **os.environ,
            "PATH": binaries,
            "PYTHONPATH": str(self.folder / "site"),
            "GITHUB_OUTPUT": str(self.folder / "output"),
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary"),
            "GITHUB_EVENT_PATH": str(self.folder / "event.json"),
            "GITHUB_REPOSITORY": "someone/models",
            "RUNNER_TEMP": str(self.folder / "temp"),
            "GH_LOG": str(self.folder / "gh.log"),
            "GH_FOUND": "",
            "GH_FAILS": "",
            **variables,
        }
        command = ["bash", str(ACTION / script)]
        return subprocess.run(command, cwd=self.folder, env=env, capture_output=True, text=True, check=False)

    def gate(self, *verdicts: str, fail_on: str = "fail", words: str = "as it was told"):
        return self.run("gate.sh", SWAY_SPEC=self.suite(*verdicts, words=words), SWAY_FAIL_ON=fail_on)

    @property
    def outputs(self) -> dict[str, str]:
        return dict(line.split("=", 1) for line in (self.folder / "output").read_text().splitlines())


@pytest.fixture
def runner(tmp_path):
    return Runner(tmp_path)


@pytest.mark.parametrize(
    ("verdicts", "fail_on", "code", "verdict", "score"),
    [
        (("pass", "pass"), "fail", 0, "pass", "1.0000"),
        (("pass", "fail"), "fail", 1, "fail", "0.5000"),
        (("pass", "fail"), "never", 0, "fail", "0.5000"),
        (("pass", "inconclusive"), "fail", 4, "could not tell", "1.0000"),
        (("inconclusive",), "never", 0, "could not tell", ""),
        (("pass", "warn"), "fail", 0, "pass", "0.7500"),
        (("pass", "warn"), "warn", 1, "pass", "0.7500"),
    ],
)
def test_the_gate_s_verdict_becomes_outputs_a_summary_and_an_exit_code(runner, verdicts, fail_on, code, verdict, score):
    done = runner.gate(*verdicts, fail_on=fail_on)
    assert done.returncode == code, done.stdout + done.stderr
    assert (runner.outputs["verdict"], runner.outputs["sway-score"]) == (verdict, score)
    report = Path(runner.outputs["report-path"])
    assert {path.name for path in report.iterdir()} == {"sway-result.json", "sway-report.md", "sway-junit.xml"}
    summary = (runner.folder / "summary").read_text()
    assert summary.startswith("# sway report")
    assert "| p0 |" in summary
    assert ("::error title=sway gate::" in done.stdout) == bool(code)


@pytest.mark.parametrize("fail_on", ["fail", "never"])
def test_a_suite_that_cannot_be_run_fails_the_job_in_any_case(runner, fail_on):
    done = runner.run("gate.sh", SWAY_SPEC="none.yaml", SWAY_FAIL_ON=fail_on)
    assert done.returncode == 2
    assert runner.outputs["verdict"] == "error"
    assert "`none.yaml` could not be run (exit code 2)" in (runner.folder / "summary").read_text()
    assert "::error title=sway gate::none.yaml could not be run" in done.stdout


def test_an_unknown_fail_on_and_an_empty_spec_are_refused(runner):
    assert runner.gate("pass", fail_on="allways").returncode == 2
    assert runner.run("gate.sh", SWAY_SPEC="").returncode != 0


def test_what_a_probe_says_cannot_set_an_output_or_run_a_command(runner):
    words = "done\nverdict=pass\n::set-output name=verdict::pass\n$(touch pwned) `touch pwned`"
    assert runner.gate("fail", words=words).returncode == 1
    assert runner.outputs["verdict"] == "fail"
    assert set(runner.outputs) == {"verdict", "sway-score", "report-path"}
    assert not (runner.folder / "pwned").exists()


def comment(runner, **variables):
    report = runner.outputs["report-path"]
    return runner.run("comment.sh", SWAY_REPORT=report, SWAY_SPEC="my suite.yaml", **variables)


def test_a_first_run_writes_a_comment_and_a_second_one_changes_it(runner):
    runner.gate("fail")
    assert comment(runner).returncode == 0
    log = (runner.folder / "gh.log").read_text()
    assert "--method POST repos/someone/models/issues/7/comments" in log
    body = (runner.folder / "gh.log.body").read_text()
    assert body.startswith("<!-- sway-gate: ")
    assert "# sway report" in body
    assert comment(runner, GH_FOUND="41\n42\n").returncode == 0
    assert "--method PATCH repos/someone/models/issues/comments/41" in (runner.folder / "gh.log").read_text()


def test_a_long_report_is_cut_between_lines_below_what_github_takes(runner):
    runner.gate("fail", words="é" * 50_000)
    report = Path(runner.outputs["report-path"]) / "sway-report.md"
    report.write_text(report.read_text() + "é line\n" * 20_000)
    assert comment(runner).returncode == 0
    body = (runner.folder / "gh.log.body").read_bytes()
    assert len(body) < 61_000
    assert body.decode().endswith("(The rest is in the artifact and in the step's summary.)\n")


def test_a_push_has_no_comment_and_a_fork_s_missing_permission_fails_nothing(runner):
    runner.gate("pass")
    (runner.folder / "event.json").write_text('{"ref": "refs/heads/main"}')
    assert "no pull request" in comment(runner).stdout
    assert not (runner.folder / "gh.log").exists()
    (runner.folder / "event.json").write_text('{"pull_request": {"number": 7}}')
    done = comment(runner, GH_FAILS="1")
    assert done.returncode == 0
    assert "::warning title=sway::" in done.stdout


def test_another_version_than_the_one_asked_for_stops_the_job(runner):
    log = runner.folder / "pip.log"
    (runner.folder / "bin" / "python").write_text(f'#!/bin/sh\necho "$@" >> {log}\n')
    (runner.folder / "bin" / "python").chmod(0o755)
    done = runner.run("install.sh", SWAY_VERSION="0.1.0", SWAY_EXTRAS="dlm-sway-style")
    assert done.returncode == 2
    assert "sway-version asks for 0.1.0" in done.stdout
    assert f"-c {ROOT}/constraints.txt {ROOT}\n" in log.read_text()
    assert f"{ROOT}/plugins/dlm-sway-style\n" in log.read_text()
    refused = runner.run("install.sh", SWAY_EXTRAS="../../evil")
    assert refused.returncode == 2
    assert "no plugin ../../evil" in refused.stdout


def test_inputs_reach_the_scripts_as_variables_and_never_as_text_of_a_command():
    said = YAML(typ="safe").load((ACTION / "action.yml").read_text())
    assert {"spec-path", "fail-on", "comment-on-pr", "upload-artifact", "sway-version", "python-version"} <= set(
        said["inputs"]
    )
    assert set(said["outputs"]) == {"sway-score", "verdict", "report-path"}
    steps = [step for step in said["runs"]["steps"] if "run" in step]
    assert [step["run"] for step in steps] == [
        f'bash "$GITHUB_ACTION_PATH/{name}.sh"' for name in ("install", "gate", "comment")
    ]
    text = (ACTION / "gate.sh").read_text() + (ACTION / "install.sh").read_text() + (ACTION / "comment.sh").read_text()
    for step in steps:
        assert all(name in text for name in step.get("env", {}) if name.startswith("SWAY_"))


def test_the_image_runs_as_nobody_in_particular_and_can_be_pinned():
    text = (ROOT / "Dockerfile").read_text()
    assert text.count("${PYTHON_DIGEST:+@${PYTHON_DIGEST}}") == 2
    assert "\nUSER 10001\n" in text
    assert text.rindex("USER 10001") > text.rindex("RUN ")


@pytest.mark.parametrize(
    ("program", "files"),
    [("shellcheck", SCRIPTS), ("hadolint", [ROOT / "Dockerfile"])],
    ids=["shellcheck", "hadolint"],
)
def test_the_linters_have_nothing_to_say(program, files):
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed: pip install {program}-{'py' if program == 'shellcheck' else 'bin'}")
    done = subprocess.run([program, *map(str, files)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
