from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from dlm_sway.stats.paired import paired_t, sign_flip_p

VALUES = st.lists(st.floats(-5, 5).filter(lambda x: abs(x) > 1e-6), min_size=2, max_size=10)


def test_the_paired_t_is_scipys() -> None:
    values = [0.3, 1.9, -0.4, 2.2, 0.8]
    for alternative in ("greater", "less", "two-sided"):
        wanted = stats.ttest_1samp(values, 0, alternative=alternative).pvalue
        assert paired_t(values, alternative=alternative) == pytest.approx(wanted)


def test_the_sign_flip_test_is_scipys_permutation_test() -> None:
    values = [0.3, 1.9, -0.4, 2.2, 0.8, -0.1]
    for alternative in ("greater", "less", "two-sided"):
        wanted = stats.permutation_test(
            (np.array(values),), np.mean, permutation_type="samples", alternative=alternative, n_resamples=np.inf
        ).pvalue
        assert sign_flip_p(values, alternative=alternative) == pytest.approx(wanted)


@given(VALUES)
def test_the_two_sides_share_one_probability(values: list[float]) -> None:
    up, down = sign_flip_p(values), sign_flip_p(values, alternative="less")
    assert up + down >= 1 - 1e-9  # the observed pattern counts on both sides
    assert sign_flip_p([-v for v in values]) == pytest.approx(down)
    assert sign_flip_p([3 * v for v in values]) == pytest.approx(up)


def test_members_of_a_group_flip_together() -> None:
    values, groups = [1.0, 1.1, 0.9, 1.2, 1.0, 0.8], list("aabbcc")
    assert sign_flip_p(values) == 1 / 64
    assert sign_flip_p(values, groups) == 1 / 8


def test_equal_gains_are_no_proof_beyond_their_number() -> None:
    assert paired_t([0.5] * 4) == 1 / 16
    assert paired_t([0.0] * 4) == 1.0
    assert paired_t([3.0]) == 1.0


def test_many_items_are_drawn_by_seed() -> None:
    values = np.random.default_rng(0).normal(0.3, 1, 60).tolist()
    assert sign_flip_p(values, seed=1) == sign_flip_p(values, seed=1)
    assert sign_flip_p(values) == pytest.approx(paired_t(values), abs=0.01)


@pytest.mark.parametrize("test", [paired_t, lambda values: sign_flip_p(values, draws=199)])
def test_nothing_is_found_at_the_promised_rate(test) -> None:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(5)
    found = sum(test(rng.normal(0, 1, 9).tolist()) <= 0.05 for _ in range(1500))
    seen = stats.binomtest(found, 1500).proportion_ci(0.999)
    assert seen.low <= 0.05 <= seen.high
