from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from dlm_sway.stats.trend import half_life, slope


def test_the_line_is_scipys() -> None:
    xs, ys = [0.0, 1.0, 2.5, 4.0, 5.0], [1.0, 0.7, 0.9, 0.2, 0.3]
    found, wanted = slope(xs, ys), stats.linregress(xs, ys)
    assert (found.slope, found.intercept, found.se) == pytest.approx((wanted.slope, wanted.intercept, wanted.stderr))
    assert found.high - found.slope == pytest.approx(stats.t.ppf(0.975, 3) * wanted.stderr)
    assert min(found.p_rising, found.p_falling) * 2 == pytest.approx(wanted.pvalue)


def test_an_exact_decay_has_its_half_life_and_no_doubt() -> None:
    found = half_life([0, 10, 20, 30], [2.0 * 0.5 ** (x / 15) for x in (0, 10, 20, 30)])
    assert (found.value, found.low, found.high) == pytest.approx((15, 15, 15))


def test_an_effect_that_does_not_fade_has_no_half_life() -> None:
    assert half_life([0, 1, 2], [1.0, 1.1, 1.3]).value == math.inf
    assert half_life([0, 1, 2], [1.0, 1.0, 1.0])[:3] == (math.inf, math.inf, math.inf)


def test_a_decay_that_may_be_none_has_no_upper_end() -> None:
    found = half_life([0, 1, 2, 3], [1.0, 0.6, 1.1, 0.7])
    assert math.isfinite(found.value)
    assert found.low < found.value < found.high == math.inf


def test_the_interval_covers_the_true_slope() -> None:
    rng, xs = np.random.default_rng(1), [0.0, 1.0, 2.0, 3.0, 4.0]
    inside = 0
    for _ in range(2000):
        found = slope(xs, (0.5 - 0.3 * np.array(xs) + rng.normal(0, 0.4, 5)).tolist())
        inside += found.low <= -0.3 <= found.high
    assert inside / 2000 == pytest.approx(0.95, abs=0.016)


@pytest.mark.parametrize(("xs", "ys", "said"), [([0, 1], [0, 1], "three"), ([1, 1, 1], [0, 1, 2], "same x")])
def test_what_is_no_line_is_refused(xs: list[float], ys: list[float], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        slope(xs, ys)
    with pytest.raises(ValueError, match="positive"):
        half_life([0, 1, 2], [1.0, 0.0, 1.0])
