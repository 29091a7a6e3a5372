"""What is drafted for a document runs; what cannot run says why."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dlm_sway import Item, SectionData
from dlm_sway.plugins import manager
from dlm_sway.sections import SectionPair, SectionPreference
from dlm_sway.spec.load import plan
from dlm_sway.spec.models import Models, ModelSpec, Suite
from dlm_sway.suite.target import ModelPair, Target
from dlm_sway_probes.drafts import MOST_CASES, drafts

MODELS = ModelPair(base=ModelSpec(base="hub/base"), ft=ModelSpec(base="hub/base"))
HELD_OUT = tuple(Item(f"In other words, what is {n}?", f"It is {n}.", f"fact {n}") for n in range(6))
SECTIONS = (
    SectionData("a", "prose", "The pump restarts after forty seconds. " * 20, held_out=HELD_OUT[:3]),
    SectionData(
        "b",
        "instruction",
        "...",
        pairs=tuple(SectionPair((f"What is {n}?",), f"It is {n}.", group=f"fact {n}") for n in range(6)),
        held_out=HELD_OUT[3:],
    ),
    SectionData("c", "preference", "...", preferences=(SectionPreference("How?", "So.", "Not so."),)),
)
FULL = Target("notes.dlm v0001", MODELS, held_out=HELD_OUT, taught=(Item("What is 1?", "It is 1."),), sections=SECTIONS)
BARE = Target("adapter", MODELS)


def by_name(target):
    return {draft.name: draft for draft in drafts(target)}


@pytest.mark.parametrize("target", [FULL, BARE], ids=["document", "folder"])
def test_every_draft_that_is_not_left_out_is_a_valid_entry(target):
    entries = [
        {"name": one.name, "kind": one.kind, **one.keys} for one in drafts(target) if one.keys or not one.missing
    ]
    suite = Suite(models=Models(base=MODELS.base, ft=MODELS.ft), suite=tuple(entries))
    assert len(plan(suite, manager(), "drafted").probes) == len(entries)


def test_a_full_document_leaves_out_only_the_curve_that_a_folder_has_not_and_tools():
    assert {name for name, draft in by_name(FULL).items() if draft.missing} == {"training_curve", "tool_use"}


def test_what_judges_was_held_out():
    found = by_name(FULL)
    unseen = {item.prompt for item in HELD_OUT}
    assert {case["prompt"] for case in found["learned"].keys["cases"]} == unseen
    assert {case["prompt"] for case in found["delta_kl_doc"].keys["cases"]} == unseen
    assert found["paraphrase_invariance"].keys["cases"][4] == {
        "prompt": "What is 4?",
        "gold": "It is 4.",
        "paraphrases": ["In other words, what is 4?"],
    }


def test_a_folder_says_what_it_would_take_to_ask_more():
    found = by_name(BARE)
    for name in ("learned", "section_attribution", "internalization", "preference_flip", "verbatim_leak", "bleed"):
        assert found[name].missing, name
        assert not found[name].keys, name
    assert "`### Q !probe`" in found["learned"].missing
    assert found["general_knowledge"].missing == ""


def test_many_questions_are_cut_to_one_a_fact_first():
    items = tuple(Item(f"{wording} {fact}?", "yes", f"fact {fact}") for fact in range(40) for wording in range(3))
    cases = by_name(replace(FULL, held_out=items))["learned"].keys["cases"]
    assert len(cases) == MOST_CASES
    assert len({case["group"] for case in cases}) == 40
