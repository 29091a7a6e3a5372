"""The result JSON: strict, described by its schema, and readable years later."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from dlm_sway._plugkit.plugins import PluginManager
from dlm_sway.errors import TargetError
from dlm_sway.report import document
from dlm_sway.report.json import render
from dlm_sway.result import NullSummary, SuiteResult
from dlm_sway.suite.run import run

CONTRACTS = Path(__file__).parents[3] / "contracts"
GOLDEN = CONTRACTS / "golden" / "report"
SCHEMA = json.loads((CONTRACTS / "sway-report.schema.json").read_text())


def validate(data: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(data)


@pytest.fixture
def result(suite_file: Callable[..., Path], manager: PluginManager) -> SuiteResult:
    entries = """\
        - {name: n, kind: null_adapter, runs: 3}
        - {name: i, kind: integrity}
        - {name: a, kind: moved}
        - {name: b, kind: say, verdict: inconclusive}
        - {name: c, kind: raise}
        - {name: d, kind: talk}
        """
    return run(suite_file(entries), manager=manager, facts={"command": "sway run sway.yaml"})


def test_a_result_matches_its_schema_and_survives_a_round_trip(result: SuiteResult, tmp_path: Path) -> None:
    data = document.to_dict(result)
    validate(data)
    text = render(data)
    (tmp_path / "r.json").write_text(text)
    assert document.read(tmp_path / "r.json") == data
    assert text == json.dumps(json.loads(text), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def test_the_gate_and_provenance_are_part_of_the_result(result: SuiteResult) -> None:
    data = document.to_dict(result)
    assert (data["gate"]["outcome"], data["gate"]["exit_code"], data["gate"]["threshold"]) == ("fail", 1, 0.6)
    assert data["gate"]["reasons"][0].startswith("c: error: ZeroDivisionError")
    assert data["provenance"]["command"] == "sway run sway.yaml"
    assert (data["base_model_id"], data["determinism"]["seed"]) == ("table", 0)
    assert "base_model_id" not in data["provenance"]


def test_numbers_that_json_has_no_word_for_become_null(result: SuiteResult) -> None:
    odd = {"nan": math.nan, "deep": [math.inf, (1, np.float64("nan"))], "count": np.int64(3), "array": np.arange(2)}
    odd |= {"path": Path("a"), "set": {2, 1}, 3: True, "summary": NullSummary(1, 0.0, math.nan, 0.0, 0.5)}
    probe = replace(result.probes[2], raw=math.nan, ci_95=(0.0, math.inf), evidence=odd)
    data = document.to_dict(replace(result, probes=(probe,)))
    json.loads(render(data), parse_constant=lambda word: pytest.fail(f"{word} in the JSON"))
    (found,) = data["probes"]
    assert (found["raw"], found["ci_95"]) == (None, None)
    validate(data)
    assert found["evidence"] == {
        "weight": 1.0,
        "nan": None,
        "deep": [None, [1, None]],
        "count": 3,
        "array": [0, 1],
        "path": "a",
        "set": [1, 2],
        "3": True,
        "summary": {"n": 1, "mean": 0.0, "sd": None, "largest": 0.0, "resolution": 0.5},
    }


def test_null_statistics_are_kept_by_entry(result: SuiteResult) -> None:
    nulls = NullSummary(n=3, mean=0.2, sd=0.1, largest=0.3, resolution=0.25)
    data = document.to_dict(replace(result, probes=(replace(result.probes[2], nulls=nulls),)))
    validate(data)
    assert data["null_stats"] == {"a": {"mean": 0.2, "std": 0.1, "n": 3.0, "degenerate": 0.0}}


def test_the_golden_result_matches_the_schema_and_has_every_key_we_write(result: SuiteResult) -> None:
    golden = json.loads((GOLDEN / "learned.json").read_text())
    validate(golden)
    data = document.to_dict(result)
    assert set(golden) == set(data)
    assert set(golden["probes"][0]) == set(data["probes"][0])
    assert document.completed(golden, "golden") == golden


def test_a_result_of_an_earlier_version_is_read_with_its_gaps_filled() -> None:
    data = document.read(GOLDEN / "prior.json")
    moved, topics, leak = data["probes"]
    assert (moved["z_score"], moved["p_value"], moved["seeks"]) == (58.5, None, None)
    assert (topics["kind"], leak["evidence"], leak["duration_s"]) == ("cluster_kl", {}, 0.0)
    assert data["score"]["weights"]["attribution"] == 0.35
    assert (data["conclusion"], data["finished_at"]) == ("", document.EPOCH)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("{", "not JSON"),
        ("[]", "it has no list `probes`"),
        ('{"probes": [3]}', r"probes\[0\] is not a mapping"),
        ('{"probes": [{"name": "a", "kind": "b"}]}', r"probes\[0\] has no verdict"),
        ('{"probes": [], "schema_version": 2}', "schema_version 2 is not 1"),
    ],
)
def test_a_file_that_is_no_result_is_refused(content: str, what: str, tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_text(content)
    with pytest.raises(TargetError, match=what):
        document.read(path)
    with pytest.raises(TargetError, match="check the path"):
        document.read(tmp_path / "none.json")


MASKED = ("started_at", "finished_at", "wall_seconds", "duration_s", "backend_stats")


def masked(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: None if key in MASKED else masked(value) for key, value in data.items()}
    return [masked(value) for value in data] if isinstance(data, list) else data


def test_the_same_suite_and_seed_give_the_same_json_but_for_clocks(
    suite_file: Callable[..., Path], manager: PluginManager
) -> None:
    spec = suite_file(
        "- {name: n, kind: null_adapter, runs: 5}\n- {name: a, kind: moved}\n- {name: i, kind: integrity}\n"
    )
    one, two = (masked(document.to_dict(run(spec, manager=manager))) for _ in range(2))
    assert render(one) == render(two)
