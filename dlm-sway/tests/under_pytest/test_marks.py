"""``@pytest.mark.sway`` in real pytest runs of their own, on a plugin whose probes do as they are told."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from textwrap import dedent
from xml.etree import ElementTree

import pytest

from dlm_sway import builtin, hookspecs

PLUGIN = '''
import os
from pathlib import Path
from dlm_sway.entries import BackendEntry, ProbeEntry
from dlm_sway.hookspecs import hookimpl
from dlm_sway.probes.base import Measurement, Probe, ProbeSpec
from dlm_sway.testing import ClosedForm

class SaySpec(ProbeSpec):
    verdict: str = "pass"
    nulls: int = 0

class Say(Probe[SaySpec]):
    """Gives the verdict that it was told."""
    kind = "say"
    spec_type = SaySpec

    def run(self, ctx):
        if self.spec.verdict == "raise":
            raise ZeroDivisionError("nothing to divide")
        return self.result(
            self.spec.verdict, f"it was told to say {self.spec.verdict}", raw=0.125, ci_95=(0.1, 0.15), n_items=8,
            p_value=0.025, mde=0.02,
        )

    def measure(self, scoring, view):
        raise AssertionError

    judge = measure

class Counted(ClosedForm):
    """Writes down that it was loaded."""
    def __init__(self, models, defaults):
        with open(os.environ["SWAY_TEST_LOADED"], "a") as file:
            file.write(f"{os.getpid()}\\n")
        if os.environ.get("SWAY_TEST_BROKEN"):
            raise RuntimeError("the disk fell off")
        super().__init__(models, defaults)

@hookimpl
def dlm_sway_probes():
    yield ProbeEntry(
        name="say", target="toy_sway:Say", summary="x", category="adherence", needs=frozenset({"compare"})
    )

@hookimpl
def dlm_sway_backends():
    yield BackendEntry(name="counted", target="toy_sway:Counted", summary="x", gives=frozenset({"compare"}))
'''
SUITE = """\
version: 1
models:
  base: {kind: counted, base: table}
  ft: {kind: counted, base: table, adapter: ./adapter}
suite:
"""


class Place:
    """A folder with a test file, a suite and the toy plugin."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.loaded = folder / "loaded.txt"
        site = folder / "site"
        info = site / "toy_sway-1.0.dist-info"
        info.mkdir(parents=True)
        (site / "toy_sway.py").write_text(PLUGIN)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-sway\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[dlm_sway]\ntoy = toy_sway\n")
        (folder / "adapter").mkdir()
        (folder / "pytest.ini").write_text("[pytest]\naddopts = --strict-markers\n")

    def suite(self, *verdicts: str, name: str = "sway.yaml", more: str = "") -> None:
        entries = "".join(f"  - {{name: p{n}, kind: say, verdict: {one}}}\n" for n, one in enumerate(verdicts))
        (self.folder / name).write_text(f"{SUITE}{entries}{more}")

    def tests(self, body: str) -> None:
        (self.folder / "test_it.py").write_text(f"import pytest\n\n{dedent(body)}")

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        env = {
            **os.environ,
            "PYTHONPATH": str(self.folder / "site"),
            "SWAY_TEST_LOADED": str(self.loaded),
            "SWAY_CACHE_DIR": str(self.folder / "cache"),
            "COLUMNS": "80",
            **variables,
        }
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rA", *arguments]
        return subprocess.run(command, cwd=self.folder, env=env, capture_output=True, text=True, check=False)

    def loads(self) -> int:
        return len(self.loaded.read_text().splitlines()) if self.loaded.exists() else 0


GATED = '@pytest.mark.sway(spec="sway.yaml")\ndef test_model():\n    """The adapter."""\n'


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def outcomes(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    """Word of pytest's summary by the part of the id after the file's name."""
    found = {}
    for line in done.stdout.splitlines():
        word, _, rest = line.partition(" ")
        if word in ("PASSED", "FAILED", "ERROR", "XFAIL") and "::" in rest:
            found[rest.split(" - ")[0].partition("::")[2]] = word
    return found


def test_every_probe_is_a_test_and_so_is_the_gate_and_the_model_is_loaded_once(place: Place) -> None:
    place.suite("pass", "pass")
    place.tests(GATED)
    done = place.run()
    assert outcomes(done) == {f"test_model::{name}": "PASSED" for name in ("p0", "p1", "__gate__")}
    assert done.returncode == 0
    assert place.loads() == 1


def test_a_failed_probe_shows_its_message_and_its_numbers_and_no_traceback(place: Place) -> None:
    place.suite("pass", "fail")
    place.tests(GATED)
    done = place.run()
    assert outcomes(done) == {
        "test_model::p0": "PASSED",
        "test_model::p1": "FAILED",
        "test_model::__gate__": "FAILED",
    }
    assert "FAIL [say]: it was told to say fail" in done.stdout
    assert "measured 0.125, 95% [0.100, 0.150], smallest change it could find 0.020" in done.stdout
    assert "the gate failed; the suite's conclusion is:" in done.stdout
    assert "Traceback" not in done.stdout
    assert "dlm_sway_pytest" not in done.stdout
    assert done.returncode == 1


MIXES = {
    "passes": ("pass", "pass"),
    "fails": ("pass", "fail"),
    "is_open": ("pass", "inconclusive"),
    "breaks": ("raise", "pass"),
    "skips": ("pass", "skip"),
    "warns": ("pass", "warn"),
}


def test_every_mix_of_verdicts_means_what_sway_gate_makes_of_it(place: Place) -> None:
    body = ""
    for name, verdicts in MIXES.items():
        place.suite(*verdicts, name=f"{name}.yaml")
        body += f'@pytest.mark.sway(spec="{name}.yaml")\ndef test_{name}(): ...\n\n'
    place.tests(body)
    done = place.run()
    found = outcomes(done)
    assert {name: found[f"test_{name}::__gate__"] for name in MIXES} == {
        name: {0: "PASSED", 1: "FAILED", 4: "ERROR"}[gate_says(place, f"{name}.yaml")] for name in MIXES
    }
    assert found["test_fails::p1"] == "FAILED"
    assert found["test_is_open::p1"] == found["test_breaks::p0"] == "ERROR"
    assert found["test_warns::p1"] == "PASSED"
    assert "test_skips::p1" not in found
    assert "SKIPPED [1]" in done.stdout
    assert "SwayWarning: p1: it was told to say warn" in done.stdout
    assert "ZeroDivisionError: nothing to divide" in done.stdout


def gate_says(place: Place, spec: str) -> int:
    """Exit code of ``sway gate``, in this process and with the same plugin."""
    from click.testing import CliRunner

    from dlm_sway._plugkit.plugins import PluginManager
    from dlm_sway.cli.gate import gate

    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(place.folder / "site")
        patch.setenv("SWAY_TEST_LOADED", str(place.loaded))
        patch.delitem(sys.modules, "toy_sway", raising=False)
        found = PluginManager(hookspecs.PROJECT, hookspecs)
        found.register(builtin, name="builtin")
        found.register(import_module("toy_sway"), name="toy")
        patch.setattr("dlm_sway.plugins.manager", lambda: found)
        return CliRunner().invoke(gate, [str(place.folder / spec), "--no-cache"]).exit_code


def test_an_entry_that_its_author_switched_off_is_skipped_and_the_gate_passes(place: Place) -> None:
    place.suite("pass", more="  - {name: off, kind: say, enabled: false}\n")
    place.tests(GATED)
    done = place.run()
    assert outcomes(done)["test_model::__gate__"] == "PASSED"
    assert "1 skipped" in done.stdout


def test_the_mark_s_threshold_and_weights_count(place: Place) -> None:
    place.suite("pass", "warn")
    place.tests('@pytest.mark.sway("sway.yaml", threshold=0.9, weights={"adherence": 1.0})\ndef test_model(): ...')
    done = place.run()
    assert outcomes(done)["test_model::__gate__"] == "FAILED"
    assert "overall score 0.75 is below the threshold 0.90" in done.stdout


def test_one_test_can_be_picked_by_its_id_and_the_marker_selects_all(place: Place) -> None:
    place.suite("pass", "fail")
    place.tests(GATED + "\ndef test_plain():\n    pass\n")
    assert outcomes(place.run("test_it.py::test_model::p0")) == {"test_model::p0": "PASSED"}
    assert set(outcomes(place.run("-m", "sway"))) == {"test_model::p0", "test_model::p1", "test_model::__gate__"}
    assert outcomes(place.run("-m", "not sway")) == {"test_plain": "PASSED"}
    assert place.loads() == 2


def test_a_body_that_asks_more_runs_after_the_probes_and_gets_the_result(place: Place) -> None:
    place.suite("pass")
    place.tests("""
        @pytest.mark.sway(spec="sway.yaml")
        def test_model(sway_result, tmp_path):
            assert sway_result["probes"][0]["raw"] == 0.5
    """)
    done = place.run()
    assert outcomes(done)["test_model"] == "FAILED"
    assert outcomes(done)["test_model::p0"] == "PASSED"
    assert "assert 0.125 == 0.5" in done.stdout
    assert place.loads() == 1


def test_other_marks_and_classes_and_parameters_still_count(place: Place) -> None:
    place.suite("fail")
    place.suite("pass", name="other.yaml")
    place.tests("""
        @pytest.mark.xfail(reason="known")
        @pytest.mark.sway(spec="sway.yaml")
        def test_known(): ...

        @pytest.mark.skip(reason="not today")
        @pytest.mark.sway(spec="sway.yaml")
        def test_never(): ...

        class TestBoth:
            @pytest.mark.parametrize("n", [pytest.param(1, marks=pytest.mark.sway(spec="other.yaml"))])
            def test_one(self, n): ...
    """)
    done = place.run()
    assert outcomes(done) == {
        "test_known::p0": "XFAIL",
        "test_known::__gate__": "XFAIL",
        "TestBoth::test_one[1]::p0": "PASSED",
        "TestBoth::test_one[1]::__gate__": "PASSED",
    }
    assert "2 skipped" in done.stdout
    assert place.loads() == 2


WRONG = {
    "": "requires a `spec`",
    '"sway.yaml", 0.5': "unexpected arguments",
    'spec="sway.yaml", treshold=0.5': "unexpected arguments treshold",
    'spec="sway.yaml", threshold="high"': "`threshold` must be a float",
    'spec="sway.yaml", threshold=True': "`threshold` must be a float",
    'spec="sway.yaml", weights=[1]': "`weights` must be a dict",
    'spec="sway.yaml", weights={"adherance": 1.0}': "no category is called 'adherance'",
    'spec="none.yaml"': "none.yaml",
}


def test_a_mark_that_cannot_be_followed_is_one_failed_test(place: Place) -> None:
    place.suite("pass")
    place.tests("".join(f"@pytest.mark.sway({one})\ndef test_{n}(): ...\n\n" for n, one in enumerate(WRONG)))
    done = place.run()
    assert outcomes(done) == {f"test_{n}::__spec__": "FAILED" for n in range(len(WRONG))}
    said = re.split(r"^_+ test_\d+::__spec__ _+$", done.stdout, flags=re.MULTILINE)[1:]
    for words, wanted in zip(said, WRONG.values(), strict=True):
        assert wanted in words
    assert place.loads() == 0


def test_a_suite_with_a_mistake_says_the_line(place: Place) -> None:
    place.suite("pass", more="  - {name: p9, kind: sya}\n")
    place.tests(GATED)
    done = place.run()
    assert outcomes(done) == {"test_model::__spec__": "FAILED"}
    assert "sway.yaml:7" in done.stdout


def test_a_model_that_cannot_be_loaded_is_tried_once(place: Place) -> None:
    place.suite("pass", "pass", "pass")
    place.tests(GATED)
    done = place.run(SWAY_TEST_BROKEN="1")
    assert set(outcomes(done).values()) == {"ERROR"}
    assert "the disk fell off" in done.stdout
    assert place.loads() == 1


@pytest.mark.parametrize("spread", ["worksteal", "loadgroup"])
def test_several_processes_share_one_run(place: Place, spread: str, tmp_path: Path) -> None:
    pytest.importorskip("xdist")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    place.suite("pass", "fail", "pass")
    place.tests(GATED + '\n@pytest.mark.sway(spec="sway.yaml", threshold=0.1)\ndef test_again(): ...\n')
    arguments = ["-n", "2", "--dist", spread]
    done = place.run(*arguments, TMPDIR=str(temporary))
    assert done.returncode == 1, done.stdout
    found = {name.partition("@")[0]: word for name, word in outcomes(done).items()}
    assert len(found) == 8
    assert found["test_model::p1"] == found["test_again::__gate__"] == "FAILED"
    assert place.loads() == 1
    assert not list(temporary.glob("sway-pytest-*"))


def test_a_test_case_cannot_carry_the_mark_unseen(place: Place) -> None:
    place.suite("fail")
    place.tests("""
        import unittest

        class TestOld(unittest.TestCase):
            @pytest.mark.sway(spec="sway.yaml")
            def test_model(self): ...
    """)
    done = place.run()
    assert done.returncode == 4
    assert "works on functions" in done.stderr + done.stdout


def test_the_fixture_without_the_mark_says_what_to_write(place: Place) -> None:
    place.tests("def test_model(sway_result): ...")
    done = place.run()
    assert done.returncode == 1
    assert "mark the test with @pytest.mark.sway" in done.stdout


def test_pytest_s_own_junit_file_has_the_numbers(place: Place) -> None:
    place.suite("pass", "inconclusive")
    place.tests(GATED)
    place.run("--junitxml=out.xml")
    cases = {case.get("name"): case for case in ElementTree.parse(place.folder / "out.xml").iter("testcase")}
    properties = {one.get("name"): one.get("value") for one in cases["p0"].iter("property")}
    assert properties["sway.raw"] == "0.125"
    assert cases["p1"].find("error") is not None


def test_a_run_without_the_mark_never_imports_sway(place: Place) -> None:
    place.tests("""
        import sys

        def test_plain():
            assert "dlm_sway" not in sys.modules
            assert "numpy" not in sys.modules
    """)
    assert place.run().returncode == 0
