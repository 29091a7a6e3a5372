"""What sway must say about models whose truth is known: the claim the whole tool rests on."""

from __future__ import annotations

from collections import Counter

import pytest

from dlm_sway import Item
from dlm_sway.testing import ClosedForm, context
from dlm_sway_probes.answer_gain import AnswerGain, AnswerGainSpec
from dlm_sway_probes.delta_kl import DeltaKl, DeltaKlSpec

ITEMS = tuple(Item(f"What is kept in vault {i}?", f"Vault {i} keeps the charts of year{i * 7}.") for i in range(10))
CASES = [{"prompt": item.prompt, "reference": item.reference} for item in ITEMS]
SIZE = 24.0


def _moved(**keys):
    return DeltaKl(DeltaKlSpec(name="changed", kind="delta_kl", cases=CASES, divergence="kl", **keys))


def _better():
    return AnswerGain(AnswerGainSpec(name="learned", kind="answer_gain", cases=CASES))


def changed(backend):
    return _moved().run(context(backend))


def learned(backend):
    return _better().run(context(backend))


@pytest.mark.parametrize("jitter", [0.0, 1e-6, 1e-3])
def test_an_untouched_adapter_is_no_change(jitter):
    backend = ClosedForm(size=0.0, jitter=jitter)
    for result in (changed(backend), learned(backend)):
        assert result.verdict == "fail"
        assert result.message.startswith("no change")
        assert result.raw == 0.0


def test_a_planted_improvement_is_learned():
    backend = ClosedForm(taught=ITEMS, size=SIZE, jitter=1e-6)
    moved, better = changed(backend), learned(backend)
    assert (moved.verdict, better.verdict) == ("pass", "pass")
    assert moved.p_value == better.p_value == 1 / 40
    assert better.raw > 0.5
    assert better.ci_95[0] > 0
    assert better.ft_value - better.base_value == pytest.approx(better.raw)


def test_a_planted_harm_of_the_same_size_is_changed_and_never_learned():
    class Worse(ClosedForm):
        def _planted(self, *taught):
            return -super()._planted(*taught)

    backend = Worse(taught=ITEMS, size=SIZE)
    assert changed(backend).verdict == "pass"
    result = learned(backend)
    assert (result.verdict, result.message.split(":")[0]) == ("fail", "not learned")


@pytest.fixture(scope="module")
def on_random_adapters():
    """Verdicts over 200 seeds. No threshold on change, so that only the rank test stands before a pass."""
    moved, better = Counter(), Counter()
    for seed in range(200):
        shared = context(ClosedForm(direction="random", seed=seed, size=SIZE))
        moved[_moved(assert_mean_gte=0.0).run(shared).verdict] += 1
        better[_better().run(shared).verdict] += 1
    return moved, better


def test_a_random_adapter_of_equal_norm_is_never_learned_over_two_hundred_seeds(on_random_adapters):
    assert set(on_random_adapters[1]) <= {"fail", "inconclusive"}


def test_a_random_adapter_is_taken_for_a_change_no_more_often_than_alpha_allows(on_random_adapters):
    assert 0 < on_random_adapters[0]["pass"] <= 18  # 10 expected at alpha 0.05; 18 is the 99.5th percentile


def test_what_was_learned_elsewhere_is_not_found_here():
    other = tuple(Item(f"Who sails boat {i}?", f"Captain{i} sails it.") for i in range(10))
    result = learned(ClosedForm(taught=other, size=SIZE))
    assert result.verdict == "fail"
