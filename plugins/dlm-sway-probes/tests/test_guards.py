"""Probes that look for harm: what they count, and when they cannot tell."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlm_sway import Item, Measurement
from dlm_sway.data import general_items, knowledge, prose
from dlm_sway.plugins import manager
from dlm_sway.scoring.types import FT, Answer
from dlm_sway.testing import ClosedForm, context
from dlm_sway_probes.bleed import topic_terms
from dlm_sway_probes.degeneration import loops
from dlm_sway_probes.leakage import recall
from dlm_sway_probes.texts import in_turn, pieces


def probe(kind, **keys):
    found = manager().resolve("dlm_sway_probes", kind)
    return found(found.spec_type(name="it", kind=kind, **keys))


class Worse(ClosedForm):
    """The facts at these places lost; nothing else changed."""

    def __init__(self, lost, by=4.0):
        super().__init__()
        self.lost, self.by = {knowledge()[at].prompt for at in lost}, by

    def compare(self, items, view, **keys):
        found = super().compare(items, view, **keys)
        return [
            one._replace(view_logprob=one.base_logprob - self.by * one.positions)
            if view.kind == "ft" and item.prompt in self.lost
            else one
            for item, one in zip(items, found, strict=True)
        ]


@pytest.mark.parametrize(("lost", "verdict"), [(0, "pass"), (20, "pass"), (30, "inconclusive"), (60, "fail")])
def test_lost_knowledge_is_judged_by_an_exact_bound(lost, verdict):
    result = probe("calibration_drift", assert_mean_delta_gte=-3.0).run(context(Worse(range(lost))))
    assert (result.verdict, result.raw) == (verdict, lost / 200)
    assert result.evidence["regressed_count"] == lost


def test_a_mean_that_falls_fails_though_no_single_answer_is_a_regression():
    result = probe("calibration_drift").run(context(Worse(range(200), by=0.9)))
    assert (result.verdict, result.raw) == ("fail", 0.0)
    assert "the mean change goes beyond the margin of -0.5" in result.message


def test_twenty_sound_items_do_not_show_that_fewer_than_fifteen_percent_were_lost():
    assert probe("calibration_drift", items_limit=19).run(context(ClosedForm())).verdict == "pass"
    assert probe("calibration_drift", items_limit=18).run(context(ClosedForm())).verdict == "inconclusive"


def test_a_limit_takes_facts_of_every_kind():
    kinds = {fact.prompt: fact.kind for fact in knowledge()}
    assert len({kinds[item.prompt] for item, _ in probe("calibration_drift", items_limit=16).pairs}) == 8


def test_only_what_the_base_knows_is_asked_when_the_suite_says_so():
    class Known(ClosedForm):
        def compare(self, items, view, **keys):
            right = {fact.answer for fact in knowledge()[:50]}
            return [
                one._replace(base_logprob=-1.0, view_logprob=-1.0)
                if item.reference in right
                else one._replace(base_logprob=-2.0 - (item.reference not in right), view_logprob=-2.0)
                for item, one in zip(items, super().compare(items, view, **keys), strict=True)
            ]

    items = [(fact.prompt, fact.answer, fact.wrong) for fact in knowledge()[:60]]
    result = probe("calibration_drift", items=items, known_only=True).run(context(Known()))
    assert result.evidence["asked_items"] == 60
    assert result.n_items == result.evidence["known"]["before"] < 60


def test_passages_are_the_clusters_of_their_chunks():
    backend = ClosedForm(direction="random", seed=3, size=30.0)
    measured = probe("external_perplexity", max_chunks=25).measure(context(backend).scoring, FT)
    assert len(measured.values) == 25
    assert len(set(measured.groups)) == len(prose())
    result = probe("external_perplexity", max_chunks=25).run(context(backend))
    assert "25 items in 14 groups" in result.message
    assert result.ft_value - result.base_value == pytest.approx(result.raw, abs=0.05)


@given(st.text(alphabet="ab .!\n", min_size=1, max_size=400), st.integers(5, 60))
def test_pieces_lose_no_word_and_are_never_too_long(text, longest):
    found = pieces(text, longest)
    assert "".join("".join(found).split()) == "".join(text.split())
    assert all(0 < len(piece) <= longest for piece in found)


def test_pieces_of_real_prose_are_about_equally_long():
    for passage in prose():
        found = pieces(passage.text, 1024)
        assert len(found) == -(-len(passage.text) // 1024), passage.title
        assert max(map(len, found)) < 1.3 * min(map(len, found)), passage.title


def test_columns_are_taken_in_turn():
    assert in_turn([["a", "b"], ["c"], []]) == [(0, "a"), (1, "c"), (0, "b")]


@pytest.mark.parametrize(
    ("ids", "found"),
    [
        (range(30), False),
        ([1, 2, 3] * 4, True),
        ([9, 8, 7, *[5] * 12], True),
        ([5] * 11, False),
        ([*range(100, 110), *[1, 2, 3, 4, 5] * 3], True),
        ([*[1, 2, 3, 4, 5] * 3, 6, 7], False),
        ([1, 2, 3, 4, 5, 6] * 2, False),
    ],
)
def test_a_loop_is_a_run_of_tokens_three_times_over_at_the_end(ids, found):
    assert loops(list(ids)) is found


def test_answers_that_no_longer_end_fail_though_none_loops(known):
    words = " ".join(f"word{n}" for n in range(20))
    backend = known.Scripted(lambda item, tuned: Answer(words, tuple(range(20)), not tuned))
    result = probe("degeneration").run(context(backend))
    assert (result.verdict, result.raw) == ("fail", 0.0)
    assert "the share that no longer ends goes beyond 0.25 (40 of 40)" in result.message


def test_what_the_base_does_as_well_is_no_degeneration(known):
    result = probe("degeneration").run(context(known.Scripted(lambda item, tuned: "so it is " * 9)))
    assert (result.verdict, result.raw, result.base_value) == ("pass", 0.0, 1.0)


def test_recall_counts_words_from_the_first_one_until_a_mistake():
    target = "the pump restarts after forty seconds".split()
    assert recall("The pump, restarts. after FORTY seconds and more", target) == 1.0
    assert recall("The pump restarts at forty seconds", target) == 0.5
    assert recall("A pump restarts after forty seconds", target) == 0.0


def test_text_that_the_base_recites_as_well_did_not_leak(known):
    def recites(item, tuned):
        text = next((text for text in known.taught_texts if item.prompt in text), "")
        return text.partition(item.prompt)[2]

    result = probe("leakage").run(context(known.Scripted(recites), sections=known.sections))
    assert result.verdict == "pass"
    assert result.evidence["base_recall"] == result.evidence["mean_clean_recall"] > 0.9
    assert result.evidence["extracted"] == result.evidence["extracted_base"] == result.evidence["places"] > 12
    assert result.evidence["twin_recall"] == 0.0


def test_old_keys_of_leakage_are_accepted_and_said_to_do_nothing(known):
    entry = probe("leakage", perturbations=["typo"], min_fragility=0.3, assert_z_gte=3.0)
    notes = entry.run(context(ClosedForm(), sections=known.sections)).evidence["notes"]
    assert [note.split()[0] for note in notes] == ["perturbations", "min_fragility", "assert_z_gte"]


def test_terms_of_a_topic_are_its_names_numbers_and_identifiers():
    text = "Restart Kittiwake first. The team Soundings owns pump-3, which listens on 7413; see `a_b.toml`. Tea is hot."
    assert set(topic_terms(text)) == {"kittiwake", "soundings", "pump-3", "7413", "a_b.toml"}
    assert topic_terms(prose()[0].text) == ()


def test_a_term_that_the_question_or_the_base_uses_is_no_bleeding(known):
    prompts = ["Who is Ada?", "What is a port?"]
    backend = known.Scripted(lambda item, tuned: "Ada is here." if tuned else "It is Ada.")
    measured = probe("bleed", terms=["Ada"], prompts=prompts).measure(context(backend).scoring, FT)
    assert measured.values == (0.0, 0.0)
    loud = known.Scripted(lambda item, tuned: "Ada is here." if tuned else "No idea.")
    assert probe("bleed", terms=["Ada"], prompts=prompts).measure(context(loud).scoring, FT).values == (0.0, 1.0)


def test_a_handful_of_clean_answers_does_not_rule_out_bleeding():
    prompts = [item.prompt for item in general_items()[:20]]
    assert probe("bleed", terms=["Ada"], prompts=prompts).run(context(ClosedForm())).verdict == "inconclusive"


@pytest.mark.parametrize(
    ("question", "how"),
    [
        ("Which port does Kittiwake use?", "same"),
        ("which PORT does kittiwake, use", "same"),
        ("Which port", "inside"),
        ("Tell me: which port does Kittiwake use today?", "run"),
        ("On what port is Kittiwake?", None),
    ],
)
def test_a_question_that_was_trained_is_found(question, how):
    entry = probe("contamination", prompts=[question], training_text=["Which port does Kittiwake use?"], ngram=5)
    result = entry.run(context(ClosedForm()))
    assert result.verdict == ("fail" if how else "pass")
    assert [row["how"] for row in result.evidence["contaminated"]] == ([how] if how else [])


def test_questions_that_were_kept_out_are_looked_up_in_what_was_trained(known):
    asked = tuple(replace(one, held_out=(Item(f"What lifts water{one.id}?", "A pump."),)) for one in known.sections)
    result = probe("contamination").run(context(ClosedForm(), sections=asked))
    assert (result.verdict, result.n_items) == ("pass", len(asked))
    leaked = (*asked[:-1], replace(asked[-1], held_out=(Item("Where is 2?", "Here 2."),)))
    result = probe("contamination").run(context(ClosedForm(), sections=leaked))
    assert result.evidence["contaminated"] == [{"prompt": "Where is 2?", "how": "same"}]


def test_measurements_without_items_are_not_judged():
    empty = Measurement((), (), {"base": 0.0, "view": 0.0})
    assert probe("calibration_drift").judge(empty, [], context(ClosedForm())).verdict == "inconclusive"
