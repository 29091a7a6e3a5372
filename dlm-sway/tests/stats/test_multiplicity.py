from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from dlm_sway.stats.multiplicity import adjust, benjamini_hochberg, holm

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=12)


@given(P_VALUES)
def test_bh_is_scipys(p_values: list[float]) -> None:
    assert benjamini_hochberg(p_values) == pytest.approx(stats.false_discovery_control(p_values))


def test_holm_steps_down() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.2]) == [0.2]


@given(P_VALUES)
def test_bh_lies_between_the_raw_values_and_holm_and_bonferroni_is_the_end(p_values: list[float]) -> None:
    for raw, soft, hard in zip(p_values, benjamini_hochberg(p_values), holm(p_values), strict=True):
        assert raw <= soft + 1e-12
        assert soft <= hard + 1e-12
        assert hard <= min(1.0, len(p_values) * raw) + 1e-12


@given(P_VALUES, st.sampled_from(["holm", "bh"]), st.data())
def test_a_larger_p_value_never_helps_another(p_values: list[float], method: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(p_values) - 1))
    worse = [*p_values]
    worse[at] = data.draw(st.floats(p_values[at], 1))
    for before, after in zip(adjust(p_values, method), adjust(worse, method), strict=True):
        assert after >= before - 1e-12


@given(P_VALUES, st.sampled_from(["holm", "bh"]))
def test_one_more_test_without_evidence_never_helps(p_values: list[float], method: str) -> None:
    for before, after in zip(adjust(p_values, method), adjust([*p_values, 1.0], method), strict=False):
        assert after >= before - 1e-12


@pytest.mark.parametrize("method", ["holm", "bh"])
def test_a_suite_of_nothing_raises_a_false_alarm_at_most_as_often_as_alpha(method: str) -> None:
    rng = np.random.default_rng(3)
    alarms = sum(min(adjust(rng.uniform(size=8).tolist(), method)) <= 0.05 for _ in range(3000))
    assert stats.binomtest(alarms, 3000).proportion_ci(0.999).low <= 0.05


def test_what_is_no_p_value_is_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        adjust([0.2, 1.5], "holm")
    assert adjust([0.2, 0.5], "none") == [0.2, 0.5]
