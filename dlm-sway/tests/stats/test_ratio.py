from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from dlm_sway.stats.ratio import mean_ratio


def test_the_ends_are_where_the_difference_is_just_not_significant() -> None:
    rng = np.random.default_rng(2)
    above, below = rng.normal(1, 0.5, 20), rng.normal(3, 0.7, 20)
    found = mean_ratio(above.tolist(), below.tolist())
    assert found is not None
    for end in found.bounds:
        assert stats.ttest_1samp(above - end * below, 0).pvalue == pytest.approx(0.05)
    assert found.value == pytest.approx(above.mean() / below.mean())
    assert found.low < found.value < found.high


def test_without_a_denominator_there_is_no_ratio() -> None:
    assert mean_ratio([1.0, 2.0, 1.5], [0.1, -0.2, 0.05]) is None
    assert mean_ratio([1.0, 2.0, 1.5], [-3.0, -3.1, -2.9]) is None
    assert mean_ratio([1.0], [2.0]) is None


def test_a_constant_ratio_has_no_width() -> None:
    found = mean_ratio([1.0, 2.0, 3.0, 2.0], [2.0, 4.0, 6.0, 4.0])
    assert found is not None
    assert (found.value, *found.bounds) == pytest.approx((0.5, 0.5, 0.5), abs=1e-6)


def test_items_of_one_group_count_once() -> None:
    above, below = [1.0, 2.0, 1.2, 0.7], [2.0, 3.1, 2.2, 1.9]
    twice = mean_ratio([*above, *above], [*below, *below], [*"abcd", *"abcd"])
    assert twice == pytest.approx(mean_ratio(above, below)._replace(n=8))  # type: ignore[union-attr]


@pytest.mark.parametrize("clustered", [False, True])
def test_the_interval_covers_the_true_ratio(clustered: bool) -> None:
    rng, inside = np.random.default_rng(7), 0
    groups = [str(i // 3) for i in range(24)] if clustered else []
    for _ in range(1500):
        shared = np.repeat(rng.normal(0, 0.5, 8), 3) if clustered else 0.0
        below = 2 + shared + rng.normal(0, 0.6, 24)
        above = 0.4 * below + rng.normal(0, 0.3, 24)
        found = mean_ratio(above.tolist(), below.tolist(), groups)
        inside += found is not None and found.low <= 0.4 <= found.high
    assert inside / 1500 == pytest.approx(0.95, abs=0.02)
