from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from dlm_sway.stats.noninferiority import equivalent, not_above, not_below
from dlm_sway.stats.power import items_needed, minimum_detectable


def test_the_bounds_are_scipys_one_sided_t_tests():
    values = [0.12, 0.31, 0.05, 0.22, 0.18, 0.27]
    at_upper = not_above(values, 0.3, 0.05).high
    assert stats.ttest_1samp(values, at_upper, alternative="less").pvalue == pytest.approx(0.05)
    at_lower = not_above(values, 0.3, 0.05).low
    assert stats.ttest_1samp(values, at_lower, alternative="greater").pvalue == pytest.approx(0.05)


def test_well_inside_passes_well_outside_fails_and_the_rest_is_not_decided():
    values = [0.12, 0.31, 0.05, 0.22, 0.18, 0.27]
    assert not_above(values, 0.3, 0.05).outcome == "pass"
    assert not_above(values, 0.05, 0.05).outcome == "fail"
    assert not_above(values, 0.2, 0.05).outcome == "inconclusive"


def test_where_more_is_better_the_mirror_image_decides():
    losses = [-0.12, -0.31, -0.05, -0.22, -0.18, -0.27]
    assert not_below(losses, 0.3, 0.05).outcome == "pass"
    assert not_below(losses, 0.05, 0.05).outcome == "fail"
    assert not_below(losses, 0.2, 0.05).outcome == "inconclusive"


def test_no_change_at_all_is_within_any_margin():
    assert not_above([0.0] * 5, 1e-9, 0.05).outcome == "pass"


def test_one_value_decides_nothing():
    assert not_above([0.0], 1.0, 0.05).outcome == "inconclusive"
    assert not_above([9.0], 1.0, 0.05).outcome == "inconclusive"


def test_equivalence_needs_both_sides():
    assert equivalent([-0.01, 0.02, 0.0, 0.01], 0.1, 0.05).outcome == "pass"
    assert equivalent([0.5, 0.52, 0.48, 0.51], 0.1, 0.05).outcome == "fail"
    assert equivalent([-0.5, -0.52, -0.48, -0.51], 0.1, 0.05).outcome == "fail"
    assert equivalent([-0.3, 0.3, 0.2, -0.1], 0.1, 0.05).outcome == "inconclusive"


def test_harm_exactly_at_the_margin_passes_no_more_often_than_alpha():
    draws = np.random.default_rng(3).normal(0.3, 0.2, (4000, 10)).tolist()
    outcomes = [not_above(row, 0.3, 0.05).outcome for row in draws]
    assert outcomes.count("pass") / 4000 <= 0.06
    assert outcomes.count("fail") / 4000 <= 0.06


def test_the_smallest_detectable_effect_is_found_four_times_in_five():
    effect = minimum_detectable(1.0, 20)
    draws = np.random.default_rng(4).normal(effect, 1.0, (4000, 20))
    found = stats.ttest_1samp(draws, 0.0, axis=1).pvalue < 0.05
    assert found.mean() == pytest.approx(0.8, abs=0.03)


def test_the_items_needed_are_the_fewest_that_detect_the_effect():
    needed = items_needed(1.0, 0.5)
    assert minimum_detectable(1.0, needed) <= 0.5 < minimum_detectable(1.0, needed - 1)
    assert items_needed(1.0, 1e-9) is None
    assert items_needed(0.0, 0.5) == 2
    assert minimum_detectable(1.0, 1) is None


def test_an_effect_that_is_not_positive_cannot_be_looked_for():
    with pytest.raises(ValueError, match="positive"):
        items_needed(1.0, 0.0)
