"""Arithmetic on values and labels, against formulas and by its properties."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlm_sway_semantic.topics import label_p, omega_interval, omega_squared

VALUES = st.lists(st.floats(0, 10).map(lambda x: round(x, 3)), min_size=6, max_size=20)


def test_omega_squared_is_the_textbook_value():
    values, labels = [1.0, 2.0, 3.0, 5.0, 6.0, 7.0], [0, 0, 0, 1, 1, 1]
    between, within, total = 24.0, 4.0, 28.0
    mean_square = within / 4
    assert omega_squared(values, labels) == pytest.approx((between - mean_square) / (total + mean_square))


@given(VALUES, st.randoms(use_true_random=False))
def test_omega_squared_knows_neither_unit_nor_order_nor_names_of_labels(values, rng):
    labels = [at % 3 for at in range(len(values))]
    found = omega_squared(values, labels)
    order = rng.sample(range(len(values)), len(values))
    turned = omega_squared([3.0 + 2.0 * values[at] for at in order], [9 - labels[at] for at in order])
    assert found <= 1.0
    assert turned == pytest.approx(found, abs=1e-6) or max(values) - min(values) < 0.01


@pytest.mark.parametrize(
    ("values", "labels"), [([2.0] * 6, [0, 0, 0, 1, 1, 1]), ([1.0, 2.0, 3.0], [0, 0, 0]), ([1.0, 2.0], [0, 1])]
)
def test_without_anything_to_explain_the_share_is_exactly_zero(values, labels):
    assert omega_squared(values, labels) == 0.0
    assert label_p(values, labels, 0, draws=99) == 1.0


def test_the_permutation_test_agrees_with_counting_by_hand():
    # Of the 20 ways to choose three of six values, two separate them as well as these labels do.
    p = label_p([1.0, 2.0, 3.0, 7.0, 8.0, 9.0], [0, 0, 0, 1, 1, 1], seed=1)
    assert p == pytest.approx(2 / 20, abs=0.01)


def test_false_alarms_are_as_rare_as_promised():
    rng = random.Random("false alarms")
    labels = [at % 4 for at in range(24)]
    alarms = sum(
        label_p([rng.lognormvariate(0, 1) for _ in labels], labels, seed, draws=199) <= 0.05 for seed in range(400)
    )
    assert alarms <= 400 * 0.05 + 3 * math.sqrt(400 * 0.05 * 0.95)


def test_the_interval_covers_the_truth_and_narrows():
    rng = random.Random("intervals")

    def draw(n):
        labels = [at % 2 for at in range(n)]
        return [rng.gauss(label, 1) for label in labels], labels

    truth = 0.25 / 1.25  # labels 0 and 1 with unit noise: variance 0.25 between, 1 within
    found = [omega_interval(*draw(40)) for _ in range(200)]
    assert sum(low <= truth <= high for low, high in found) >= 180
    low, high = omega_interval(*draw(400))
    assert high - low < 0.2


def test_seven_values_have_no_interval():
    assert omega_interval([1.0, 2, 3, 4, 5, 6, 7], [0, 1, 0, 1, 0, 1, 0]) is None
