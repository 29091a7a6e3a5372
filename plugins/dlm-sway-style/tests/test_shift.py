"""Rows of measures: known shifts are found, and chance is not taken for one."""

from __future__ import annotations

import numpy as np
import pytest

from dlm_sway_style.shift import FLOOR, contributions, gap_p, shifts

RNG = np.random.default_rng(7)
REFERENCE = np.array([1.0, 0.0, 3.0]) + 0.1 * RNG.standard_normal((12, 3))
BEFORE = 0.1 * RNG.standard_normal((10, 3))


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0, 1.5, -0.3])
def test_a_known_share_of_the_way_is_found(share):
    after = BEFORE + share * (REFERENCE.mean(0) - BEFORE.mean(0))
    found = shifts(BEFORE, after, REFERENCE)
    assert np.mean(found) == pytest.approx(share, abs=0.02)
    assert sum(contributions(BEFORE, after, REFERENCE)) == pytest.approx(share)


def test_the_unit_of_a_measure_does_not_matter():
    after = BEFORE + 0.5 * (REFERENCE.mean(0) - BEFORE.mean(0)) + 0.05 * RNG.standard_normal((10, 3))
    scale = np.array([100.0, 30.0, 1000.0])
    large = shifts(BEFORE * scale, after * scale, REFERENCE * scale)
    assert large == pytest.approx(shifts(BEFORE * scale * 2, after * scale * 2, REFERENCE * scale * 2), rel=1e-4)


def test_what_is_the_same_has_gone_nowhere():
    assert shifts(BEFORE, BEFORE, REFERENCE) == [0.0] * 10


def test_answers_that_change_at_random_come_no_nearer():
    """They would seem to, by the share that a row's own chance has of the gap, if the gap held it."""
    rng = np.random.default_rng(3)
    found, with_own = [], []
    for _ in range(2000):
        before, after, reference = (rng.standard_normal((6, 3)) for _ in range(3))
        reference = reference + np.array([2.0, 0.0, 0.0])
        found.append(np.mean(shifts(before, after, reference)))
        with_own.append(sum(contributions(before, after, reference)))
    error = np.std(found) / len(found) ** 0.5
    assert abs(np.mean(found)) < 4 * error
    assert np.mean(with_own) > 5 * error


def test_a_measure_that_never_varies_is_not_blown_up():
    before, reference = np.zeros((6, 1)), np.full((6, 1), FLOOR / 10)
    assert max(map(abs, shifts(before, before + FLOOR, reference))) == pytest.approx(10.0)
    assert gap_p(before, reference, 0) < 0.01  # apart, however little: all of one kind are alike


def test_the_same_style_is_not_told_apart_more_often_than_promised():
    rng = np.random.default_rng(5)
    alarms = sum(gap_p(rng.standard_normal((8, 4)), rng.standard_normal((6, 4)), seed) <= 0.05 for seed in range(200))
    assert alarms <= 20
    assert gap_p(BEFORE, REFERENCE, 0) < 0.01
