from __future__ import annotations

import math

import pytest
from pydantic import ValidationError

from dlm_sway import Item, Measurement
from dlm_sway.errors import NotSupported, ProbeError
from dlm_sway.testing import ClosedForm, context
from dlm_sway_probes.delta_kl import DeltaKl, DeltaKlSpec

PROMPTS = [f"Berth {i} lies" for i in range(8)]
RANDOM = {"direction": "random", "seed": 2, "size": 60.0}


def probe(**keys):
    return DeltaKl(DeltaKlSpec(name="moved", kind="delta_kl", **{"prompts": PROMPTS, **keys}))


def judged(values, nulls=(0.001,) * 39, alpha=0.05, jitter=0.0, groups=(), **keys):
    """The verdict on made-up measurements."""
    prompts = [f"p{i}" for i in range(len(values))]
    measured = Measurement(tuple(values), groups)
    made = [Measurement((null + i * 1e-6,) * len(values)) for i, null in enumerate(nulls)]
    return probe(prompts=prompts, **keys).judge(measured, made, context(ClosedForm(jitter=jitter), alpha=alpha))


def test_the_message_holds_the_number_its_interval_the_floor_the_p_and_its_resolution():
    result = judged([3.0, 2.5, 3.5, 3.2, 2.8], divergence="kl", jitter=1e-4)
    assert result.verdict == "pass"
    assert result.message.startswith("mean KL 3 nats over 5 items (95% CI 2.5..3.5), noise floor ")
    assert result.message.endswith("p = 0.025 vs 39 random adapters of the same size (smallest possible 0.025)")
    assert 0 < result.noise_floor < 1e-6
    assert result.ci_95 == pytest.approx((2.5272, 3.4728), abs=1e-4)
    assert (result.n_items, result.nulls.n, result.seeks) == (5, 39, "change")


def test_below_the_threshold_fails_though_significant():
    result = judged([0.015, 0.016, 0.014, 0.015], nulls=(1e-5,) * 39)
    assert (result.verdict, result.message.split(":")[0]) == ("fail", "below the threshold of 0.02 nats")


def test_as_much_as_random_adapters_fails_though_above_the_threshold():
    result = judged([0.3, 0.31, 0.29, 0.3], nulls=(0.3,) * 39)
    assert result.verdict == "fail"
    assert "not more than a random adapter of the same size" in result.message


def test_too_few_nulls_to_ever_reach_alpha_are_not_a_verdict():
    result = judged([0.3, 0.31, 0.29, 0.3], nulls=(0.001,) * 3)
    assert result.verdict == "inconclusive"
    assert "needs at least 19" in result.message
    assert judged([0.3, 0.31, 0.29, 0.3], nulls=(0.001,) * 39, alpha=0.01).verdict == "inconclusive"


def test_no_nulls_at_all_say_why():
    result = probe().run(context(ClosedForm(**RANDOM), nulls=0))
    assert result.verdict == "inconclusive"
    assert "no enabled null_adapter entry" in result.message
    assert result.nulls is None


def test_an_adapter_that_has_no_null_is_never_passed_by_a_threshold_alone():
    class PromptTuning(ClosedForm):
        def compare(self, items, view, *, layout=0):
            if view.kind == "null":
                raise NotSupported("prompt tuning has no random counterpart")
            return super().compare(items, view, layout=layout)

    result = probe().run(context(PromptTuning(**RANDOM)))
    assert result.verdict == "inconclusive"
    assert "prompt tuning has no random counterpart" in result.message


@pytest.mark.parametrize("values", [[0.5], [0.5, 0.6], [0.5, 0.6, 0.7]])
def test_fewer_than_four_items_decide_nothing(values):
    result = judged(values)
    assert result.verdict == "inconclusive"
    assert "at least 4" in result.message


def test_an_interval_that_reaches_the_noise_asks_for_more_items():
    result = judged([2.0, 0.0, 0.0, 0.0, 0.0])
    assert result.verdict == "inconclusive"
    assert "more items" in result.message


def test_a_change_within_the_noise_is_no_change():
    backend = ClosedForm(direction="random", seed=2, size=1e-3, jitter=1.0)
    result = probe().run(context(backend))
    assert result.verdict == "fail"
    assert result.message.startswith("no change: nothing above numeric noise")


def test_items_about_the_same_thing_count_as_one_observation():
    values = [0.5, 0.5, 0.5, 0.9, 0.9, 0.9]
    alone, grouped = judged(values), judged(values, groups=tuple("aaabbb"))
    assert alone.ci_95[1] - alone.ci_95[0] < grouped.ci_95[1] - grouped.ci_95[0]
    assert "in 2 groups" in grouped.message
    assert grouped.evidence["clusters"] == 2


def test_a_model_that_is_random_elsewhere_only_moves_its_own_tokens():
    cases = [{"prompt": prompt, "reference": "one two three"} for prompt in PROMPTS]
    along = probe(prompts=[], cases=cases).run(context(ClosedForm(**RANDOM)))
    first = probe().run(context(ClosedForm(**RANDOM)))
    assert along.raw != first.raw
    assert along.n_items == first.n_items == 8
    assert len(along.evidence["largest"]) == 8


def test_js_stays_below_ln_2_and_kl_does_not_have_to():
    loud = ClosedForm(direction="random", seed=2, size=1000.0)
    assert probe().run(context(loud)).raw <= math.log(2)
    assert probe(divergence="kl").run(context(loud)).raw > math.log(2)


def test_the_guard_passes_only_when_harm_beyond_the_margin_is_ruled_out():
    quiet = [0.05, 0.06, 0.04, 0.05, 0.07]
    passed = judged(quiet, assert_mean_lte=0.3)
    assert (passed.verdict, passed.seeks, passed.p_value) == ("pass", "harm", None)
    assert passed.message.startswith("stays within the margin of 0.3 nats: mean JS 0.054 nats over 5 items")
    assert judged([0.5, 0.6, 0.4, 0.5], assert_mean_lte=0.3).verdict == "fail"
    assert judged([0.05, 0.9, 0.02, 0.1], assert_mean_lte=0.3).verdict == "inconclusive"


def test_the_guard_does_not_decide_on_three_items():
    assert judged([0.0, 0.0, 0.0], assert_mean_lte=0.3).verdict == "inconclusive"
    assert judged([9.0, 9.1, 9.0], assert_mean_lte=0.3).verdict == "inconclusive"


def test_the_guard_measures_no_nulls():
    where = context(ClosedForm(**RANDOM))
    probe(assert_mean_lte=0.5).run(where)
    assert where.scoring.counts.cache_misses == 2 * len(PROMPTS)


def test_the_old_z_is_an_additional_test_that_knows_how_few_the_nulls_are():
    nulls = [0.10 + 0.01 * (i % 5) for i in range(20)]
    passed = judged([0.3] * 4, nulls=nulls, assert_z_gte=3.0)
    failed = judged([0.15] * 4, nulls=nulls, assert_z_gte=3.0)
    assert passed.verdict == "pass"
    assert passed.evidence["level"] == pytest.approx(0.00135, abs=1e-5)
    assert failed.verdict == "fail"
    assert "assert_z_gte 3" in failed.message
    assert any("deprecated" in note for note in passed.evidence["notes"])


def test_top_k_of_old_files_is_accepted_and_said_to_have_no_effect():
    with_k, without = probe(top_k=20), probe()
    backend = ClosedForm(**RANDOM)
    assert with_k.run(context(backend)).raw == without.run(context(backend)).raw
    assert "top_k" in with_k.run(context(backend)).evidence["notes"][0]


def test_outputs_that_are_not_numbers_stop_the_probe_and_name_a_prompt():
    class Broken(ClosedForm):
        def compare(self, items, view, *, layout=0):
            return [c._replace(js=math.nan) for c in super().compare(items, view, layout=layout)]

    with pytest.raises(ProbeError, match=r"8 of 8 items .* under ft, the first being 'Berth 0 lies'"):
        probe().run(context(Broken(**RANDOM)))


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"prompts": []}, "nothing to ask"),
        ({"divergence": "hellinger"}, "divergence"),
        ({"assert_mean_lte": 0.1, "assert_mean_gte": 0.1}, "make two entries"),
        ({"top_k": -1}, "top_k"),
        ({"cases": [{"prompt": "a"}]}, "reference"),
        ({"cases": [{"prompt": "a", "reference": "b", "gold": "c"}]}, "gold"),
    ],
)
def test_a_suite_entry_that_makes_no_sense_is_refused(keys, said):
    with pytest.raises(ValidationError, match=said):
        probe(**keys)


def test_prompts_and_cases_are_asked_together():
    spec = probe(cases=[{"prompt": "a", "reference": "b", "group": "g"}]).spec
    assert spec.items == (*(Item(prompt) for prompt in PROMPTS), Item("a", "b", "g"))


def test_an_item_that_stands_there_twice_counts_once_and_is_noted():
    twice = [{"prompt": "a", "reference": "b", "group": group} for group in ("g", "h")]
    result = probe(prompts=[*PROMPTS, PROMPTS[0]], cases=twice).run(context(ClosedForm(**RANDOM)))
    assert result.n_items == len(PROMPTS) + 1
    assert result.evidence["notes"] == ["2 of 11 items stand there more than once and count once"]
