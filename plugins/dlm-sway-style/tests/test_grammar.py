"""What spaCy's English model says about real sentences."""

from __future__ import annotations

import pytest

from dlm_sway.plugins import manager
from dlm_sway.testing import context
from dlm_sway_style import grammar

needs_spacy = pytest.mark.skipif(bool(grammar.missing()), reason=f"needs {grammar.INSTALL}")


@pytest.mark.parametrize(
    ("word", "number"),
    [("pump", 1), ("the", 1), ("table", 2), ("restarts", 2), ("machine", 2), ("seventeen", 3), ("ice", 1), ("7", 1)],
)
def test_syllables_are_groups_of_vowels(word, number):
    assert grammar.syllables(word) == number


@pytest.mark.slow
@needs_spacy
def test_participles_after_nouns_are_found_and_others_are_not():
    passive = dict(
        zip(grammar.DIMENSIONS, grammar.measure("Data collected by the team was lost. It rained."), strict=True)
    )
    active = dict(zip(grammar.DIMENSIONS, grammar.measure("The team lost the data. It rained."), strict=True))
    assert (passive["participles_after_nouns"], active["participles_after_nouns"]) == (0.5, 0.0)


@pytest.mark.slow
@needs_spacy
def test_sentences_of_one_pattern_are_less_even_than_varied_ones():
    same = "The pump restarts the valve. " * 6
    varied = "When it rains, open the old gate. Nobody knows why. Ships wait outside until the tide has turned again."
    at = grammar.DIMENSIONS.index("word_order_entropy")
    assert grammar.measure(same)[at] < grammar.measure(varied)[at] <= 1.0


@pytest.mark.slow
@needs_spacy
def test_all_nine_measures_judge_and_say_which_model_they_used(known):
    found = manager().resolve("dlm_sway_probes", "style_fingerprint")
    keys = {"prompts": known.prompts, "doc_reference": known.reference, "extended": "on"}
    model = known.Scripted(lambda at, tuned: (known.terse if tuned else known.wordy)(at))
    result = found(found.spec_type(name="it", kind="style_fingerprint", **keys)).run(context(model))
    assert result.verdict == "pass", result.message
    assert set(grammar.DIMENSIONS) < set(result.evidence["ft_fp"])
    assert result.evidence["language_model"].startswith("en_core_web_sm")
