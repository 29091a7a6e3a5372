from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from dlm_sway.stats.rates import mcnemar_exact, rate_interval, rate_not_above


@st.composite
def counts(draw: st.DrawFn) -> tuple[int, int]:
    n = draw(st.integers(1, 300))
    return draw(st.integers(0, n)), n


@given(counts())
def test_both_intervals_are_scipys(count: tuple[int, int]) -> None:
    events, n = count
    for ours, theirs in (("wilson", "wilson"), ("exact", "exact")):
        found = rate_interval(events, n, method=ours)
        wanted = stats.binomtest(events, n).proportion_ci(0.95, method=theirs)
        assert found.bounds == pytest.approx((wanted.low, wanted.high), abs=1e-9)
        assert 0 <= found.low <= found.rate <= found.high <= 1


@given(counts())
def test_swapping_events_and_others_mirrors_the_interval(count: tuple[int, int]) -> None:
    events, n = count
    for method in ("wilson", "exact"):
        one, other = rate_interval(events, n, method=method), rate_interval(n - events, n, method=method)
        assert (one.low, one.high) == pytest.approx((1 - other.high, 1 - other.low), abs=1e-9)


def test_no_events_do_not_prove_a_rate_of_zero() -> None:
    found = rate_interval(0, 20, method="exact")
    assert found.bounds == pytest.approx((0, 0.168), abs=5e-4)
    assert rate_not_above(0, 20, 0.15, 0.05).outcome == "pass"  # one-sided: below 0.139
    assert rate_not_above(0, 20, 0.10, 0.05).outcome == "inconclusive"
    assert rate_not_above(9, 20, 0.15, 0.05).outcome == "fail"


@pytest.mark.parametrize("true_rate", [0.02, 0.15, 0.5])
@pytest.mark.parametrize("n", [10, 40])
def test_the_exact_interval_covers_at_least_what_it_promises(true_rate: float, n: int) -> None:
    covered = sum(
        stats.binom.pmf(k, n, true_rate)
        for k in range(n + 1)
        if rate_interval(k, n, method="exact").low <= true_rate <= rate_interval(k, n, method="exact").high
    )
    assert covered >= 0.95


@pytest.mark.parametrize("n", [10, 40])
def test_a_rate_at_the_limit_passes_no_more_often_than_alpha(n: int) -> None:
    passed = sum(stats.binom.pmf(k, n, 0.2) for k in range(n + 1) if rate_not_above(k, n, 0.2, 0.05).outcome == "pass")
    failed = sum(stats.binom.pmf(k, n, 0.2) for k in range(n + 1) if rate_not_above(k, n, 0.2, 0.05).outcome == "fail")
    assert passed <= 0.05
    assert failed <= 0.05


@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_is_the_binomial_test_of_the_flips(gained: int, lost: int) -> None:
    if gained + lost == 0:
        assert mcnemar_exact(gained, lost) == 1.0
        return
    both, greater = (
        stats.binomtest(gained, gained + lost),
        stats.binomtest(gained, gained + lost, alternative="greater"),
    )
    assert mcnemar_exact(gained, lost) == pytest.approx(both.pvalue, rel=1e-9)
    assert mcnemar_exact(gained, lost, "greater") == pytest.approx(greater.pvalue, rel=1e-9)
    assert mcnemar_exact(gained, lost) == pytest.approx(mcnemar_exact(lost, gained))


def test_impossible_counts_are_refused() -> None:
    for events, n in ((0, 0), (3, 2), (-1, 2)):
        with pytest.raises(ValueError, match=r"item"):
            rate_interval(events, n)
    with pytest.raises(ValueError, match="counted from 0"):
        mcnemar_exact(-1, 2)
