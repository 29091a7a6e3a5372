"""Many tests in one suite; and that nothing which breaks or is skipped ever helps."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlm_sway.result import NullSummary, ProbeResult
from dlm_sway.spec.models import DEFAULT_WEIGHTS
from dlm_sway.suite.conclude import conclude
from dlm_sway.suite.gate import DISABLED, decide
from dlm_sway.suite.multiplicity import adjusted
from dlm_sway.suite.score import composite, score_of

ALPHA = 0.05


def nulls(n: int) -> NullSummary:
    return NullSummary(n, 0.0, 1.0, 2.0, 1 / (n + 1))


def one_of(p: float | None, verdict: Any = "pass", n: int | None = 39, **more: Any) -> ProbeResult:
    more = {"name": f"{verdict} {p}", "kind": "k", "message": "m", "seeks": "change", **more}
    return ProbeResult(verdict=verdict, p_value=p, nulls=None if n is None else nulls(n), **more)


def test_two_tests_at_the_resolution_of_39_still_pass_together() -> None:
    found = adjusted([one_of(0.025), one_of(0.025)], "holm", ALPHA)
    assert [(one.verdict, one.p_adjusted) for one in found] == [("pass", 0.05), ("pass", 0.05)]


def test_a_pass_that_does_not_survive_all_tests_of_the_suite_falls() -> None:
    results = [one_of(0.01, n=199), one_of(0.03, n=199), one_of(0.04, "fail", n=199)]
    one, two, three = adjusted(results, "holm", ALPHA)
    assert (one.verdict, one.p_adjusted) == ("pass", 0.03)
    assert (two.verdict, two.p_adjusted) == ("fail", 0.06)
    assert two.message.startswith("no more than random adapters of the same size, given all tests of the suite (adj")
    assert (three.verdict, three.message) == ("fail", "m")
    assert [one.verdict for one in adjusted(results, "none", ALPHA)] == ["pass", "pass", "fail"]
    assert [one.verdict for one in adjusted(results, "bh", ALPHA)] == ["pass", "pass", "fail"]


def test_too_few_nulls_for_all_tests_leave_it_open_and_name_the_number() -> None:
    found = adjusted([one_of(0.025)] * 3 + [one_of(0.5, "fail")], "holm", ALPHA)
    assert [one.verdict for one in found] == ["inconclusive"] * 3 + ["fail"]
    assert "runs: 79 are needed" in found[0].message


def test_a_test_of_its_own_that_falls_is_open() -> None:
    found = adjusted([one_of(0.04, n=None), one_of(0.04, n=None)], "holm", ALPHA)
    assert [one.verdict for one in found] == ["inconclusive", "inconclusive"]


def test_a_test_that_could_not_be_made_counts() -> None:
    alone = adjusted([one_of(0.03, n=99)], "holm", ALPHA)
    beside = adjusted([one_of(0.03, n=99), one_of(None, "error")], "holm", ALPHA)
    assert (alone[0].verdict, beside[0].verdict, beside[0].p_adjusted) == ("pass", "fail", 0.06)


def test_guards_disabled_entries_and_plain_checks_are_not_in_the_family() -> None:
    others = [
        one_of(None, "skip", evidence={"skip_reason": DISABLED}),
        one_of(0.9, "pass", seeks="harm"),
        one_of(None, "pass"),
        one_of(None, "error", seeks="neither"),
    ]
    assert adjusted([one_of(0.025), *others], "holm", ALPHA)[0].p_adjusted == 0.025


VERDICTS = st.sampled_from(["pass", "fail", "warn", "inconclusive", "skip", "error"])


@st.composite
def results(draw: st.DrawFn) -> ProbeResult:
    verdict = draw(VERDICTS)
    p = draw(st.none() | st.sampled_from([1 / 200, 0.01, 0.025, 0.04, 0.2, 1.0])) if verdict not in _UNASKED else None
    seeks = draw(st.sampled_from(["change", "harm", "neither"]))
    category = draw(st.sampled_from(sorted(DEFAULT_WEIGHTS)))
    return one_of(p, verdict, n=199, seeks=seeks, category=category, raw=0.1)


_UNASKED = ("skip", "error")
_RANK = {"pass": 2, "could not tell": 1, "fail": 0}
_WORTH = {"pass": 3, "warn": 2, "inconclusive": 1, "skip": 1, "fail": 0, "error": 0}
_CLAIMS = {"learned": 2, "changed": 1}


def judged(probes: list[ProbeResult], threshold: float) -> tuple[list[ProbeResult], int, int]:
    found = adjusted(probes, "holm", ALPHA)
    found = [ProbeResult(**{**vars(one), "score": score_of(one.verdict)}) for one in found]
    gate = decide(found, composite(found, DEFAULT_WEIGHTS), threshold)
    return found, _RANK[gate.outcome], _CLAIMS.get(conclude(found), 0)


@given(st.lists(results(), max_size=7), st.sampled_from(_UNASKED), st.data(), st.sampled_from([0.0, 0.6, 1.0]))
def test_an_extra_skip_or_error_never_improves_a_verdict(
    probes: list[ProbeResult], verdict: str, data: st.DataObject, threshold: float
) -> None:
    before, gate, claim = judged(probes, threshold)
    at = data.draw(st.integers(0, len(probes)))
    extra = one_of(None, verdict, seeks=data.draw(st.sampled_from(["change", "harm", "neither"])), category="ablation")
    after, worse_gate, worse_claim = judged([*probes[:at], extra, *probes[at:]], threshold)
    for one, other in zip(before, [*after[:at], *after[at + 1 :]], strict=True):
        assert _WORTH[other.verdict] <= _WORTH[one.verdict]
    assert worse_gate <= gate
    assert worse_claim <= claim


@given(st.lists(results(), min_size=1, max_size=7), st.data(), st.sampled_from([0.0, 0.6, 1.0]))
def test_a_pass_that_turns_into_a_skip_or_an_error_never_helps(
    probes: list[ProbeResult], data: st.DataObject, threshold: float
) -> None:
    before, gate, _ = judged(probes, threshold)
    passed = [at for at, one in enumerate(before) if one.verdict == "pass"]
    if not passed:
        return
    at = data.draw(st.sampled_from(passed))
    verdict = data.draw(st.sampled_from(_UNASKED))
    lost = one_of(None, verdict, seeks=probes[at].seeks, category=probes[at].category)
    after, worse_gate, _ = judged([*probes[:at], lost, *probes[at + 1 :]], threshold)
    for index, (one, other) in enumerate(zip(before, after, strict=True)):
        assert index == at or _WORTH[other.verdict] <= _WORTH[one.verdict]
    assert worse_gate <= gate


@pytest.mark.parametrize("threshold", [0.0, 0.6])
def test_harm_goes_before_missing_effects_and_the_score_comes_last(threshold: float) -> None:
    found, _, _ = judged(
        [one_of(0.9, "fail", name="effect"), one_of(None, "fail", seeks="harm", name="guard")], threshold
    )
    gate = decide(found, composite(found, DEFAULT_WEIGHTS), threshold)
    assert [reason.split(":")[0] for reason in gate.reasons][:2] == ["guard", "effect"]
