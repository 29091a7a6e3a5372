from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from dlm_sway.stats.rank import noise_floor, nulls_needed, prediction_p, rank_p, resolution, sample_sd


def test_the_rank_p_counts_the_observed_value_among_the_nulls():
    assert rank_p(5.0, [1.0, 2.0, 3.0]) == 1 / 4
    assert rank_p(2.5, [1.0, 2.0, 3.0]) == 2 / 4
    assert rank_p(0.0, [1.0, 2.0, 3.0]) == 1.0


def test_ties_count_against_us():
    assert rank_p(0.0, [0.0] * 39) == 1.0


def test_no_nulls_prove_nothing():
    assert rank_p(9.0, []) == 1.0


def test_a_null_that_is_not_a_number_is_refused_rather_than_counted_in_our_favour():
    with pytest.raises(ValueError, match="1 of 2"):
        rank_p(1.0, [0.0, math.nan])
    with pytest.raises(ValueError, match="observed"):
        rank_p(math.nan, [0.0])


def test_under_exchangeability_the_p_value_is_uniform_on_its_grid():
    """Heavy-tailed on purpose: a rank test does not care."""
    draws = np.random.default_rng(5).standard_cauchy((6000, 20))
    found = np.array([rank_p(row[0], row[1:].tolist()) for row in draws])
    counts = np.bincount(np.rint(found * 20).astype(int), minlength=21)[1:]
    assert stats.chisquare(counts).pvalue > 0.01
    assert (found <= 0.05).mean() == pytest.approx(0.05, abs=0.01)


@pytest.mark.parametrize(("alpha", "needed"), [(0.05, 19), (0.025, 39), (0.01, 99), (0.1, 9), (0.15, 6), (0.005, 199)])
def test_the_number_needed_is_the_fewest_whose_resolution_reaches_alpha(alpha, needed):
    assert nulls_needed(alpha) == needed
    assert resolution(needed) <= alpha < resolution(needed - 1)


def test_several_tests_share_alpha_by_bonferroni():
    assert nulls_needed(0.05, tests=10) == 199


def test_the_prediction_test_agrees_with_scipys_two_sample_test_of_one_against_many():
    """With one value on one side, the pooled two-sample t test is the prediction test."""
    nulls = [0.1, 0.4, -0.2, 0.3, 0.05]
    found = prediction_p(1.1, nulls)
    with np.errstate(all="ignore"):
        pooled = math.sqrt(np.var(nulls, ddof=1) * (1 + 1 / 5))
    t = (1.1 - np.mean(nulls)) / pooled
    assert (found.t, found.df) == (pytest.approx(t), 4)
    assert found.p == pytest.approx(stats.t.sf(t, 4))


def test_three_nulls_make_a_three_sigma_value_unremarkable():
    nulls = [-1.0, 0.0, 1.0]
    assert prediction_p(3.0, nulls).p > 0.05


def test_the_prediction_test_is_exact_for_normal_nulls():
    draws = np.random.default_rng(6).normal(size=(4000, 6))
    hits = sum(prediction_p(row[0], row[1:].tolist()).p <= 0.05 for row in draws)
    assert 0.04 <= hits / 4000 <= 0.06


@pytest.mark.parametrize("nulls", [[], [1.0], [2.0, 2.0, 2.0]])
def test_nulls_without_spread_predict_nothing(nulls):
    assert prediction_p(3.0, nulls) is None
    assert sample_sd(nulls) == 0.0


def test_the_noise_floor_is_the_largest_value_below_a_hundred_and_the_99th_percentile_above():
    assert noise_floor([3.0, 1.0, 2.0]) == 3.0
    assert noise_floor([float(i) for i in range(1, 101)]) == 99.0
    assert noise_floor([float(i) for i in range(1, 1001)]) == 990.0


def test_a_noise_floor_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        noise_floor([])
