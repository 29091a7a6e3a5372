from __future__ import annotations

import pytest
from scipy import stats

from dlm_sway.stats.power import minimum_detectable_rate


@pytest.mark.parametrize(("n", "expected"), [(20, 0.1), (60, 0.02), (200, 0.5)])
def test_the_rate_is_found_four_times_in_five_and_the_expected_one_hardly_ever(n: int, expected: float) -> None:
    rate = minimum_detectable_rate(n, expected)
    assert rate is not None
    critical = next(k for k in range(n + 2) if stats.binom.sf(k - 1, n, expected) <= 0.05)
    assert stats.binom.sf(critical - 1, n, rate) == pytest.approx(0.8)
    assert rate > expected


def test_too_few_items_find_no_rate() -> None:
    assert minimum_detectable_rate(2, 0.5) is None
