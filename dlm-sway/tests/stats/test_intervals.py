from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from dlm_sway.stats.intervals import mean_interval, one_sided


def test_the_interval_is_students_when_items_are_independent():
    values = [0.3, 1.9, -0.4, 2.2, 0.8]
    low, high = stats.t.interval(0.95, 4, np.mean(values), stats.sem(values))
    found = mean_interval(values)
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-12)
    assert (found.df, found.clusters, found.n) == (4, 5, 5)
    assert found.spread == pytest.approx(np.std(values, ddof=1))


def test_one_sided_bounds_are_students():
    values = [0.3, 1.9, -0.4, 2.2, 0.8]
    low, high = one_sided(mean_interval(values), 0.05)
    assert (low, high) == pytest.approx(stats.t.interval(0.90, 4, np.mean(values), stats.sem(values)))


def test_the_clustered_error_is_the_cr1_sandwich_of_a_regression_on_a_constant():
    values = np.array([1.0, 1.2, 0.9, 3.0, 3.3, -1.0, -0.5, -0.8, 0.1])
    groups = np.array(list("aaabbcccd"))
    x = np.ones((9, 1))
    residuals = values - values.mean()
    meat = sum((x[groups == g].T @ residuals[groups == g]) ** 2 for g in "abcd").item()
    variance = 4 / 3 * (9 - 1) / (9 - 1) * meat / 81
    found = mean_interval(values.tolist(), groups.tolist())
    assert found.se == pytest.approx(math.sqrt(variance))
    assert (found.df, found.clusters) == (3, 4)
    assert found.high - found.mean == pytest.approx(stats.t.ppf(0.975, 3) * math.sqrt(variance))


def test_clusters_of_one_give_the_independent_interval():
    values = [0.3, 1.9, -0.4, 2.2]
    assert mean_interval(values, list("abcd")) == mean_interval(values)
    assert mean_interval(values, ["", "", "", ""]) == mean_interval(values)


def test_one_group_for_everything_is_no_grouping():
    values = [0.3, 1.9, -0.4, 2.2]
    assert mean_interval(values, ["a"] * 4) == mean_interval(values)


def test_items_without_a_group_are_clusters_of_their_own():
    assert mean_interval([1.0, 2.0, 3.0, 5.0], ["a", "a", "", ""]).clusters == 3


def test_one_value_has_an_unbounded_interval_and_nothing_to_report():
    found = mean_interval([2.0])
    assert (found.mean, found.low, found.high, found.bounds) == (2.0, -math.inf, math.inf, None)
    assert one_sided(found, 0.05) == (-math.inf, math.inf)


def test_equal_values_have_no_width():
    assert mean_interval([0.1] * 7).bounds == (0.1, 0.1)


@pytest.mark.parametrize(
    ("values", "groups", "said"),
    [
        ([], (), "at least one"),
        ([1.0, math.nan], (), "1 of 2 values are not finite"),
        ([1.0, math.inf], (), "not finite"),
        ([1.0, 2.0], ("a",), "1 groups for 2 values"),
    ],
)
def test_what_has_no_interval_is_refused(values, groups, said):
    with pytest.raises(ValueError, match=said):
        mean_interval(values, groups)


def test_a_level_outside_zero_and_one_is_refused():
    with pytest.raises(ValueError, match="between 0 and 1"):
        mean_interval([1.0, 2.0], level=95)


def test_eight_normal_items_are_covered_nineteen_times_in_twenty():
    draws = np.random.default_rng(11).normal(0.4, 2.0, (4000, 8)).tolist()
    covered = sum(found.low <= 0.4 <= found.high for found in map(mean_interval, draws))
    assert 0.93 <= covered / 4000 <= 0.97


def test_ten_clusters_of_four_are_covered_where_the_independent_interval_is_not():
    rng = np.random.default_rng(12)
    groups = [str(g) for g in range(10) for _ in range(4)]
    robust = naive = 0
    for _ in range(1500):
        values = (np.repeat(rng.normal(0, 1, 10), 4) + rng.normal(0, 0.5, 40)).tolist()
        a, b = mean_interval(values, groups), mean_interval(values)
        robust += a.low <= 0 <= a.high
        naive += b.low <= 0 <= b.high
    assert 0.925 <= robust / 1500 <= 0.97
    assert naive / 1500 < 0.8
