from __future__ import annotations

import math
import statistics

import numpy as np
import pytest

from dlm_sway.stats.bootstrap import bca_interval


def test_the_interval_is_scipys() -> None:
    from scipy import stats

    values = np.random.default_rng(4).lognormal(0, 1, 40)
    found = bca_interval(values.tolist(), statistics.fmean, draws=9999)
    wanted = stats.bootstrap((values,), np.mean, method="BCa", n_resamples=9999, rng=np.random.default_rng(0))
    assert found is not None
    assert found.bounds == pytest.approx(tuple(wanted.confidence_interval), rel=0.05)


def test_the_same_seed_gives_the_same_interval_and_another_another() -> None:
    values = np.random.default_rng(4).normal(size=30).tolist()
    assert bca_interval(values, statistics.median, seed=1) == bca_interval(values, statistics.median, seed=1)
    assert bca_interval(values, statistics.fmean, seed=1) != bca_interval(values, statistics.fmean, seed=2)


def test_few_units_or_no_number_have_no_interval() -> None:
    assert bca_interval([1.0] * 7, statistics.fmean) is None
    assert bca_interval([1.0] * 20, lambda _: math.nan) is None
    assert bca_interval([1.0] * 20, statistics.fmean) == (1.0, 1.0, 1.0, 1999)


@pytest.mark.slow
def test_the_interval_of_a_skewed_median_covers_about_what_it_promises() -> None:
    rng, inside = np.random.default_rng(8), 0
    for seed in range(300):
        found = bca_interval(rng.lognormal(0, 1, 25).tolist(), statistics.median, draws=499, seed=seed)
        inside += found is not None and found.low <= 1.0 <= found.high
    assert inside / 300 == pytest.approx(0.95, abs=0.04)
