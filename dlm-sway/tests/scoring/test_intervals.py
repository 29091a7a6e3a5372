"""Whatever the tokens are that a server does not show, the truth lies within the bounds."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlm_sway.scoring.bounds import bounds

WEIGHT = st.floats(1e-6, 1.0)
ROUNDED = 1e-3
"""A rest that is within rounding of nothing counts as nothing; what that can hide."""


def truth(p, q):
    kl = math.fsum(b * math.log(b / a) for a, b in zip(p, q, strict=True))
    reverse = math.fsum(a * math.log(a / b) for a, b in zip(p, q, strict=True))
    middle = [(a + b) / 2 for a, b in zip(p, q, strict=True)]
    js = math.fsum(one * math.log(one / m) for side in (p, q) for one, m in zip(side, middle, strict=True)) / 2
    return kl, reverse, js, math.fsum(abs(a - b) for a, b in zip(p, q, strict=True)) / 2


def shared(weights):
    total = math.fsum(weights)
    return [one / total for one in weights]


def listed(p, top):
    order = sorted(range(len(p)), key=lambda at: -p[at])[:top]
    return {at: math.log(p[at]) for at in order}


@given(st.lists(st.tuples(WEIGHT, WEIGHT), min_size=2, max_size=12), st.integers(1, 12), st.integers(1, 12))
def test_the_truth_lies_between_them(weights, shown, shown_too):
    p, q = (shared(side) for side in zip(*weights, strict=True))
    found = bounds(listed(p, shown), listed(q, shown_too))
    for least, exact, most in zip(found.least, truth(p, q), found.most, strict=True):
        assert least - ROUNDED <= exact <= most + ROUNDED


def test_the_bounds_are_reached():
    # Nothing shown is shared: the rest may be the same tokens, or none in common.
    found = bounds({1: math.log(0.4), 2: math.log(0.3)}, {1: math.log(0.4), 2: math.log(0.3)})
    assert found.least.js == found.least.tv == 0.0
    assert found.most.js == pytest.approx(0.3 * math.log(2))
    disjoint = truth([0.4, 0.3, 0.3, 1e-300], [0.4, 0.3, 1e-300, 0.3])
    assert disjoint[2] == pytest.approx(found.most.js)
    assert disjoint[3] == pytest.approx(found.most.tv)
    assert math.isinf(found.most.kl)


def test_unlike_rests_are_seen_though_every_shown_token_is_shared():
    one = {1: math.log(0.9)}
    other = {1: math.log(0.09)}
    assert bounds(one, other).least.js > 0.3


def test_the_more_is_shown_the_narrower_they_are_and_all_of_it_is_exact():
    p, q = shared([9.0, 5.0, 3.0, 2.0, 1.0]), shared([4.0, 6.0, 3.0, 1.0, 2.0])
    widths = [found.most.js - found.least.js for found in (bounds(listed(p, k), listed(q, k)) for k in range(1, 6))]
    assert widths == sorted(widths, reverse=True)
    whole = bounds(listed(p, 5), listed(q, 5))
    assert whole.least == whole.most
    assert whole.least == pytest.approx(truth(p, q))


def test_a_side_that_shows_no_token_by_name_bounds_nothing_and_agrees_about_nothing():
    found = bounds({}, {"a": math.log(0.9)})
    assert found.least.js == 0.0
    assert found.most.js == pytest.approx(math.log(2))
    assert not found.agree
