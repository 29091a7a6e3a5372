"""Same suite, same models, same numbers; and every kind of difference is found."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from dlm_sway._plugkit.plugins import PluginManager
from dlm_sway.cli.main import main
from dlm_sway.history.golden import Rules, differences
from dlm_sway.report.document import to_dict
from dlm_sway.suite.run import run

GOLDEN = Path(__file__).parents[3] / "contracts" / "golden" / "report" / "learned.json"


def stored() -> Any:
    return json.loads(GOLDEN.read_text())


def reasons(actual: Any, expected: Any, **rules: Any) -> list[tuple[str, str]]:
    return [(one.path, one.reason.split(" by ")[0]) for one in differences(actual, expected, Rules(**rules))]


def test_two_runs_of_a_suite_differ_in_nothing_but_times(
    suite_file: Callable[..., Path], manager: PluginManager, tmp_path: Path
) -> None:
    entries = "- {name: a, kind: moved}\n- {name: n, kind: null_adapter, runs: 5}\n- {name: i, kind: integrity}\n"
    path = suite_file(entries)
    one, other = (to_dict(run(path, manager=manager, cache=False)) for _ in range(2))
    assert one["finished_at"] != other["finished_at"]
    assert differences(one, other, Rules(tolerances={}, otherwise=0.0)) == []
    seeded = to_dict(run(suite_file(entries, more="defaults: {seed: 7}\n"), manager=manager, cache=False))
    assert [one.path for one in differences(seeded, other) if one.path.endswith("seed")]


@pytest.mark.parametrize(
    ("change", "path", "reason"),
    [
        (lambda r: r["probes"][2].update(raw=r["probes"][2]["raw"] + 2e-4), "$.probes[2].raw", "differs"),
        (lambda r: r["probes"][2].update(raw="0.1"), "$.probes[2].raw", "type mismatch"),
        (lambda r: r["probes"][2].update(raw=None), "$.probes[2].raw", "type mismatch"),
        (lambda r: r["probes"][2].update(raw=True), "$.probes[2].raw", "type mismatch"),
        (lambda r: r["probes"].pop(), "$.probes", "list length"),
        (lambda r: r["probes"][0].pop("seeks"), "$.probes[0].seeks", "missing key"),
        (lambda r: r["probes"][0].update(more=1), "$.probes[0].more", "unexpected key"),
        (lambda r: r.update(conclusion="harmed"), "$.conclusion", "value mismatch"),
        (lambda r: r["probes"][2].update(message="something else"), "$.probes[2].message", "value mismatch"),
    ],
)
def test_every_kind_of_difference_has_its_place_and_reason(
    change: Callable[[Any], Any], path: str, reason: str
) -> None:
    actual = stored()
    change(actual)
    assert reasons(actual, stored()) == [(path, reason)]


def test_what_a_machine_or_a_clock_decides_is_not_looked_at() -> None:
    actual = stored()
    actual.update(started_at="x", wall_seconds=99.0, adapter_id="/elsewhere", sway_version="9", backend_stats={})
    actual["probes"][0]["duration_s"] = 3.0
    actual["probes"][2]["raw"] += 5e-5
    assert reasons(actual, stored()) == []


def test_tolerances_go_by_key_and_reach_everything_below_it() -> None:
    actual = copy.deepcopy(stored())
    actual["probes"][2]["raw"] += 5e-5
    actual["score"]["overall"] -= 5e-5
    strict = {"tolerances": {"score": 1e-6}, "otherwise": 1e-4}
    assert reasons(actual, stored(), **strict) == [("$.score.overall", "differs")]
    assert reasons(actual, stored(), masked=frozenset({"raw", "overall"}), otherwise=0.0, tolerances={}) == []


def test_a_rounded_number_in_a_sentence_may_flip_its_last_digit_and_a_count_may_not() -> None:
    def sentence(text: str) -> Any:
        return {"message": text}

    was = sentence("mean KL 0.113 nats over 12 items, p = 1.2e-05")
    assert reasons(sentence("mean KL 0.114 nats over 12 items, p = 1.3e-05"), was) == []
    assert reasons(sentence("mean KL 0.115 nats over 12 items, p = 1.2e-05"), was) != []
    assert reasons(sentence("mean KL 0.113 nats over 13 items, p = 1.2e-05"), was) != []
    assert reasons({"name": "0.113"}, {"name": "0.114"}) != []


def test_nan_is_nan_and_infinities_have_a_sign() -> None:
    nan, inf = math.nan, math.inf
    assert reasons([nan, inf, -inf, 1], [nan, inf, -inf, 1.0]) == []
    assert len(reasons([nan, inf, 1.0, 10**400], [1.0, -inf, nan, 1.0])) == 4


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_anything_is_the_same_as_itself(value: Any) -> None:
    assert differences(value, copy.deepcopy(value), Rules(frozenset(), {}, 0.0)) == []


def test_the_command_ends_with_1_on_a_difference_and_names_it(tmp_path: Path) -> None:
    def sway(*arguments: object) -> tuple[int, str]:
        done = CliRunner().invoke(main, ["golden", *map(str, arguments)])
        return done.exit_code, done.output

    actual = stored()
    actual["probes"][2]["raw"] = 0.2
    path = tmp_path / "r.json"
    path.write_text(json.dumps(actual))
    assert sway(GOLDEN, GOLDEN)[0] == 0
    code, said = sway(GOLDEN, path)
    assert (code, "$.probes[2].raw: differs by more than 0.0001 (actual=0.2, expected=0.11277" in said) == (1, True)
    assert sway(GOLDEN, path, "--tolerance", "raw=0.1")[0] == sway(GOLDEN, path, "--mask", "raw")[0] == 0
    assert sway(GOLDEN, path, "--tolerance", "0.1")[0] == 0
    assert sway(GOLDEN, tmp_path / "none")[0] == sway(GOLDEN, path, "--tolerance", "raw=x")[0] == 2
