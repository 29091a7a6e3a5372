"""From verdicts to a score, a conclusion and an exit code."""

from __future__ import annotations

from typing import Any

import pytest

from dlm_sway.result import ProbeResult
from dlm_sway.spec.models import DEFAULT_WEIGHTS, merged_weights
from dlm_sway.suite.conclude import conclude, deciding
from dlm_sway.suite.gate import decide
from dlm_sway.suite.score import band, composite, score_of


def result(verdict: Any, category: str = "adherence", seeks: Any = "change", **more: Any) -> ProbeResult:
    more = {"name": f"{category}-{verdict}", "kind": "some", "message": "m", **more}
    return ProbeResult(verdict=verdict, category=category, seeks=seeks, score=score_of(verdict), **more)


def integrity(verdict: Any, zero: int = 0, fails: int = 1) -> ProbeResult:
    findings = [{"level": "fail", "text": "t"}] * (fails if verdict == "fail" else 0)
    evidence = {"adapter": {"modules": 3, "zero_updates": zero}, "findings": findings}
    return result(verdict, "baseline", "harm", kind="integrity", evidence=evidence)


LEARNED = result("pass", "attribution")
CHANGED = result("pass")
NOT_LEARNED = result("fail", "attribution")
UNCHANGED = result("fail")
UNSURE = result("inconclusive")
HARMLESS = result("pass", seeks="harm")
HARMED = result("fail", seeks="harm")
NULLS = result("pass", "baseline", "neither", kind="null_adapter")


@pytest.mark.parametrize(
    ("results", "conclusion"),
    [
        ([NULLS, integrity("pass"), CHANGED, LEARNED, HARMLESS], "learned"),
        ([NULLS, integrity("pass"), CHANGED, NOT_LEARNED, HARMLESS], "changed"),
        ([CHANGED, result("inconclusive", "attribution")], "changed"),
        ([LEARNED, result("fail", "attribution")], "changed"),
        ([CHANGED, LEARNED, HARMED], "harmed"),
        ([integrity("fail"), CHANGED, LEARNED, HARMED], "broken"),
        ([LEARNED, result("fail", seeks="harm", evidence={"asked_model": False})], "learned"),
        ([integrity("fail", zero=3), UNCHANGED, NOT_LEARNED, HARMLESS], "no change"),
        ([integrity("fail", zero=3), result("inconclusive")], "no change"),
        ([integrity("fail", zero=3, fails=2), UNCHANGED], "broken"),
        ([integrity("fail", zero=2), UNCHANGED], "broken"),
        ([UNCHANGED, NOT_LEARNED], "no change"),
        ([result("fail", raw=1e-12, noise_floor=1e-11), NOT_LEARNED], "no change"),
        ([result("fail", raw=0.02, noise_floor=1e-11), NOT_LEARNED], "not learned"),
        ([UNCHANGED, result("fail", "attribution", raw=-0.4, noise_floor=1e-11)], "not learned"),
        ([UNCHANGED, result("inconclusive", "attribution")], "could not tell"),
        ([UNCHANGED, result("error", "attribution")], "could not tell"),
        ([UNSURE, HARMLESS], "could not tell"),
        ([NULLS, integrity("pass"), HARMLESS], "intact"),
        ([integrity("skip"), HARMLESS], "intact"),
        ([integrity("pass")], "could not tell"),
        ([integrity("pass"), result("pass", seeks="harm", evidence={"asked_model": False})], "could not tell"),
        ([HARMLESS, result("inconclusive", seeks="harm")], "could not tell"),
        ([HARMLESS, result("skip", seeks="harm")], "could not tell"),
        ([HARMLESS, result("skip")], "could not tell"),
        ([], "could not tell"),
    ],
)
def test_the_conclusion_is_the_worst_that_is_established_else_the_strongest_claim_that_holds(
    results: list[ProbeResult], conclusion: str
) -> None:
    assert conclude(results) == conclusion


def test_a_conclusion_rests_on_the_probes_that_made_it() -> None:
    results = [NULLS, CHANGED, LEARNED, HARMED, UNSURE, integrity("fail")]
    assert deciding("learned", results) == [LEARNED]
    assert deciding("changed", results) == [CHANGED, LEARNED]
    assert deciding("harmed", results) == [HARMED]
    assert deciding("broken", results) == [results[-1]]
    assert deciding("could not tell", results) == [UNSURE]
    assert deciding("intact", [NULLS, HARMLESS]) == [HARMLESS]


def gate(results: list[ProbeResult], threshold: float = 0.6) -> tuple[str, int]:
    return decide(results, composite(results, DEFAULT_WEIGHTS), threshold)[:2]


@pytest.mark.parametrize(
    ("results", "outcome"),
    [
        ([CHANGED, LEARNED], ("pass", 0)),
        ([CHANGED, HARMED], ("fail", 1)),
        ([CHANGED] * 9 + [result("error", "calibration")], ("fail", 1)),
        ([CHANGED, UNSURE], ("could not tell", 4)),
        ([CHANGED, result("skip", evidence={"skip_reason": "unsupported"})], ("could not tell", 4)),
        ([CHANGED, result("skip")], ("could not tell", 4)),
        ([CHANGED, result("skip", evidence={"skip_reason": "disabled"})], ("pass", 0)),
        ([result("skip", evidence={"skip_reason": "disabled"})], ("could not tell", 4)),
        ([UNSURE, HARMED], ("fail", 1)),
        ([result("warn")], ("fail", 1)),
        ([integrity("pass")], ("pass", 0)),
    ],
)
def test_the_gate_fails_closed(results: list[ProbeResult], outcome: tuple[str, int]) -> None:
    assert gate(results) == outcome


def test_the_gate_says_why() -> None:
    results = [result("warn"), result("error", name="x", message="no items")]
    decision = decide(results, composite(results, DEFAULT_WEIGHTS), 0.6)
    assert decision.reasons == ("x: error: no items", "overall score 0.50 is below the threshold 0.60")
    assert gate([result("warn")], threshold=0.5) == ("pass", 0)


def test_a_score_is_the_weighted_mean_over_what_was_decided() -> None:
    results = [result("pass", weight=3.0), result("fail", weight=1.0), result("warn", "attribution"), UNSURE, NULLS]
    score = composite(results, merged_weights({"adherence": 0.4}))
    assert score["components"] == {
        "adherence": 0.75,
        "attribution": 0.5,
        "calibration": None,
        "ablation": None,
        "baseline": 1.0,
    }
    assert score["overall"] == pytest.approx((0.4 * 0.75 + 0.35 * 0.5) / 0.75)
    assert score["band"] == "healthy"
    assert score["findings"] == ["adherence-fail (fail): m", "adherence-inconclusive (inconclusive): m"]


def test_nothing_decided_is_no_score_rather_than_zero() -> None:
    score = composite([UNSURE, NULLS], DEFAULT_WEIGHTS)
    assert (score["overall"], score["band"]) == (None, "")


def test_bands_end_where_they_say() -> None:
    assert [band(v) for v in (0.0, 0.29, 0.3, 0.59, 0.6, 1.0)] == ["noise"] * 2 + ["partial"] * 2 + ["healthy"] * 2
