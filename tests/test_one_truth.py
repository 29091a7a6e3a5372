"""One run's verdicts are the same on every surface: terminal, JSON, Markdown, JUnit, SARIF, HTML, gate, pytest and
server. Each is asked by itself, of the same suite, and reads nothing from the others."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

PLUGIN = '''
"""A probe that does as it is told, on a model in closed form."""
from dlm_sway.entries import BackendEntry, ProbeEntry
from dlm_sway.hookspecs import hookimpl
from dlm_sway.probes.base import Probe, ProbeSpec
from dlm_sway.testing import ClosedForm

class SaySpec(ProbeSpec):
    verdict: str = "pass"

class Say(Probe[SaySpec]):
    """Gives the verdict that it was told."""
    kind = "say"
    spec_type = SaySpec

    def run(self, ctx):
        if self.spec.verdict == "error":
            raise ZeroDivisionError("nothing to divide")
        return self.result(self.spec.verdict, f"told to say {self.spec.verdict}", raw=0.125, p_value=0.01)

    def measure(self, scoring, view):
        raise AssertionError

    judge = measure

class Table(ClosedForm):
    """Closed form."""
    def __init__(self, models, defaults):
        super().__init__(models, defaults)

@hookimpl
def dlm_sway_probes():
    yield ProbeEntry(
        name="say", target="truth_sway:Say", summary="x", category="adherence", needs=frozenset({"compare"})
    )

@hookimpl
def dlm_sway_backends():
    yield BackendEntry(name="table", target="truth_sway:Table", summary="x", gives=frozenset({"compare"}))
'''
SERVE = """
import json, sys
from pathlib import Path
from ruamel.yaml import YAML
from fastapi.testclient import TestClient
from dlm_sway.plugins import manager
from dlm_sway_serve.app import make_app
from dlm_sway_serve.settings import Settings
folder = Path(sys.argv[1])
with TestClient(make_app(Settings(root=folder), manager()), base_url="http://localhost") as client:
    spec = YAML(typ="safe").load((folder / "sway.yaml").read_text())
    print(json.dumps(client.post("/run", json={"spec": spec}).json()))
"""
HEAD = """\
version: 1
models:
  base: {kind: table, base: ./table}
  ft: {kind: table, base: ./table, adapter: ./adapter}
suite:
"""
EVERY = {"good": "pass", "so": "warn", "bad": "fail", "open": "inconclusive", "broken": "error", "off": "skip"}
PASSING = {"good": "pass", "better": "pass"}
OPEN = {"good": "pass", "open": "inconclusive"}
EXIT = {"pass": 0, "fail": 1, "could not tell": 4}


class Page(HTMLParser):
    """Verdicts and the gate, as the page says them to programs and, in the same words, to people."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.verdicts: dict[str, str] = {}
        self.gate = ""
        self._said = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {key: value or "" for key, value in attrs}
        if "data-probe" in given:
            self.verdicts[given["data-probe"]] = given["data-verdict"]
        self.gate = given.get("data-outcome", self.gate)
        word = given.get("data-outcome") or (given.get("class") == "verdict" and list(self.verdicts.values())[-1])
        self._said = word or ""

    def handle_data(self, data: str) -> None:
        if self._said:
            assert data == self._said
            self._said = ""


class Place:
    """A folder with a suite, its plugin, and every program that judges it."""

    def __init__(self, folder: Path, verdicts: dict[str, str]) -> None:
        self.folder = folder
        info = folder / "site" / "truth_sway-1.0.dist-info"
        info.mkdir(parents=True)
        (folder / "site" / "truth_sway.py").write_text(PLUGIN)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: truth-sway\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[dlm_sway]\ntruth = truth_sway\n")
        (folder / "adapter").mkdir()
        (folder / "table").mkdir()
        rows = [
            f"  - {{name: '{name}', kind: say, verdict: {verdict}{', enabled: false' if verdict == 'skip' else ''}}}"
            for name, verdict in verdicts.items()
        ]
        (folder / "sway.yaml").write_text(HEAD + "\n".join(rows) + "\n")

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join([str(self.folder / "site"), os.environ.get("PYTHONPATH", "")])
        env = {**os.environ, "PYTHONPATH": path, "PYTHONSAFEPATH": "1", "COLUMNS": "80"}
        command = [sys.executable, *arguments]
        return subprocess.run(command, cwd=self.folder, env=env, capture_output=True, text=True, timeout=120)

    def read(self, name: str) -> str:
        return (self.folder / name).read_text("utf-8")


def junit_verdicts(text: str) -> dict[str, str]:
    """By the children of each case; what passes and what warns look alike in JUnit."""
    cases = ElementTree.fromstring(text).iter("testcase")
    return {case.attrib["name"]: case[0].attrib["type"] if len(case) else "pass" for case in cases}


def markdown_verdicts(text: str) -> dict[str, str]:
    return dict(re.findall(r"^\| (\w+) \| `\w+` \| (\w+) \|", text, re.MULTILINE))


def terminal_verdicts(text: str) -> dict[str, str]:
    rows = re.findall(r"^(PASS|WARN|FAIL|UNSURE|ERROR|SKIP) +(\w+) \(\w+\)", text, re.MULTILINE)
    return {name: {"UNSURE": "inconclusive"}.get(mark, mark.lower()) for mark, name in rows}


def pytest_verdicts(text: str) -> tuple[dict[str, str], str]:
    """Of every probe and of the gate, by the outcome of its test and the words that it ends with."""
    found = {}
    for case in ElementTree.fromstring(text).iter("testcase"):
        name = case.attrib["name"].rpartition("::")[2]
        children = {child.tag: child.attrib.get("message", "") + (child.text or "") for child in case}
        if "failure" in children:
            found[name] = "fail"
        elif "error" in children:
            found[name] = "inconclusive" if "inconclusive" in children["error"].lower() else "error"
        else:
            found[name] = "skip" if "skipped" in children else "pass"
    gate = found.pop("__gate__")
    return found, {"pass": "pass", "fail": "fail"}.get(gate, "could not tell")


@pytest.mark.parametrize(
    ("verdicts", "gate"), [(EVERY, "fail"), (PASSING, "pass"), (OPEN, "could not tell")], ids=["every", "pass", "open"]
)
def test_every_surface_gives_the_same_verdicts(verdicts: dict[str, str], gate: str, tmp_path: Path) -> None:
    place = Place(tmp_path, verdicts)
    names = ("r.json", "r.md", "r.xml", "r.sarif", "r.html")
    done = place.run("-m", "dlm_sway", "gate", "sway.yaml", *(word for name in names for word in ("--out", name)))
    assert done.returncode == EXIT[gate], done.stderr

    data = json.loads(place.read("r.json"))
    assert {one["name"]: one["verdict"] for one in data["probes"]} == verdicts
    assert data["gate"]["outcome"] == gate

    assert terminal_verdicts(done.stdout) == verdicts
    assert f"gate: {gate} (threshold 0.60)" in done.stdout

    markdown = place.read("r.md")
    assert markdown_verdicts(markdown) == verdicts
    assert f"**Gate:** {gate} (threshold 0.60)" in markdown

    assert junit_verdicts(place.read("r.xml")) == {n: "pass" if v == "warn" else v for n, v in verdicts.items()}
    assert f'<property name="gate" value="{gate}" />' in place.read("r.xml")

    (run,) = json.loads(place.read("r.sarif"))["runs"]
    assert (run["properties"]["verdicts"], run["properties"]["gate"]) == (verdicts, gate)
    alerts = [one["properties"]["verdict"] for one in run["results"]]
    assert alerts == [verdict for verdict in verdicts.values() if verdict not in ("pass", "skip")]

    page = Page(place.read("r.html"))
    assert (page.verdicts, page.gate) == (verdicts, gate)

    # A saved result says the same as the run did, and so does a comparison with it.
    again = place.run("-m", "dlm_sway", "report", "r.json")
    assert done.stdout.startswith(again.stdout)
    beside = json.loads(place.run("-m", "dlm_sway", "compare", "r.json", "r.json", "--format", "json").stdout)
    assert beside["verdicts"] == {name: [verdict, verdict] for name, verdict in verdicts.items()}


@pytest.mark.parametrize(
    ("verdicts", "gate"), [(EVERY, "fail"), (PASSING, "pass"), (OPEN, "could not tell")], ids=["every", "pass", "open"]
)
def test_pytest_and_the_server_give_them_too(verdicts: dict[str, str], gate: str, tmp_path: Path) -> None:
    place = Place(tmp_path, verdicts)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_it.py").write_text(
        'import pytest\n\n@pytest.mark.sway(spec="sway.yaml")\ndef test_adapter():\n    pass\n'
    )
    done = place.run("-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml", "p.xml")
    seen, decided = pytest_verdicts(place.read("p.xml"))
    assert seen == {n: "pass" if v == "warn" else v for n, v in verdicts.items()}, done.stdout
    assert decided == gate

    served = place.run("-c", SERVE, str(tmp_path))
    assert served.returncode == 0, served.stderr
    data = json.loads(served.stdout)
    assert "probes" in data, data
    assert {one["name"]: one["verdict"] for one in data["probes"]} == verdicts
    assert data["gate"]["outcome"] == gate


PRIOR = Path(__file__).parent.parent / "contracts" / "golden" / "report"
PRIOR_SAID = {
    "nulls": "pass",
    "moved": "fail",
    "strength": "pass",
    "behind": "fail",
    "sections": "skip",
    "general": "error",
    "wordings": "fail",
    "leak": "skip",
}


def test_results_that_version_0_1_0_wrote_say_in_every_report_what_they_said_then(tmp_path: Path) -> None:
    """Both files were written by its own command, on a random model of two layers."""
    place = Place(tmp_path, PASSING)
    files = [str(PRIOR / f"prior-{name}.json") for name in ("first", "second")]
    assert all(json.loads(Path(file).read_text())["sway_version"] == "0.1.0" for file in files)

    shown = place.run("-m", "dlm_sway", "report", files[0])
    assert terminal_verdicts(shown.stdout) == PRIOR_SAID, shown.stderr
    for name in ("p.json", "p.md", "p.xml", "p.sarif", "p.html"):
        done = place.run("-m", "dlm_sway", "report", files[0], "--out", name)
        assert done.returncode == 0, done.stderr
    read = json.loads(place.read("p.json"))
    assert {one["name"]: one["verdict"] for one in read["probes"]} == PRIOR_SAID
    assert [one["evidence"] for one in read["probes"]] == [
        one["evidence"] for one in json.loads(Path(files[0]).read_text())["probes"]
    ]
    assert markdown_verdicts(place.read("p.md")) == PRIOR_SAID
    assert junit_verdicts(place.read("p.xml")) == PRIOR_SAID
    assert json.loads(place.read("p.sarif"))["runs"][0]["properties"]["verdicts"] == PRIOR_SAID
    assert Page(place.read("p.html")).verdicts == PRIOR_SAID

    compared = place.run("-m", "dlm_sway", "compare", *files, "--format", "json")
    assert compared.returncode == 0, compared.stderr
    beside = json.loads(compared.stdout)
    assert beside["verdicts"] == {name: [verdict, verdict] for name, verdict in PRIOR_SAID.items()}
    assert beside["notes"] == ["the seed differs: 3 and 4"]
    moved = next(one for one in beside["changes"] if one["probe"] == "moved")
    assert (moved["outcome"], moved["paired"]) == ("not told apart", False)
