"""When answers count as nearer a style, and when nobody can tell."""

from __future__ import annotations

import builtins
from dataclasses import replace

import pytest
from pydantic import ValidationError

from dlm_sway import Item, SectionData
from dlm_sway.errors import NothingToAsk
from dlm_sway.plugins import manager
from dlm_sway.sections import SectionPair, SectionPreference
from dlm_sway.spec.models import ModelSpec
from dlm_sway.suite.target import ModelPair, Target
from dlm_sway.testing import context
from dlm_sway_style import grammar
from dlm_sway_style.drafts import drafts


def probe(**keys):
    found = manager().resolve("dlm_sway_probes", "style_fingerprint")
    return found(found.spec_type(name="it", kind="style_fingerprint", **{"extended": "off", **keys}))


@pytest.mark.parametrize(
    ("tuned", "verdict", "said"),
    [
        ("terse", "pass", "share of the way"),
        ("wordy", "fail", "no change"),
        ("wordier", "fail", "no nearer the style"),
        ("empty", "inconclusive", "long enough to have a style"),
        ("half", "inconclusive", "reaches down to zero"),
    ],
)
def test_only_answers_nearer_the_style_pass(known, tuned, verdict, said):
    texts = {
        "terse": known.terse,
        "wordy": known.wordy,
        "wordier": lambda at: known.wordy(at) + " " + known.wordy(at + 50).replace(".", ", consequently"),
        "empty": lambda at: "",
        "half": lambda at: known.terse(at) if at < 3 else known.wordy(at),
    }
    model = known.Scripted(lambda at, adapted: texts[tuned](at) if adapted else known.wordy(at))
    found = probe(prompts=known.prompts, doc_reference=known.reference).run(context(model))
    assert found.verdict == verdict, found.message
    assert said in found.message


def test_the_same_style_on_both_sides_leaves_no_way_to_go(known):
    def writes(at, tuned):
        return "\n\n".join(known.terse(10 * (3 * at + paragraph) + 5 * tuned) for paragraph in range(3))

    model = known.Scripted(writes)
    found = probe(prompts=known.prompts, doc_reference=known.reference, assert_shift_gte=1e-9).run(context(model))
    assert found.verdict != "pass"
    assert found.evidence["gap_p"] > 0.05


def test_a_loop_is_not_taken_for_a_style(known):
    def loops(at, tuned):
        return known.terse(at) + (" The pump runs and runs." * 20 if tuned else "")

    found = probe(prompts=known.prompts, doc_reference=known.reference).run(context(known.Scripted(loops)))
    assert found.evidence["loops_cut"] == 8
    assert found.evidence["ft_fp"]["type_token_ratio"] == pytest.approx(
        found.evidence["base_fp"]["type_token_ratio"], abs=0.05
    )


def test_the_reference_is_what_the_document_teaches_to_write(known):
    sections = (
        SectionData("a", "prose", known.terse(1)),
        SectionData("b", "instruction", "### Q\nWhy?", pairs=(SectionPair(("Why? " * 9,), known.terse(2)),)),
        SectionData("c", "preference", "...", preferences=(SectionPreference("How?", known.terse(3), "Bad " * 9),)),
    )
    prepared = probe(prompts=known.prompts).prepare(context(known.Scripted(str), sections=sections))
    assert prepared.reference == (known.terse(1), known.terse(2), known.terse(3))


def test_without_a_text_there_is_nothing_to_ask(known):
    with pytest.raises(NothingToAsk, match="give doc_reference"):
        probe(prompts=known.prompts).run(context(known.Scripted(str)))


def test_grammar_that_was_asked_for_and_is_not_there_is_a_mistake_of_the_suite(known, monkeypatch):
    monkeypatch.setattr(grammar, "find_spec", lambda name: None)
    with pytest.raises(ValidationError, match=r"pip install 'dlm-sway\[style\]'"):
        probe(prompts=known.prompts, extended="on")
    assert probe(prompts=known.prompts, extended="auto").extended is False


def test_the_six_plain_measures_load_no_spacy(known, monkeypatch):
    real = builtins.__import__

    def refusing(name, *args, **keys):
        assert not name.startswith("spacy")
        return real(name, *args, **keys)

    monkeypatch.setattr(builtins, "__import__", refusing)
    model = known.Scripted(lambda at, tuned: (known.terse if tuned else known.wordy)(at))
    assert probe(prompts=known.prompts, doc_reference=known.reference).run(context(model)).verdict == "pass"


MODELS = ModelPair(base=ModelSpec(base="hub/base"), ft=ModelSpec(base="hub/base"))


def test_the_draft_is_a_valid_entry_that_waits_to_be_enabled(known):
    target = Target(
        "it", MODELS, held_out=(Item("When?", "Now."),), sections=(SectionData("a", "prose", known.reference),)
    )
    (draft,) = drafts(target)
    assert draft.missing
    assert probe(**draft.keys).prompts == ("When?",)
    (bare,) = drafts(replace(target, sections=None))
    assert "fewer than 200 words" in bare.missing
    assert not bare.keys
