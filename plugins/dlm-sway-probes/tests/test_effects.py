"""Probes that look for what was meant, or for its shape: each condition, and when the answer is open."""

from __future__ import annotations

import math

import pytest
from pydantic import ValidationError

from dlm_sway import Item, Measurement
from dlm_sway.errors import NothingToAsk
from dlm_sway.plugins import manager
from dlm_sway.scoring.types import FT, View
from dlm_sway.sections import SectionData
from dlm_sway.testing import ClosedForm, context
from dlm_sway_probes.fading import fading
from dlm_sway_probes.internalization import relevant
from dlm_sway_probes.prompt_collapse import filler

CASES = [{"prompt": f"q {n}?", "gold": f"answer {n} here", "paraphrases": [f"tell {n}", f"say {n}"]} for n in range(8)]
OWN = [Item(case["prompt"], case["gold"]) for case in CASES]
OTHERS = [Item(prompt, case["gold"]) for case in CASES for prompt in case["paraphrases"]]
PROMPTS = [f"Berth {n} lies" for n in range(8)]


def probe(kind, **keys):
    found = manager().resolve("dlm_sway_probes", kind)
    return found(found.spec_type(name="it", kind=kind, **keys))


@pytest.mark.parametrize(
    ("taught", "intent", "verdict", "said"),
    [
        (OWN + OTHERS, "generalize", "pass", "share 0.95"),
        (OWN + OTHERS, "memorize", "fail", "other wordings keep more than"),
        (OWN, "generalize", "fail", "learned by its wording"),
        (OWN, "both", "fail", "learned by its wording"),
        (OWN, "memorize", "pass", ""),
        (OTHERS, "generalize", "fail", "not learned"),
    ],
)
def test_other_wordings_decide_what_was_learned(taught, intent, verdict, said):
    result = probe("paraphrase_invariance", cases=CASES, intent=intent).run(
        context(ClosedForm(taught=taught, size=24.0))
    )
    assert result.verdict == verdict
    assert said in result.message


def test_the_share_is_not_ignored_because_the_gain_is_significant():
    keys = {"cases": CASES, "min_generalization_ratio": 1.5}
    result = probe("paraphrase_invariance", **keys).run(context(ClosedForm(taught=OWN + OTHERS, size=24.0)))
    assert result.p_value == 0.025
    assert result.verdict == "fail"


def test_effects_that_stay_or_grow_do_not_collapse():
    flat = fading([0, 256, 512], [[0.1, 0.1, 0.1]] * 5, 0.0, 512, 0.05)
    grown = fading([0, 256, 512], [[0.1, 0.2, 0.3]] * 5, 0.0, 512, 0.05)
    assert (flat.test.outcome, flat.half_life) == ("pass", None)
    assert (grown.test.outcome, grown.half_life) == ("pass", None)


def test_a_known_half_life_is_found_with_its_interval():
    rows = [[2 ** (-x / life) for x in (0, 100, 200, 400)] for life in (90, 100, 110, 100)]
    found = fading([0, 100, 200, 400], rows, 0.0, 512, 0.05)
    assert found.test.outcome == "fail"
    assert found.half_life == pytest.approx(99.5, abs=1.0)
    low, high = found.half_life_ci
    assert low < 100 < high
    assert fading([0, 100, 200, 400], rows, 0.0, 50, 0.05).test.outcome == "pass"


def test_an_effect_below_the_noise_is_dropped_at_the_start_and_counts_as_the_noise_later():
    found = fading([0, 100], [[1e-9, 1e-9], [0.4, 1e-9], [0.4, 0.1]], 0.1, 512, 0.05)
    assert (found.kept, found.dropped) == (2, 1)
    assert found.half_life == pytest.approx(50.0)
    assert fading([0, 100], [[1e-9, 1.0]], 0.1, 512, 0.05) is None


def test_the_filler_is_prose_of_at_most_that_many_tokens_each_the_beginning_of_the_next():
    scoring = context(ClosedForm()).scoring
    none, short, long = filler([0, 40, 90], scoring)
    assert none == ""
    assert long.startswith(short)
    assert scoring.count_tokens([short, long]) == [40, 90]


def test_strength_zero_that_is_not_the_base_is_found():
    class Leaky(ClosedForm):
        def compare(self, items, view, **keys):
            if view == View("scaled", scale=0.0):
                view = View("scaled", scale=0.3)
            return super().compare(items, view, **keys)

    result = probe("adapter_ablation", prompts=PROMPTS).run(context(Leaky(direction="random", seed=1, size=40.0)))
    assert result.verdict == "fail"
    assert "at strength 0 the model is not its base" in result.message


def test_strength_one_that_is_not_the_adapter_is_found():
    class Shrunk(ClosedForm):
        def compare(self, items, view, **keys):
            if view.kind == "scaled":
                view = View("scaled", scale=view.scale * 0.9)
            return super().compare(items, view, **keys)

    result = probe("adapter_ablation", prompts=PROMPTS).run(context(Shrunk(direction="random", seed=1, size=40.0)))
    assert "at strength 1 the model is not the one with the adapter" in result.message


def test_an_effect_that_falls_below_full_strength_fails():
    class Dips(ClosedForm):
        def compare(self, items, view, **keys):
            if view == View("scaled", scale=0.75):
                view = View("scaled", scale=0.1)
            return super().compare(items, view, **keys)

    prompts = [f"Berth {n} lies" for n in range(40)]
    result = probe("adapter_ablation", prompts=prompts).run(context(Dips(direction="random", seed=1, size=40.0)))
    assert result.verdict == "fail"
    assert "the effect falls from strength 0.5 to 0.75" in result.message


def test_a_small_update_grows_with_the_square_of_its_strength_and_that_is_normal():
    result = probe("adapter_ablation", prompts=PROMPTS).run(context(ClosedForm(direction="random", seed=1, size=2.0)))
    assert result.verdict == "pass"
    assert result.raw == pytest.approx(2.0, abs=0.02)


def test_the_best_strength_for_the_references_is_named():
    cases = [{"prompt": item.prompt, "reference": item.reference} for item in OWN]
    result = probe("adapter_ablation", cases=cases).run(context(ClosedForm(taught=OWN, size=12.0)))
    assert result.evidence["best"]["lambda"] == 1.25
    assert result.evidence["best"]["better_than_1_ci_95"][0] > 0


def test_lambdas_are_sorted_and_hold_full_strength():
    assert probe("adapter_ablation", prompts=["a"], lambdas=[1.5, 0.0, 0.5]).spec.lambdas == (0.0, 0.5, 1.0, 1.5)
    with pytest.raises(ValidationError, match="three different strengths"):
        probe("adapter_ablation", prompts=["a"], lambdas=[1.0, 1.0, 0.5])
    with pytest.raises(ValidationError, match="0 or more"):
        probe("adapter_ablation", prompts=["a"], lambdas=[-1.0, 0.0, 0.5])


def flips(before, after, **keys):
    """The verdict on these margins, with quiet nulls."""
    triples = [{"prompt": f"p{n}", "chosen": "a", "rejected": "b"} for n in range(len(before))]
    moved = tuple(b - a for a, b in zip(before, after, strict=True))
    measured = Measurement(moved, (), {"before": before, "after": after})
    nulls = [Measurement((n * 1e-6,) * len(before)) for n in range(39)]
    return probe("preference_flip", triples=triples, **keys).judge(measured, nulls, context(ClosedForm()))


def test_flips_to_the_worse_are_counted_too():
    assert flips([-1.0] * 8, [1.0] * 8).verdict == "pass"
    worse = flips([-1.0] * 8 + [1.0] * 9, [1.0] * 8 + [-0.1] * 9)
    assert worse.verdict == "fail"
    assert "8 preferences turned to the better and 9 to the worse" in worse.message
    unsure = flips([-1.0] * 8 + [1.0] * 5, [1.0] * 8 + [-0.1] * 5)
    assert unsure.verdict == "inconclusive"


def test_too_few_preferences_that_the_base_gets_wrong_decide_nothing():
    result = flips([1.0] * 6 + [-1.0] * 2, [2.0] * 8)
    assert (result.verdict, result.raw, result.n_items) == ("inconclusive", None, 2)
    assert "the base gets 2 of 8 triples wrong" in result.message


def test_a_threshold_on_flips_holds_however_significant_they_are():
    assert flips([-1.0] * 40, [1.0] * 20 + [-0.5] * 20).verdict == "fail"
    assert flips([-1.0] * 40, [1.0] * 20 + [-0.5] * 20, assert_flip_rate_gte=0.4).verdict == "pass"


def test_margins_can_be_counted_per_token():
    triples = [{"prompt": "p", "chosen": "one two three four", "rejected": "one"}]
    backend = ClosedForm(direction="random", seed=1, size=30.0)
    whole = probe("preference_flip", triples=triples).measure(context(backend).scoring, FT)
    each = probe("preference_flip", triples=triples, per_token=True).measure(context(backend).scoring, FT)
    a, b = backend.compare([Item("p", "one two three four"), Item("p", "one")], FT)
    assert whole.evidence["after"][0] == pytest.approx(a.view_logprob - b.view_logprob)
    assert each.evidence["after"][0] == pytest.approx(a.view_logprob / a.positions - b.view_logprob / b.positions)


def test_a_section_that_learned_is_told_from_one_that_did_not(known):
    class Half(ClosedForm):
        """The first three sections lost a third of their loss."""

        def texts(self, texts, view):
            taught = " ".join(known.taught_texts[:3])
            found = zip(texts, super().texts(texts, view), strict=True)
            return [
                one._replace(logprob=one.logprob * 2 / 3) if view.kind == "ft" and text in taught else one
                for text, one in found
            ]

    result = probe("section_internalization").run(context(Half(), sections=known.sections))
    rows = {row["section_id"]: row for row in result.evidence["per_section"]}
    assert [rows[f"s{n}"]["passed"] for n in range(6)] == [True] * 3 + [False] * 3
    assert result.raw == pytest.approx(3 * (1 / 3) / len(rows))


def test_what_became_likelier_everywhere_was_not_learned(known):
    class Fluent(ClosedForm):
        """Every text and every answer became likelier by the same share."""

        def texts(self, texts, view):
            found = super().texts(texts, view)
            return [one._replace(logprob=one.logprob * 0.5) for one in found] if view.kind == "ft" else found

        def compare(self, items, view, **keys):
            found = super().compare(items, view, **keys)
            if view.kind != "ft":
                return found
            return [one._replace(view_logprob=one.base_logprob * 0.5) for one in found]

    result = probe("section_internalization").run(context(Fluent(), sections=known.sections))
    assert result.verdict == "fail"
    assert result.raw == pytest.approx(0.0, abs=1e-9)
    assert result.evidence["control_lift"] == pytest.approx({"text": 0.5, "answers": 0.5})


def test_the_share_of_reading_is_the_ratio_of_the_two_gains(known):
    cases = known.reading_cases
    backend = ClosedForm(taught=[Item(one["prompt"], one["reference"]) for one in cases], size=6.0)
    result = probe("internalization", cases=cases).run(context(backend))
    assert result.raw == pytest.approx(result.evidence["gain"] / result.evidence["reading_gain"])
    assert result.ci_95[0] < result.raw < result.ci_95[1]
    assert probe("internalization", cases=cases, assert_ratio_gte=50.0).run(context(backend)).verdict == "fail"


def test_reading_that_does_not_help_leaves_the_share_undefined():
    cases = [{"prompt": f"q{n}", "reference": f"r{n}", "context": "Nothing of that."} for n in range(12)]
    result = probe("internalization", cases=cases).run(context(ClosedForm(direction="random", seed=1, size=30.0)))
    assert (result.verdict, result.raw) == ("inconclusive", None)
    assert result.message.startswith("undefined: the base does not answer better with the text before it")


def test_sections_are_asked_backwards_too_where_they_can_be(known):
    cases = known.reading_cases
    items = [Item(one["prompt"], one["reference"], one["group"]) for one in cases]
    text = " ".join(one["context"] for one in cases)
    section = SectionData("a", "prose", text, held_out=tuple(items[:5]), reversed=tuple(items[5:]))
    found = probe("internalization").run(context(ClosedForm(taught=items, size=10.0), sections=[section]))
    assert {name: row["n"] for name, row in found.evidence["per_direction"].items()} == {"forward": 5, "reversed": 3}
    assert found.evidence["per_section"][0]["n"] == 8


def test_reversed_questions_are_summed_up_on_their_own(known):
    cases = [{**one, "direction": "reversed" if n % 2 else "forward"} for n, one in enumerate(known.reading_cases)]
    found = probe("internalization", cases=cases).run(context(ClosedForm(direction="random", seed=1, size=9.0)))
    assert {name: row["n"] for name, row in found.evidence["per_direction"].items()} == {"forward": 4, "reversed": 4}


def test_of_a_long_text_the_piece_about_the_question_is_read():
    text = "Cats sleep long. " * 30 + "The pump restarts after forty seconds. " + "Dogs bark at night. " * 30
    assert "forty seconds" in relevant(text, "When does the pump restart? After forty seconds.", 200)
    assert relevant("Short.", "anything", 200) == "Short."


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("preference_flip", "give some in the suite, or dlm_source"),
        ("section_internalization", "dlm_source"),
        ("internalization", "give cases with a context"),
        ("leakage", "dlm_source"),
        ("bleed", "give terms"),
        ("contamination", "give prompts or cases"),
    ],
)
@pytest.mark.parametrize("sections", [None, (SectionData("s", "prose", "Short."),)])
def test_without_anything_to_ask_a_probe_says_what_it_needs(kind, said, sections):
    with pytest.raises(NothingToAsk, match=said):
        probe(kind).run(context(ClosedForm(), sections=sections))


def test_every_turn_is_asked_with_what_was_said_before(known):
    seen = []

    class Listening(known.Scripted):
        def compare(self, items, view, **keys):
            seen.extend(items)
            return super().compare(items, view, **keys)

    def says(item, tuned):
        return f"{'tuned' if tuned else 'base'} {len(item.before)}"

    backend = Listening(says, direction="random", size=9.0)
    keys = {"prompts": ["Hello?"], "max_turns": 3, "follow_ups": ["And?"]}
    result = probe("multi_turn_coherence_decay", **keys).run(context(backend))
    written = [item for item in seen if item.before and item.before[1][1].startswith("tuned")]
    assert written[-1].before == (
        ("user", "Hello?"),
        ("assistant", "tuned 0"),
        ("user", "And?"),
        ("assistant", "tuned 2"),
    )
    assert len(result.evidence["per_turn_kls"]) == 3
    assert all(map(math.isfinite, result.evidence["per_turn_kls"]))
