"""A run that is interrupted and gone on with gives the result of one that was not."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from dlm_sway._plugkit.plugins import PluginManager
from dlm_sway.errors import TargetError
from dlm_sway.report import document
from dlm_sway.report.json import render
from dlm_sway.result import SuiteResult
from dlm_sway.scoring.remembering import Identity
from dlm_sway.suite.resuming import Earlier, earlier, models_digest
from dlm_sway.suite.run import run

SCHEMA = json.loads((Path(__file__).parents[3] / "contracts" / "sway-report.schema.json").read_text())
CLOCKS = ("started_at", "finished_at", "wall_seconds", "duration_s", "backend_stats", "resumed")
ENTRIES = """\
    - {name: n, kind: null_adapter, runs: 3}
    - {name: i, kind: integrity}
    - {name: a, kind: moved}
    - {name: chance, kind: say, p: 0.03}
    - {name: more, kind: say, p: 0.04, raw: 1.5}
    - {name: bug, kind: raise}
    - {name: off, kind: moved, enabled: false}
    - {name: open, kind: say, verdict: inconclusive}
    """
NAMES = ["n", "i", "a", "chance", "more", "bug", "off", "open"]

pytestmark = pytest.mark.usefixtures("known")


@pytest.fixture
def known(manager: PluginManager, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, object]:
    """The planted model says what decides its numbers."""
    says: dict[str, object] = {"sha256": "one"}
    kit = sys.modules["sway_tests_kit"]
    monkeypatch.setattr(kit.Learned, "identity", lambda self, digest: Identity({"base": 1}, says))
    monkeypatch.setenv("SWAY_CACHE_DIR", str(tmp_path / "cache"))
    return says


def stopped(spec: Path, manager: PluginManager, after: int) -> SuiteResult:
    """What a run leaves that is stopped when ``after`` entries have ended."""
    kept: list[SuiteResult] = []

    def keep(result: SuiteResult) -> None:
        kept.append(result)
        if len(kept) == after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(spec, manager=manager, keep=keep)
    return kept[-1]


def left(result: SuiteResult, tmp_path: Path) -> Earlier:
    """The same, written and read again."""
    path = tmp_path / "r.json"
    path.write_text(render(document.to_dict(result)))
    found = earlier(path, document.read(path))
    assert found is not None
    return found


def masked(data: Any) -> Any:
    if isinstance(data, Mapping):
        return {key: masked(value) for key, value in data.items() if key not in CLOCKS}
    if isinstance(data, list):
        return [masked(one) for one in data]
    # A traceback names lines of the run itself.
    return "traceback" if isinstance(data, str) and data.startswith("Traceback") else data


@pytest.mark.parametrize("after", range(1, len(NAMES)))
def test_wherever_a_run_is_stopped_going_on_gives_the_result_of_a_whole_one(
    after: int, suite_file: Callable[..., Path], manager: PluginManager, tmp_path: Path
) -> None:
    spec = suite_file(ENTRIES)
    whole = document.to_dict(run(spec, manager=manager))
    asked: list[str] = []
    found = run(spec, manager=manager, earlier=left(stopped(spec, manager, after), tmp_path), say=asked.append)
    assert masked(document.to_dict(found)) == masked(whole)
    taken = [name for name in NAMES[:after] if name != "bug"]
    assert found.provenance["resumed"] == sorted(taken)
    assert [line.split()[1] for line in asked if "known from" in line] == taken


def test_what_stands_after_an_entry_that_is_asked_again_is_not_lost_when_that_is_interrupted(
    suite_file: Callable[..., Path], manager: PluginManager, tmp_path: Path
) -> None:
    entries = "- {name: bug, kind: raise}\n- {name: a, kind: moved}\n- {name: b, kind: moved}\n"
    spec, kept = suite_file(entries), []
    found = left(stopped(spec, manager, 2), tmp_path)
    run(spec, manager=manager, earlier=found, keep=kept.append)
    verdicts = [[one.verdict for one in result.probes] for result in kept]
    assert verdicts == [["error", "pass", "skip"], ["error", "pass", "skip"]]


def test_chance_is_shared_over_all_tests_though_they_ran_in_two_goes(
    suite_file: Callable[..., Path], manager: PluginManager, tmp_path: Path
) -> None:
    spec = suite_file(ENTRIES)
    unfinished = stopped(spec, manager, 5)
    assert [one.p_adjusted for one in unfinished.probes] == [None] * len(NAMES)
    found = run(spec, manager=manager, earlier=left(unfinished, tmp_path))
    verdicts = {one.name: one.verdict for one in found.probes}
    assert (verdicts["chance"], verdicts["more"]) == ("inconclusive", "inconclusive")


def test_an_unfinished_result_is_a_result_that_no_gate_passes(
    suite_file: Callable[..., Path], manager: PluginManager
) -> None:
    spec = suite_file("- {name: a, kind: moved}\n- {name: b, kind: moved}\n- {name: c, kind: moved}\n")
    data = document.to_dict(stopped(spec, manager, 2))
    jsonschema.Draft202012Validator(SCHEMA).validate(data)
    assert (data["status"], data["conclusion"]) == ("interrupted", "could not tell")
    assert [one["verdict"] for one in data["probes"]] == ["pass", "pass", "skip"]
    assert (data["gate"]["exit_code"], data["gate"]["reasons"]) == (4, ["c: skip: not asked: the run was interrupted"])
    assert data["summary"] == ["interrupted: 2 of 3 entries were asked, p-values are not adjusted yet"]


def test_damage_that_was_found_is_told_at_once(suite_file: Callable[..., Path], manager: PluginManager) -> None:
    spec = suite_file("- {name: a, kind: say}\n- {name: b, kind: say, verdict: fail}\n- {name: c, kind: say}\n")
    unfinished = stopped(spec, manager, 2)
    assert document.to_dict(unfinished)["gate"]["exit_code"] == 1


def test_going_on_is_refused_when_anything_that_decides_a_number_has_changed(
    suite_file: Callable[..., Path], manager: PluginManager, tmp_path: Path, known: dict[str, object]
) -> None:
    spec = suite_file(ENTRIES)
    found = left(stopped(spec, manager, 2), tmp_path)
    run(spec, manager=manager, earlier=found)
    known["sha256"] = "two"
    with pytest.raises(TargetError, match=r"the base or the adapter, .* changed since: run again without --resume"):
        run(spec, manager=manager, earlier=found)
    known["sha256"] = "one"
    for change, said in (
        ({"versions": {"dlm-sway": "0.0"}}, "the version of sway or of a plugin changed"),
        ({"sections_digest": "sha256:other", "sections_parts": {}}, "the document's sections changed"),
        ({"sections_digest": "sha256:other"}, "which questions about the document its training never saw changed"),
    ):
        other = replace(found, provenance={**found.provenance, **change})
        with pytest.raises(TargetError, match=said):
            run(spec, manager=manager, earlier=other)
    changed = suite_file(ENTRIES.replace("runs: 3", "runs: 4"))
    with pytest.raises(TargetError, match="the suite changed"):
        run(changed, manager=manager, earlier=found)


def test_going_on_is_refused_when_nothing_shows_that_the_models_are_the_same(
    suite_file: Callable[..., Path], manager: PluginManager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = suite_file(ENTRIES)
    found = left(stopped(spec, manager, 2), tmp_path)
    monkeypatch.setattr(sys.modules["sway_tests_kit"].Learned, "identity", lambda self, digest: None)
    with pytest.raises(TargetError, match="does not say what decides its numbers"):
        run(spec, manager=manager, earlier=found)
    assert models_digest(None) == ""


def test_a_finished_run_leaves_nothing_to_go_on_with(
    suite_file: Callable[..., Path], manager: PluginManager, tmp_path: Path
) -> None:
    data = document.to_dict(run(suite_file(ENTRIES), manager=manager))
    assert earlier(tmp_path, data) is None


@pytest.mark.parametrize("change", [{"ci_95": [1]}, {"nulls": {"n": 3}}, {"verdict": "maybe"}])
def test_an_entry_that_cannot_be_read_is_named(
    change: dict[str, Any], suite_file: Callable[..., Path], manager: PluginManager, tmp_path: Path
) -> None:
    data = document.to_dict(stopped(suite_file(ENTRIES), manager, 3))
    data["probes"][2] |= change
    with pytest.raises(TargetError, match=r"r\.json: probes\[2\] cannot be read"):
        earlier(tmp_path / "r.json", data)
