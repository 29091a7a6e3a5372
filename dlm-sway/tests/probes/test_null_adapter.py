from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest
from pydantic import ValidationError

from dlm_sway.errors import NotSupported
from dlm_sway.probes.null_adapter import NullAdapter, NullAdapterSpec, NullPlan
from dlm_sway.scoring.types import View
from dlm_sway.testing import ClosedForm, ProbeContract, context


class TestNullAdapter(ProbeContract):
    name = "null_adapter"
    plugin_module = "dlm_sway.builtin"


def run(backend=None, alpha=0.05, **keys):
    probe = NullAdapter(NullAdapterSpec(name="nulls", kind="null_adapter", **keys))
    return probe.run(context(backend or ClosedForm(direction="random", size=9.0), alpha=alpha))


def test_it_says_how_many_there_are_and_what_p_they_can_show():
    result = run()
    assert result.verdict == "pass"
    assert result.message == "39 random adapters of the same size, smallest possible p 0.025 (sizes checked)"
    assert result.evidence["size"]["largest_relative_difference"] < 1e-9
    assert json.dumps(asdict(result), allow_nan=False)


@pytest.mark.parametrize(("runs", "alpha", "needed"), [(3, 0.05, 19), (39, 0.01, 99)])
def test_too_few_for_alpha_warns_and_names_the_number_needed(runs, alpha, needed):
    result = run(runs=runs, alpha=alpha)
    assert result.verdict == "warn"
    assert f"needs runs: {needed}" in result.message


def test_just_enough_for_alpha_passes():
    assert run(runs=19).verdict == "pass"


def test_nulls_of_another_size_fail_and_name_the_module():
    class Louder(ClosedForm):
        def inspect_null(self, seed):
            return self._inspection(1.01 * self._update)

    result = run(Louder(direction="random", size=9.0))
    assert result.verdict == "fail"
    assert "table: 1.0% off" in result.message


def test_a_backend_that_cannot_look_inside_a_null_leaves_the_size_unchecked_and_says_so():
    class Closed(ClosedForm):
        def inspect_null(self, seed):
            raise NotSupported("no window")

    result = run(Closed(direction="random", size=9.0))
    assert result.verdict == "pass"
    assert "sizes not checked: no window" in result.message


def test_keys_of_old_files_are_understood():
    result = run(init_scale=0.02, cache=False, rank_multipliers=[1.0])
    assert result.verdict == "pass"
    assert [note.split()[0] for note in result.evidence["notes"]] == ["init_scale", "cache"]


def test_a_suite_that_does_not_say_gets_as_many_as_its_tests_need_together():
    def plan(tests, alpha=0.05):
        return NullAdapterSpec(name="n", kind="null_adapter").plan(tests, alpha)

    assert [plan(tests).runs for tests in (1, 2, 3, 10)] == [39, 39, 59, 199]
    assert plan(10, alpha=0.001).runs == 999


def test_too_few_for_all_tests_of_a_suite_is_said():
    probe = NullAdapter(NullAdapterSpec(name="nulls", kind="null_adapter", runs=39))
    result = probe.run(replace(context(ClosedForm(direction="random", size=9.0)), tests=4))
    assert (result.verdict, result.evidence["runs_needed"]) == ("warn", 79)
    assert "too few for alpha 0.05 over 4 tests, which needs runs: 79" in result.message


def test_shuffled_layers_placebos_and_ranks_become_views(tmp_path):
    (tmp_path / "p").mkdir()
    spec = NullAdapterSpec(name="n", kind="null_adapter", null_kind="shuffled_layers", runs=2, rank_multipliers=[0.5])
    plan = spec.plan()
    assert plan.views == (View("shuffled", seed=1000), View("shuffled", seed=1001))
    assert plan.views_at(0.5)[0] == View("shuffled", seed=1000, rank=0.5)
    placebo = NullAdapterSpec(name="n", kind="null_adapter", null_kind="placebo", placebos=[tmp_path / "p"]).plan()
    assert placebo.views == (View("placebo", seed=0, adapter=str(tmp_path / "p")),)
    assert (placebo.runs, placebo.noun) == (1, "placebo adapters")


@pytest.mark.parametrize(
    "keys",
    [{"null_kind": "placebo"}, {"placebos": ["."]}, {"null_kind": "placebo", "placebos": ["."], "runs": 3}],
)
def test_placebos_need_their_folders_and_nothing_else(keys):
    with pytest.raises(ValidationError, match="placebo"):
        NullAdapterSpec(name="nulls", kind="null_adapter", **keys)


@pytest.mark.parametrize("keys", [{"runs": 0}, {"runs": 1000}, {"rank_multipliers": [-1.0]}, {"rank_multipliers": []}])
def test_what_makes_no_sense_is_refused(keys):
    with pytest.raises(ValidationError):
        NullAdapterSpec(name="nulls", kind="null_adapter", **keys)


def test_the_plan_names_its_views_and_the_kinds_it_covers():
    plan = NullAdapterSpec(name="n", kind="null_adapter", runs=2, seed_base=7, calibrate_kinds=["delta_kl"]).plan()
    assert plan.views == (View("null", seed=7), View("null", seed=8))
    assert plan.covers("delta_kl")
    assert not plan.covers("answer_gain")
    assert NullPlan().covers("anything")
    assert NullPlan().runs == 39
