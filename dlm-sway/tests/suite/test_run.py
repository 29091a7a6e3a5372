"""Running a suite on planted models: isolation, order, calibration, provenance."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dlm_sway import Backend, hookimpl
from dlm_sway._plugkit.errors import PluginUnavailable
from dlm_sway._plugkit.plugins import PluginManager
from dlm_sway.errors import AdapterMismatch
from dlm_sway.report.document import to_dict
from dlm_sway.spec.models import Models, ModelSpec, Suite
from dlm_sway.suite.run import run
from dlm_sway.testing import ClosedForm

Write = Callable[..., Path]


def test_a_suite_gives_each_entry_its_verdict_category_score_and_time(
    suite_file: Write, manager: PluginManager
) -> None:
    path = suite_file("- {name: a, kind: moved}\n- {name: b, kind: say, verdict: warn, weight: 3}\n")
    result = run(path, manager=manager)
    a, b = result.probes
    assert (a.name, a.kind, a.verdict, a.category, a.seeks, a.score) == (
        "a",
        "moved",
        "pass",
        "adherence",
        "change",
        1.0,
    )
    assert (b.verdict, b.category, b.score, b.weight) == ("warn", "attribution", 0.5, 3)
    assert a.duration_s >= 0
    assert result.wall_seconds >= a.duration_s
    assert result.conclusion == "changed"
    assert result.summary == (f"a: {a.message}",)


def test_a_probe_that_raises_is_an_error_and_the_suite_goes_on(suite_file: Write, manager: PluginManager) -> None:
    entries = """\
        - {name: bug, kind: raise}
        - {name: probe, kind: raise, error: probe}
        - {name: view, kind: raise, error: unsupported}
        - {name: fine, kind: moved}
        """
    bug, probe, view, fine = run(suite_file(entries), manager=manager).probes
    assert bug.verdict == "error"
    assert bug.message == "ZeroDivisionError: nothing to divide (in the probe 'raise' of kit)"
    assert "ZeroDivisionError" in bug.evidence["traceback"]
    assert (probe.verdict, probe.message) == ("error", "no items left")
    assert (view.verdict, view.message, view.evidence) == ("skip", "no such view", {"skip_reason": "unsupported"})
    assert (fine.verdict, bug.score) == ("pass", None)


def test_a_verdict_on_a_number_that_is_none_is_an_error(suite_file: Write, manager: PluginManager) -> None:
    (found,) = run(suite_file("- {name: a, kind: say, verdict: pass, raw: .nan}\n"), manager=manager).probes
    assert (found.verdict, found.raw, found.score) == ("error", None, None)
    assert found.message == "the probe measured nan, which is no number to judge (said pass)"


def test_strict_mode_shows_a_probes_own_exception(
    suite_file: Write, manager: PluginManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DLM_SWAY_STRICT", "1")
    with pytest.raises(ZeroDivisionError):
        run(suite_file("- {name: bug, kind: raise}\n"), manager=manager)


def test_disabled_entries_are_not_run_and_say_so(suite_file: Write, manager: PluginManager) -> None:
    (skipped, _) = run(
        suite_file("- {name: a, kind: raise, enabled: false}\n- {name: b, kind: say}\n"), manager=manager
    ).probes
    assert (skipped.verdict, skipped.message) == ("skip", "disabled in the suite")
    assert skipped.evidence == {"skip_reason": "disabled"}


def test_a_probe_the_backend_cannot_serve_is_skipped_with_the_reason(suite_file: Write, manager: PluginManager) -> None:
    (talk,) = run(suite_file("- {name: a, kind: talk}\n"), manager=manager).probes
    assert (talk.verdict, talk.message) == ("skip", "the backend cannot generate, which this probe needs")


@pytest.mark.parametrize("nulls_first", [True, False])
def test_the_null_adapter_entry_calibrates_wherever_it_stands(
    nulls_first: bool, suite_file: Write, manager: PluginManager
) -> None:
    rows = ["- {name: n, kind: null_adapter, runs: 5, seed_base: 7}", "- {name: a, kind: moved}"]
    result = run(suite_file("\n".join(rows if nulls_first else rows[::-1]) + "\n"), manager=manager)
    measured = {probe.name: probe for probe in result.probes}["a"]
    assert len(measured.evidence["nulls"]) == 5
    assert len(set(measured.evidence["nulls"])) == 5
    assert measured.raw is not None
    assert measured.raw > max(measured.evidence["nulls"])


def test_without_an_enabled_null_adapter_entry_nothing_is_calibrated(suite_file: Write, manager: PluginManager) -> None:
    rows = "- {name: n, kind: null_adapter, runs: 5, enabled: false}\n- {name: a, kind: moved}\n"
    assert run(suite_file(rows), manager=manager).probes[1].evidence["nulls"] == []
    rows = "- {name: n, kind: null_adapter, runs: 5, calibrate_kinds: [say]}\n- {name: a, kind: moved}\n"
    assert run(suite_file(rows), manager=manager).probes[1].evidence["nulls"] == []


def test_the_same_suite_gives_the_same_numbers(suite_file: Write, manager: PluginManager) -> None:
    path = suite_file("- {name: n, kind: null_adapter, runs: 3}\n- {name: a, kind: moved}\n")
    first, second = (run(path, manager=manager) for _ in range(2))
    assert [(p.raw, p.evidence) for p in first.probes] == [(p.raw, p.evidence) for p in second.probes]


MASKED = {"started_at", "finished_at", "wall_seconds", "duration_s", "scoring_wall_s"}
"""What a report says about time; everything else follows from the suite."""


def masked(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: masked(one) for key, one in value.items() if key not in MASKED}
    return [masked(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("cache", [False, True])
def test_the_same_suite_and_seed_give_the_same_report_but_for_its_times(
    cache: bool, suite_file: Write, manager: PluginManager
) -> None:
    path = suite_file(
        "- {name: n, kind: null_adapter, runs: 3}\n- {name: i, kind: integrity}\n- {name: a, kind: moved}\n"
        "- {name: b, kind: raise}\n- {name: c, kind: say, enabled: false}\n"
    )
    first, second = (json.loads(json.dumps(to_dict(run(path, manager=manager, cache=cache)))) for _ in range(2))
    assert masked(first) == masked(second)
    assert first != second


def test_models_that_cannot_be_tested_end_the_run_with_their_own_error(
    suite_file: Write, manager: PluginManager
) -> None:
    with pytest.raises(AdapterMismatch, match="12 of 12 keys match no module"):
        run(suite_file("- {name: a, kind: moved}\n", kind="missing"), manager=manager)
    with pytest.raises(AdapterMismatch, match="keys match no module"):
        run(suite_file("- {name: a, kind: raise, error: mismatch}\n"), manager=manager)


def test_a_backend_whose_modules_are_absent_names_what_to_install(suite_file: Write, manager: PluginManager) -> None:
    with pytest.raises(PluginUnavailable, match=r"no_such_module_here.*pip install 'dlm-sway\[absent\]'"):
        run(suite_file("- {name: a, kind: moved}\n", kind="absent"), manager=manager)


class Counted(ClosedForm):
    """Remembers whether it was closed."""

    closed = 0

    def close(self) -> None:
        self.closed += 1


def test_a_backend_that_was_handed_in_is_used_and_left_open(suite_file: Write, manager: PluginManager) -> None:
    backend: Backend = (counted := Counted())
    result = run(suite_file("- {name: a, kind: moved}\n- {name: b, kind: talk}\n"), backend=backend, manager=manager)
    assert [probe.verdict for probe in result.probes] == ["fail", "pass"]
    assert counted.closed == 0


def test_weights_and_threshold_of_the_caller_win_over_the_suites(suite_file: Write, manager: PluginManager) -> None:
    more = "defaults: {score_weights: {adherence: 0.5, ablation: 0}}\n"
    path = suite_file("- {name: a, kind: moved}\n", more=more)
    result = run(path, manager=manager, weights={"adherence": 0.9}, threshold=0.1)
    assert (result.score["weights"]["adherence"], result.score["weights"]["ablation"]) == (0.9, 0)
    assert result.provenance["threshold"] == 0.1
    assert result.provenance["suite"]["defaults"]["score_weights"] == {"adherence": 0.9, "ablation": 0.0}


def test_the_provenance_names_what_could_change_a_number(
    suite_file: Write, manager: PluginManager, tmp_path: Path
) -> None:
    path = suite_file("- {name: a, kind: moved}\n", more="defaults: {seed: 3, top_k: 9}\n")
    facts: dict[str, Any] = run(path, manager=manager, facts={"command": "sway run x"}).provenance
    assert facts["spec_path"] == str(path)
    assert facts["adapter_id"] == str(tmp_path / "adapter")
    assert facts["base_model_id"] == "table"
    assert (facts["seed"], facts["command"], facts["python"]) == (3, "sway run x", platform.python_version())
    assert facts["backend"] == {"backend": "closed_form", "vocabulary": 5, "size": 8.0}
    assert facts["backend_stats"]["cache_misses"] == 8 + 1  # one before the first question, to see that it answers
    assert facts["versions"]["dlm-sway"] == facts["sway_version"]
    assert facts["determinism"] == {"class": "best_effort", "notes": [], "seed": 3}
    assert "defaults.top_k changes nothing" in facts["notes"][0]
    assert facts["suite"]["suite"][0] == {"name": "a", "kind": "moved"}


def test_observers_hear_of_everything_and_cannot_stop_it(suite_file: Write, manager: PluginManager) -> None:
    heard: list[str] = []

    class Observer:
        @hookimpl
        def dlm_sway_suite_started(self, name: str, probes: int) -> None:
            heard.append(f"started {probes}")

        @hookimpl
        def dlm_sway_probe_finished(self, result: Any) -> None:
            heard.append(result.name)
            raise RuntimeError("observer broke")

        @hookimpl
        def dlm_sway_suite_finished(self, result: Any) -> None:
            heard.append(result.conclusion)

    manager.register(Observer(), name="observer")
    said: list[str] = []
    run(suite_file("- {name: a, kind: moved}\n- {name: b, kind: say}\n"), manager=manager, say=said.append)
    assert heard == ["started 2", "a", "learned"]
    assert said[0] == "[1/2] a (moved)"
    assert "'observer' failed in dlm_sway_probe_finished and is muted" in said[1]


def test_a_suite_made_in_code_runs_like_a_file(manager: PluginManager) -> None:
    spec = ModelSpec(kind="untouched", base="table")
    suite = Suite(models=Models(base=spec, ft=spec), suite=({"name": "a", "kind": "moved"},))
    result = run(suite, manager=manager)
    assert result.probes[0].verdict == "fail"
    assert (result.conclusion, result.provenance["adapter_id"]) == ("no change", "table")
