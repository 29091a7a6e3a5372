"""Saved results beside each other: what is called worse, and what is not."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from dlm_sway._plugkit.plugins import PluginManager
from dlm_sway.cli.main import main
from dlm_sway.errors import TargetError
from dlm_sway.history import compare_text
from dlm_sway.history.change import moved_p, paired, unpaired
from dlm_sway.history.compare import Compared, Run, compare
from dlm_sway.report.document import completed, to_dict
from dlm_sway.suite.run import run
from dlm_sway.testing import ClosedForm

GOLDEN = Path(__file__).parents[3] / "contracts" / "golden" / "report"


def entry(name: str, values: list[float] | None, **more: Any) -> dict[str, Any]:
    """An entry that asked the same eight questions as every other of its name."""
    numbers: dict[str, Any] = {"seeks": "change", "verdict": "pass", "kind": "k", "name": name}
    if values is not None:
        numbers["raw"] = sum(values) / len(values)
        numbers["evidence"] = {"items": {"asked": f"sha256:{name}", "values": values, "groups": []}}
    return {**numbers, **more}


def result(*probes: dict[str, Any], **more: Any) -> dict[str, Any]:
    return completed({"schema_version": 1, "probes": list(probes), **more}, "test")


def pair(before: dict[str, Any], after: dict[str, Any], **options: Any) -> Compared:
    return compare([Run("a", result(before)), Run("b", result(after))], **options)


BEFORE = [0.5, 0.9, 0.2, 0.7, 0.4, 0.8, 0.6, 0.3]
"""Items that differ more from each other than one run from the next."""
LESS = [one - 0.05 - 0.002 * at for at, one in enumerate(BEFORE)]


def test_a_small_loss_is_shown_on_the_same_items_where_two_intervals_could_not_show_it() -> None:
    on_items = pair(entry("x", BEFORE), entry("x", LESS)).rows[0]
    assert (on_items.outcome, on_items.change is not None and on_items.change.paired) == ("worse", True)
    apart = pair(entry("x", None, raw=0.55, ci_95=[0.35, 0.75]), entry("x", None, raw=0.49, ci_95=[0.29, 0.69])).rows[0]
    assert (apart.outcome, apart.change is not None and apart.change.paired) == ("not told apart", False)


def test_a_loss_counts_only_beyond_the_margin_and_the_interval_says_the_same() -> None:
    assert pair(entry("x", BEFORE), entry("x", LESS), margin=0.05).exit_code == 1
    within = pair(entry("x", BEFORE), entry("x", LESS), margin=0.2)
    assert (within.exit_code, within.rows[0].outcome) == (0, "not told apart")
    bounds = paired(BEFORE, LESS).bounds
    assert bounds is not None
    for margin in (-bounds[1] * 0.99, -bounds[1] * 1.01):
        assert (moved_p(paired(BEFORE, LESS), "lower", margin) <= 0.05) == (bounds[1] < -margin)


def test_the_interval_made_of_two_agrees_with_its_p_value() -> None:
    change = unpaired(1.0, 0.5, (0.9, 1.2), (0.3, 0.6))
    assert change.bounds is not None
    for margin in (-change.bounds[1] * 0.99, -change.bounds[1] * 1.01):
        assert (moved_p(change, "lower", margin) <= 0.05) == (change.bounds[1] < -margin)
    assert moved_p(unpaired(1.0, 0.5, None, (0.3, 0.6)), "lower") == 1.0


@pytest.mark.parametrize(
    ("more", "outcome"),
    [
        ({"seeks": "change"}, "worse"),
        ({"seeks": "harm", "evidence": {"worse": "lower"}}, "worse"),
        ({"seeks": "harm", "evidence": {"worse": "higher"}}, "better"),
        ({"seeks": "harm", "evidence": {"margin": 0.3}}, "better"),
        ({"seeks": "harm", "evidence": {"margin": -0.3}}, "worse"),
        ({"seeks": "harm", "evidence": {}}, "undirected"),
        ({"seeks": "neither"}, "undirected"),
        ({"seeks": None}, "undirected"),
    ],
)
def test_which_way_is_worse_depends_on_what_the_entry_looks_for(more: dict[str, Any], outcome: str) -> None:
    after = entry("x", LESS)
    after["evidence"] |= more.pop("evidence", {})
    assert pair(entry("x", BEFORE), {**after, **more}).rows[0].outcome == outcome


def test_many_entries_that_did_not_change_rarely_raise_an_alarm_together() -> None:
    alarms = 0
    for seed in range(60):
        rng = random.Random(f"{seed}\nnoise")
        befores = {f"p{n}": [rng.gauss(1, 0.3) for _ in range(8)] for n in range(20)}
        afters = {name: [one + rng.gauss(0, 0.1) for one in values] for name, values in befores.items()}
        runs = [Run(str(n), result(*(entry(*x) for x in side.items()))) for n, side in enumerate((befores, afters))]
        alarms += bool(compare(runs).having("worse"))
    assert alarms <= 6  # 20 entries at 2.5% a side would alarm in 24 of 60


def test_other_questions_are_never_paired() -> None:
    after = entry("x", LESS)
    after["evidence"]["items"]["asked"] = "sha256:other"
    assert pair(entry("x", BEFORE), after).rows[0].why == "no interval in both runs"
    assert pair(entry("x", BEFORE), entry("x", LESS, kind="other")).rows[0].outcome == "not compared"


def test_a_number_that_is_not_the_mean_of_its_items_is_not_compared_by_them() -> None:
    assert pair(entry("x", BEFORE), entry("x", LESS, raw=0.9)).rows[0].why == "no interval in both runs"


def test_three_items_are_too_few_to_call_anything_worse() -> None:
    row = pair(entry("x", [1.0, 1.1, 1.2]), entry("x", [0.1, 0.2, 0.31])).rows[0]
    assert (row.outcome, row.why) == ("not compared", "3 independent items are too few to tell")


@pytest.mark.parametrize("after", [entry("x", None, verdict="error"), entry("y", BEFORE)])
def test_a_verdict_that_was_lost_is_could_not_tell(after: dict[str, Any]) -> None:
    found = pair(entry("x", BEFORE), after)
    assert (found.exit_code, found.having("lost")[0].name) == (4, "x")


def test_what_its_author_switched_off_is_not_lost() -> None:
    off = entry("x", None, verdict="skip", evidence={"skip_reason": "disabled"})
    assert pair(entry("x", BEFORE), off).exit_code == 0


def test_a_check_without_a_number_is_worse_when_it_fails() -> None:
    assert pair(entry("x", None), entry("x", None, verdict="fail")).exit_code == 1


def test_two_real_runs_are_paired_on_their_items_and_say_which_entry_lost(
    suite_file: Callable[..., Path], manager: PluginManager
) -> None:
    from dlm_sway.spec.load import load

    loaded = load(suite_file("- {name: a, kind: moved}\n- {name: b, kind: say, verdict: pass}\n"), manager)
    taught = tuple(loaded.probes[0].probe.measure.__globals__["ITEMS"])
    runs = []
    for name, size in (("old", 8.0), ("new", 7.0)):
        found = run(loaded, manager=manager, backend=ClosedForm(taught=taught, size=size), cache=False)
        assert found.probes[0].raw is not None
        runs.append(Run(name, completed(json.loads(json.dumps(to_dict(found))), name)))
    found = compare(runs, seeks={"moved": "change"})
    moved = next(row for row in found.rows if row.name == "a")
    assert moved.change is not None
    assert (moved.outcome, moved.change.paired, moved.change.n) == ("worse", True, 8)


def test_saved_results_of_the_prior_version_compare_and_unknown_kinds_are_kept() -> None:
    prior = json.loads((GOLDEN / "prior.json").read_text())
    later = json.loads((GOLDEN / "prior.json").read_text())
    later["probes"][0].update(raw=0.02, ci_95=[0.01, 0.03], verdict="fail", score=0.1)
    later["probes"][1]["kind"] = prior["probes"][1]["kind"] = "acme/unheard"
    runs = [Run("a", completed(prior, "a")), Run("b", completed(later, "b"))]
    found = compare(runs, seeks={"delta_kl": "change"})
    assert [(row.name, row.kind, row.outcome) for row in found.rows] == [
        ("leak", "leakage", "not compared"),
        ("moved", "delta_kl", "worse"),
        ("topics", "acme/unheard", "not compared"),
    ]
    data = compare_text.to_json(found)
    assert data["deltas"]["moved"] == [pytest.approx(-0.89)]
    assert data["latest_regressions"] == [{"probe": "moved", "delta": pytest.approx(-0.108)}]
    text = compare_text.markdown(found)
    assert all(head in text for head in ("# sway compare — 2 runs", "## Runs", "## Scores", "| **composite** |"))
    assert "<script>" not in text


def test_duplicate_names_of_earlier_versions_stay_two_entries() -> None:
    twice = result(entry("x", BEFORE), entry("x", LESS))
    assert [row.name for row in compare([Run("a", twice), Run("b", twice)]).rows] == ["x", "x (2)"]


def test_the_newest_is_held_against_the_previous_or_the_first() -> None:
    runs = [Run(name, result(entry("x", values))) for name, values in (("a", BEFORE), ("b", LESS), ("c", LESS))]
    assert (compare(runs).exit_code, compare(runs, against="first").exit_code) == (0, 1)
    with pytest.raises(TargetError, match="name two or more"):
        compare(runs[:1])


def test_what_differs_beside_the_adapter_is_said() -> None:
    runs = [Run(name, result(base_model_id=name, sway_version="1")) for name in ("a", "b")]
    assert compare(runs).notes == ("the base model differs: a and b",)
    for entries, notes in ((["x"], ()), (["y"], ("the list of entries differs",))):
        suites = [{"suite": ["x"], "models": {"ft": "v1"}}, {"suite": entries, "models": {"ft": "v2"}}]
        told = [Run(str(n), result(provenance={"suite": suite})) for n, suite in enumerate(suites)]
        assert compare(told).notes == notes


def test_the_command_ends_with_1_only_where_it_was_asked_to(tmp_path: Path) -> None:
    for name, values in (("a", BEFORE), ("b", LESS)):
        (tmp_path / f"{name}.json").write_text(json.dumps({"probes": [entry("x", values)]}))
    paths = [str(tmp_path / "a.json"), str(tmp_path / "b.json")]
    done = CliRunner().invoke(main, ["compare", *paths])
    assert (done.exit_code, "WORSE  x (k)" in done.output) == (0, True), done.output
    assert max(map(len, done.output.splitlines())) <= 80
    assert CliRunner().invoke(main, ["compare", *paths, "--fail-on-regression", "0.01"]).exit_code == 1
    assert CliRunner().invoke(main, ["compare", *paths, "--fail-on-regression", "0.5"]).exit_code == 0
    assert CliRunner().invoke(main, ["compare", paths[0]]).exit_code == 2
    out = tmp_path / "c.json"
    assert CliRunner().invoke(main, ["compare", *paths, "--format", "json", "-o", str(out)]).exit_code == 0
    assert json.loads(out.read_text())["changes"][0]["outcome"] == "worse"
