from __future__ import annotations

import math

import pytest
from pydantic import ValidationError

from dlm_sway import Item, Measurement
from dlm_sway.errors import ProbeError
from dlm_sway.scoring.types import FT
from dlm_sway.testing import ClosedForm, context
from dlm_sway_probes.answer_gain import AnswerGain, AnswerGainSpec

ITEMS = tuple(Item(f"Who leads team {i}?", f"Person{i} leads team {i}.") for i in range(6))


def probe(items=ITEMS, **keys):
    cases = [{"prompt": item.prompt, "reference": item.reference, "group": item.group} for item in items]
    return AnswerGain(AnswerGainSpec(name="learned", kind="answer_gain", cases=cases, **keys))


def judged(gains, nulls=(0.0,) * 39, groups=(), jitter=0.0, **keys):
    items = [Item(f"q{i}", "an answer", groups[i] if groups else "") for i in range(len(gains))]
    measured = Measurement(tuple(gains), groups, {"base": [-3.0] * len(gains), "view": [-3.0 + g for g in gains]})
    made = [Measurement((null + i * 1e-6,) * len(gains)) for i, null in enumerate(nulls)]
    return probe(items, **keys).judge(measured, made, context(ClosedForm(jitter=jitter)))


def test_the_gain_is_per_token_as_the_model_counts_them():
    backend = ClosedForm(taught=ITEMS, size=10.0)
    short, long = Item("a?", "one"), Item("b?", "one two three four five six")
    measured = probe((short, long)).measure(context(backend).scoring, FT)
    for value, seen in zip(measured.values, backend.compare([short, long], FT), strict=True):
        assert value == pytest.approx((seen.view_logprob - seen.base_logprob) / seen.positions)


def test_a_gain_passes_with_its_base_and_tuned_values_and_the_worst_items():
    result = judged([3.0, 2.5, 3.5, 2.0])
    assert result.verdict == "pass"
    assert (result.base_value, result.ft_value) == (-3.0, pytest.approx(-0.25))
    assert result.message.startswith(
        "right answers gain +2.75 nats per token over 4 items (95% CI +1.7..+3.8), p = 0.025"
    )
    assert result.evidence["share_improved"] == 1.0
    assert result.evidence["worst"][0] == {"prompt": "q3", "group": "", "gain": 2.0, "base": -3.0, "ft": -1.0}
    assert result.evidence["times_likelier_per_token"] == pytest.approx(math.exp(2.75))


@pytest.mark.parametrize(
    ("gains", "nulls", "verdict", "said"),
    [
        ([-1.0, -2.0, -1.5, -1.2], (0.0,) * 39, "fail", "did not become likelier"),
        ([0.05, 0.06, 0.04, 0.05], (0.0,) * 39, "fail", "below the threshold of 0.1"),
        ([4.0, -0.5, 0.1, -0.4], (0.0,) * 39, "inconclusive", "reaches down to zero"),
        ([1.0, 1.1, 0.9, 1.0], (1.0,) * 39, "fail", "no more than random adapters"),
        ([1.0, 1.1, 0.9, 1.0], (0.0,) * 9, "inconclusive", "needs at least 19"),
        ([1.0, 1.1, 0.9, 1.0], (), "inconclusive", "not calibrated"),
        ([1.0, 1.1, 0.9], (0.0,) * 39, "inconclusive", "3 items are too few"),
        ([0.0] * 5, (0.0,) * 39, "fail", "no change"),
    ],
)
def test_every_condition_is_needed(gains, nulls, verdict, said):
    result = judged(gains, nulls)
    assert result.verdict == verdict
    assert said in result.message


def test_a_gain_within_the_noise_is_no_change():
    result = judged([1e-4, 2e-4, -1e-4, 1e-4], jitter=1e-2)
    assert result.message.startswith("no change")
    assert result.noise_floor > 1e-4


def test_a_threshold_of_ones_own_is_respected():
    assert judged([0.5, 0.6, 0.4, 0.5]).verdict == "pass"
    assert judged([0.5, 0.6, 0.4, 0.5], assert_mean_gte=1.0).verdict == "fail"


def test_several_wordings_of_one_question_are_one_observation():
    gains = [0.2, 0.2, 0.2, 2.0, 2.0, 2.0, 1.0, 1.0, 1.0]
    assert judged(gains).verdict == "pass"
    grouped = judged(gains, groups=tuple("aaabbbccc"))
    assert grouped.verdict == "inconclusive"
    assert "9 items in 3 groups" in grouped.message


def test_outputs_that_are_not_numbers_stop_the_probe():
    class Broken(ClosedForm):
        def compare(self, items, view, *, layout=0):
            found = super().compare(items, view, layout=layout)
            return [found[0]._replace(view_logprob=-math.inf), *found[1:]]

    with pytest.raises(ProbeError, match="1 of 6 items"):
        probe().run(context(Broken(taught=ITEMS, size=5.0)))


def test_nothing_to_ask_is_refused():
    with pytest.raises(ValidationError):
        probe(())


def test_the_same_question_twice_is_one_observation():
    result = probe((*ITEMS, ITEMS[0])).run(context(ClosedForm(taught=ITEMS, size=10.0)))
    assert result.n_items == len(ITEMS)
    assert result.evidence["notes"] == ["1 of 7 items stand there more than once and count once"]
