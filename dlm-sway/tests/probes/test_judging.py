"""One rule for effects that were meant, one for harm."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from dlm_sway import Measurement, Probe
from dlm_sway.probes.base import ProbeSpec
from dlm_sway.probes.judging import (
    Condition,
    Estimate,
    Words,
    by_test,
    intended,
    old_z,
    unharmed,
    unharmed_rate,
)
from dlm_sway.result import ProbeResult
from dlm_sway.stats.paired import paired_t
from dlm_sway.suite.calibrate import Nulls, rank
from dlm_sway.testing import ClosedForm, context

CTX = context(ClosedForm())
VALUES = [0.9, 1.1, 1.3, 0.8, 1.0]


class Some(Probe[ProbeSpec]):
    kind = "some"
    spec_type = ProbeSpec

    def judge(self, measured: Any, nulls: Any, ctx: Any) -> ProbeResult:
        raise AssertionError("not used")


PROBE = Some(ProbeSpec(name="s", kind="some"))


def nulls(*means: float) -> Nulls:
    return Nulls(Measurement((mean,)) for mean in means)


def effect(values: list[float] = VALUES, chance: Nulls | None = None, **more: Any) -> ProbeResult:
    more = {"threshold": 0.1, "what": "gain", "groups": (), **more}
    measured = Measurement(tuple(values), tuple(more.pop("groups")))
    ranking = rank(measured, nulls(*[0.0] * 39) if chance is None else chance, CTX)
    return intended(PROBE, Estimate.of_mean(values, measured.groups), ranking, **more)


def test_an_effect_passes_with_all_its_numbers() -> None:
    found = effect(floor=0.001)
    assert (found.verdict, found.seeks, found.p_value, found.n_items) == ("pass", "change", 0.025, 5)
    assert found.message.startswith(
        "gain 1.02 nats over 5 items (95% CI 0.78..1.3), noise floor 0.001, p = 0.025 vs 39"
    )
    assert found.mde == pytest.approx((stats.t.ppf(0.975, 4) + stats.t.ppf(0.8, 4)) * stats.sem(VALUES))
    assert (found.evidence["threshold"], found.evidence["clusters"]) == (0.1, 5)


@pytest.mark.parametrize(
    ("more", "verdict", "why"),
    [
        ({"moved": False}, "fail", "no change"),
        ({"values": [-1.0, -1.1, -0.9, -1.2]}, "fail", "the effect is not the one that was meant"),
        ({"values": VALUES[:3]}, "inconclusive", "3 items are too few, at least 4"),
        ({"groups": "aabbc"}, "inconclusive", "3 independent groups of items are too few"),
        ({"threshold": 2.0}, "fail", "below the threshold of 2 nats"),
        ({"values": [3.0, -1.0, 2.0, -0.5]}, "inconclusive", "the interval reaches down to zero"),
        ({"floor": 0.9}, "inconclusive", "the interval reaches down to the noise"),
        ({"chance": nulls()}, "inconclusive", "not calibrated"),
        ({"chance": nulls(0.0, 0.0)}, "inconclusive", "too few random adapters"),
        ({"chance": nulls(*[2.0] * 39)}, "fail", "no more than random adapters of the same size"),
        ({"also": [Condition("inconclusive", "open"), Condition("fail", "own rule")]}, "fail", "own rule"),
        ({"also": [Condition("inconclusive", "open")]}, "inconclusive", "open"),
    ],
)
def test_every_condition_is_needed(more: dict[str, Any], verdict: str, why: str) -> None:
    found = effect(**more)
    assert (found.verdict, found.message.startswith(why)) == (verdict, True), found.message


def test_a_probes_own_test_can_rule_chance_out_but_not_in() -> None:
    estimate = Estimate.of_mean(VALUES)
    passed = intended(PROBE, estimate, by_test(paired_t(VALUES), "paired t", 0.05), threshold=0.1, what="gain")
    assert (passed.verdict, passed.nulls) == ("pass", None)
    assert "(paired t)" in passed.message
    open_ = intended(PROBE, estimate, by_test(0.2, "paired t", 0.05), threshold=0.1, what="gain")
    assert (open_.verdict, open_.message.split(":")[0]) == ("inconclusive", "chance is not ruled out")


def test_an_old_z_is_a_t_test_with_a_note() -> None:
    measured = Measurement((2.0,))
    three = old_z(3.0, measured, nulls(0.0, 0.1, 0.2))
    assert three is not None
    # 2.0 lies 19 standard deviations off, yet three nulls can show no more than p = 0.002: not the 0.00135 of 3 sigma.
    assert (three.outcome, three.evidence["level"]) == ("fail", pytest.approx(0.00135, abs=1e-5))
    assert "deprecated" in three.evidence["notes"][0]
    assert old_z(3.0, measured, nulls(*[i / 40 for i in range(39)])).outcome == "pass"  # type: ignore[union-attr]
    assert old_z(3.0, measured, nulls(0.0)).outcome == "inconclusive"  # type: ignore[union-attr]
    assert old_z(None, measured, nulls()) is None
    found = effect(z=three)
    assert (found.verdict, found.evidence["notes"]) == ("fail", three.evidence["notes"])


def test_other_ranks_are_shown_and_decide_nothing() -> None:
    chance = nulls(*[0.0] * 39)
    chance.by_rank = {4.0: [Measurement((9.0,))] * 39}
    found = effect(chance=chance)
    assert found.verdict == "pass"
    assert found.evidence["p_by_rank"] == {"rank_1.00": 0.025, "rank_4.00": 1.0}


@pytest.mark.parametrize(
    ("values", "worse", "verdict"),
    [
        ([0.0] * 5, "higher", "pass"),
        ([0.1, 0.12, 0.09, 0.11], "higher", "pass"),
        ([0.9, 1.1, 1.0, 1.2], "higher", "fail"),
        ([0.1, 0.9, 0.2, 0.6], "higher", "inconclusive"),
        ([0.1, 0.12, 0.09], "higher", "inconclusive"),
        ([-0.9, -1.1, -1.0, -1.2], "lower", "fail"),
        ([0.9, 1.1, 1.0, 1.2], "lower", "pass"),
        ([-0.1, -0.9, -0.2, -0.6], "lower", "inconclusive"),
    ],
)
def test_harm_must_be_shown_to_stay_within_the_margin(values: list[float], worse: Any, verdict: str) -> None:
    found = unharmed(PROBE, values, CTX, margin=0.5, what="drift", worse=worse)
    assert (found.verdict, found.seeks, found.p_value) == (verdict, "harm", None)
    assert "the margin of " in found.message
    assert found.evidence["margin"] == (0.5 if worse == "higher" else -0.5)


def test_an_old_z_on_a_guard_changes_nothing_but_is_noted() -> None:
    found = unharmed(PROBE, [0.0] * 5, CTX, margin=0.5, what="drift", worse="higher", z=3.0)
    assert found.verdict == "pass"
    assert "has no effect" in found.evidence["notes"][0]


@pytest.mark.parametrize(
    ("events", "n", "verdict"), [(0, 40, "pass"), (0, 10, "inconclusive"), (9, 20, "fail"), (0, 3, "inconclusive")]
)
def test_a_rate_must_be_shown_to_lie_below_its_limit(events: int, n: int, verdict: str) -> None:
    found = unharmed_rate(PROBE, events, n, CTX, limit=0.15, what="lost answers")
    assert found.verdict == verdict
    assert (found.n_items, found.raw) == (n, events / n)


@given(st.lists(st.floats(-3, 3), min_size=1, max_size=12), st.floats(0.01, 2))
def test_more_harm_is_never_judged_milder(values: list[float], more: float) -> None:
    order = ["pass", "inconclusive", "fail"]
    mild, grave = (
        unharmed(PROBE, [value + extra for value in values], CTX, margin=0.5, what="drift", worse="higher")
        for extra in (0.0, more)
    )
    assert order.index(grave.verdict) >= order.index(mild.verdict)


@given(st.lists(st.floats(-3, 3), min_size=4, max_size=12), st.floats(0.01, 2))
def test_a_higher_threshold_never_helps(values: list[float], more: float) -> None:
    order = {"pass": 2, "inconclusive": 1, "fail": 0}
    low, high = (effect(values, threshold=threshold) for threshold in (0.1, 0.1 + more))
    assert order[high.verdict] <= order[low.verdict]


def test_words_are_the_probes_own() -> None:
    found = effect(threshold=5.0, words=Words(small="not learned: "))
    assert found.message.startswith("not learned: below the threshold of 5 nats")


def test_the_number_of_tests_is_named_when_nulls_are_too_few() -> None:
    ranking = rank(Measurement((1.0,)), nulls(0.0, 0.0), replace(CTX, tests=3))
    assert "needs at least 59" in ranking.text
