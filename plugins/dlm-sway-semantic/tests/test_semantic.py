"""What the two probes count, and when they cannot tell."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dlm_sway import Item, SectionData
from dlm_sway.plugins import manager
from dlm_sway.sections import SectionPair
from dlm_sway.spec.models import ModelSpec
from dlm_sway.suite.target import ModelPair, Target
from dlm_sway.testing import ClosedForm, context
from dlm_sway_semantic.drafts import drafts

CASES = [
    {"prompt": f"pump {n} ?", "gold": f"the pump {n} restarts", "paraphrases": [f"how is pump {n} ?", f"pump {n} :"]}
    for n in range(8)
]
GOLDS = {text: case["gold"] for case in CASES for text in (case["prompt"], *case["paraphrases"])}
OWN = {case["prompt"] for case in CASES}


def probe(kind, model, **keys):
    found = manager().resolve("dlm_sway_probes", kind)
    return found(found.spec_type(name="it", kind=kind, embedding_model=str(model), **keys))


@pytest.mark.parametrize(
    ("tuned", "verdict", "rate", "own"),
    [
        (lambda prompt: GOLDS[prompt], "pass", 0.0, 8),
        (lambda prompt: "nothing of that", "fail", 1.0, 0),
        (lambda prompt: "", "fail", 1.0, 0),
        (lambda prompt: GOLDS[prompt] if prompt in OWN else "nothing of that", "fail", 1.0, 8),
        (lambda prompt: GOLDS[prompt] if ":" in prompt else "nothing of that", "fail", 0.5, 0),
    ],
)
def test_reverts_are_counted_under_other_wordings(tiny_model, scripted, tuned, verdict, rate, own):
    model = scripted(lambda prompt, adapted: tuned(prompt) if adapted else "nothing of that")
    found = probe("adapter_revert", tiny_model, cases=CASES).run(context(model))
    assert (found.verdict, found.evidence["revert_rate"], found.evidence["own_wording_held"]) == (verdict, rate, own)
    assert found.raw == pytest.approx(1 - rate)


def test_what_the_base_answers_anyway_is_left_out(tiny_model, scripted):
    known = {text for case in CASES[:3] for text in case["paraphrases"]}
    model = scripted(lambda prompt, tuned: GOLDS[prompt] if tuned or prompt in known else "nothing of that")
    found = probe("adapter_revert", tiny_model, cases=CASES).run(context(model))
    assert (found.evidence["total"], found.evidence["dropped_trivial"]) == (10, 6)
    assert found.verdict == "pass"
    assert found.ci_95[0] < 0.7, "five cases that all hold leave the share open"


def test_a_base_that_knows_everything_has_nothing_to_revert(tiny_model, scripted):
    found = probe("adapter_revert", tiny_model, cases=CASES).run(context(scripted(lambda prompt, tuned: GOLDS[prompt])))
    assert (found.verdict, found.raw) == ("inconclusive", None)


def test_three_cases_are_too_few_however_many_wordings_they_have(tiny_model, scripted):
    model = scripted(lambda prompt, tuned: GOLDS[prompt] if tuned else "nothing of that")
    found = probe("adapter_revert", tiny_model, cases=CASES[:3]).run(context(model))
    assert found.verdict == "inconclusive"
    assert "3 independent groups" in found.message


TIDES = [Item(f"the lock {n} opens at the tide", f"gate {n} opens", "") for n in range(12)]
BREADS = [Item(f"bake bread {n} oven dough", f"oven {n}", "") for n in range(12)]


def cases(*items):
    return [{"prompt": item.prompt, "reference": item.reference, "group": item.group} for item in items]


def test_an_effect_on_every_topic_alike_follows_none(tiny_model):
    model = ClosedForm(taught=[*TIDES, *BREADS], size=24.0)
    found = probe("cluster_kl", tiny_model, cases=cases(*TIDES, *BREADS), num_clusters=2).run(context(model))
    assert found.verdict == "fail"


def test_an_effect_on_one_topic_passes_with_the_larger_of_both_p_values(tiny_model):
    model = ClosedForm(taught=TIDES, size=18.0)
    found = probe("cluster_kl", tiny_model, cases=cases(*TIDES, *BREADS), num_clusters=2).run(context(model))
    assert found.verdict == "pass", found.message
    assert found.p_value == 0.025 > found.evidence["permutation_p"]
    assert sorted(found.evidence["per_cluster_size"]) == [12, 12]
    assert len(found.evidence["cluster_exemplars"]) == 2


def test_wordings_of_one_question_are_one_question(tiny_model):
    wordings = [replace_group(item, f"{item.prompt} {at}", str(n)) for n, item in enumerate(TIDES) for at in range(3)]
    found = probe("cluster_kl", tiny_model, cases=cases(*wordings, *BREADS), num_clusters=2)
    result = found.run(context(ClosedForm(taught=wordings, size=30.0)))
    assert result.n_items == 24


def replace_group(item, prompt, group):
    return item._replace(prompt=prompt, group=group)


@pytest.mark.parametrize(("keys", "needed"), [({}, 20), ({"min_prompts": 4, "num_clusters": 7}, 14)])
def test_too_few_questions_decide_nothing(tiny_model, keys, needed):
    found = probe("cluster_kl", tiny_model, cases=cases(*TIDES), **keys).run(context(ClosedForm(taught=TIDES, size=9)))
    assert found.verdict == "inconclusive"
    assert f"{needed} are needed" in found.message


def test_without_random_adapters_a_topic_is_not_shown_to_be_the_trainings(tiny_model):
    keys = {"cases": cases(*TIDES, *BREADS), "num_clusters": 2}
    found = probe("cluster_kl", tiny_model, **keys).run(context(ClosedForm(taught=TIDES, size=18.0), nulls=0))
    assert (found.verdict, found.p_value) == ("inconclusive", None)


MODELS = ModelPair(base=ModelSpec(base="hub/base"), ft=ModelSpec(base="hub/base"))
PAIRS = tuple(SectionPair((f"What is {n}?",), f"It is {n}.", group=f"fact {n}") for n in range(10))
HELD_OUT = tuple(Item(f"In other words, what is {n}?", f"It is {n}.", f"fact {n}") for n in range(10))
FULL = Target(
    "it", MODELS, held_out=HELD_OUT, sections=(SectionData("a", "instruction", "...", pairs=PAIRS, held_out=HELD_OUT),)
)


def test_drafts_are_valid_entries_about_what_was_held_out(tiny_model):
    found = {draft.kind: draft for draft in drafts(FULL)}
    for kind, draft in found.items():
        assert probe(kind, tiny_model, **draft.keys)
    assert found["adapter_revert"].keys["cases"][0]["paraphrases"] == ["In other words, what is 0?"]
    assert {case["prompt"] for case in found["cluster_kl"].keys["cases"]} > {item.prompt for item in HELD_OUT}


def test_a_target_without_questions_gets_reasons_instead():
    for draft in drafts(replace(FULL, held_out=(), sections=None)):
        assert draft.missing
        assert not draft.keys
