"""The section type: its contract, its records, what is held out, and what became of it since the last training."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlm.corpus.replay import reconcile, sample
from dlm.corpus.sources import Gathered
from dlm.corpus.study import build
from dlm.document import parse, records
from dlm.document.formats import Triple
from dlm.document.model import Section
from dlm.document.text import section_text, triples_text
from dlm.document.unsupported import unsupported
from dlm.store.ledger import Ledger
from dlm.testing import SectionContract, only_plugins
from dlm.training.warm import groups

HEAD = "---\ndlm_id: 01J0000000000000000000000A\ndlm_version: 15\nbase_model: smollm2-135m\n{more}---\n"
NOW = "2026-11-05T12:00:00Z"


class TestPreferenceSection(SectionContract):
    name = "preference"
    plugin_module = "dlm_preference.for_dlm"
    good = (
        "### Prompt\nWhere is the lamp?\n### Chosen\nIn the cellar.\n### Rejected\nGreat question! In the cellar.\n\n"
        "### Prompt\nWho made it?\n### Chosen\nAda Hale.\n### Rejected\nNobody knows."
    )
    bad = ("### Prompt\nWhere is the lamp?\n### Chosen\nIn the cellar.", 1)


def triple(prompt: str, better: str = "Yes.", worse: str = "Wow, yes!") -> str:
    return f"### Prompt\n{prompt}\n### Chosen\n{better}\n### Rejected\n{worse}\n\n"


def document(*triples: str, more: str = "", text: str = "The lamp stands in the cellar.\n"):
    body = "::preference::\n" + "".join(triples) if triples else ""
    return parse(HEAD.format(more=more) + text + body, "lamp.dlm")


def many(count: int) -> list[str]:
    return [triple(f"May I bring {number} dogs?") for number in range(count)]


def pairs(found) -> list:
    return [record for record in found if record.objective == "prefer"]


def test_a_triple_becomes_one_record_with_both_answers():
    (record,) = pairs(records(document(triple("Where is it?", "In the cellar.", "Hm!"))))
    assert [turn.content for turn in record.messages] == ["Where is it?", "In the cellar."]
    assert (record.rejected, record.kind) == ("Hm!", "preference")


def test_the_name_of_a_pair_follows_from_all_three_texts():
    texts = [("a", "b", "c"), ("x", "b", "c"), ("a", "x", "c"), ("a", "b", "x"), ("a", "c", "b")]
    found = [pairs(records(document(triple(*one))))[0].group for one in texts]
    assert len(set(found)) == len(texts)


def test_pairs_change_nothing_of_what_is_learned_as_text_and_answers():
    plain, beside = build(document(), 1), build(document(*many(20)), 1)
    assert [record for record in beside.train if record.objective != "prefer"] == list(plain.train)
    assert (beside.held_out, beside.probes) == (plain.held_out, plain.probes)
    assert {kind: share for kind, share in beside.mixture.items() if kind != "preference"} == plain.mixture


def test_prompts_are_held_out_and_no_prompt_stands_on_both_sides():
    double = [text for text in many(40) for text in (text, text.replace("Wow", "Great question"))]
    study = build(document(*double), 1)
    trained = {record.messages[0].content for record in pairs(study.train)}
    apart = {record.messages[0].content for record in study.held_out_pairs}
    assert apart
    assert not trained & apart
    assert len(trained) + len(apart) == 40
    assert len(study.held_out_pairs) == 2 * len(apart)


def test_a_new_pair_moves_no_other_from_one_side_to_the_other():
    before = {record.group for record in build(document(*many(40)), 1).held_out_pairs}
    after = {record.group for record in build(document(triple("Is it lit?"), *many(40)), 1).held_out_pairs}
    assert before <= after


@pytest.mark.parametrize(("count", "apart"), [(5, 0), (6, 1)])
def test_few_pairs_are_all_trained_and_of_more_one_is_held_out_at_least(count, apart):
    assert len(build(document(*many(count)), 3).held_out_pairs) >= apart
    if not apart:
        assert len(pairs(build(document(*many(count)), 3).train)) == count


def test_a_prompt_that_is_also_a_trained_question_is_not_held_out():
    asked = "\n::instruction::\n" + "".join(f"### Q\nMay I bring {n} dogs?\n### A\nYes.\n\n" for n in range(20))
    study = build(document(*many(20), text="A lamp.\n" + asked), 1)
    assert study.held_out_pairs == ()
    assert len(pairs(study.train)) == 20


def test_a_pair_that_would_give_a_probe_away_is_not_trained():
    probe = "\n::instruction::\n### Q !probe\nWho made the lamp?\n### A\nAda Hale.\n"
    study = build(document(triple("Tell me: who made the lamp?"), *many(3), text="A lamp.\n" + probe), 1)
    assert len(pairs(study.train)) == 3


def test_the_plain_recipe_trains_pairs_too():
    found = build(document(*many(20), more="training: {recipe: plain}\n"), 1)
    assert pairs(found.train)
    assert found.held_out_pairs


def change(ledger: Ledger, found):
    return reconcile(ledger, found, Gathered((), (), frozenset(), ()), NOW)


def test_an_edited_section_takes_the_place_of_the_old_one():
    old, new = document(*many(8)), document(*many(7), triple("May I bring 7 dogs?", "No, never."))
    first = change(Ledger(), old).ledger.stamped(1, 1)
    found = change(first, new)
    ids = [next(s.id for s in one.sections if s.type == "preference") for one in (old, new)]
    assert [tuple(edit) for edit in found.edited] == [tuple(ids)]
    assert ids[0] not in {entry.id for entry in found.ledger.entries}


def test_a_deleted_section_is_gone_and_a_kept_one_comes_back_as_pairs():
    first = change(Ledger(), document(*many(3))).ledger.stamped(1, 1)
    gone = change(first, document())
    assert len(gone.removed) == 1
    assert sample(gone.ledger, 1, 9) == ()
    keeps = "training: {replay: {removed: keep}}\n"
    first = change(Ledger(), document(*many(3), more=keeps)).ledger.stamped(1, 1)
    kept = change(first, document(more=keeps))
    (section,) = sample(kept.ledger, 1, 9)
    study = build(document(more=keeps), 1, [section])
    assert [record.rejected for record in pairs(study.train)] == ["Wow, yes!"] * 3


def test_an_edited_answer_is_new_to_a_warm_run():
    from types import SimpleNamespace

    none = SimpleNamespace(more=())
    known, now = (groups(document(triple("Is it lit?", better)), none) for better in ("Yes.", "No."))
    assert not {name for inside in known.values() for name in inside} & set(list(now.values())[-1])


def test_without_the_plugin_sections_and_key_name_what_installs_it():
    with only_plugins():
        found = document(*many(2), more="training: {preference: {enabled: true}}\n")
        lines = [str(finding) for finding in unsupported(found)]
    assert len(lines) == 2
    assert all("pip install 'dlm[preference]'" in line for line in lines)
    assert unsupported(document(*many(2))) == []


def test_enabled_false_needs_no_plugin():
    with only_plugins():
        assert unsupported(document(*many(2), more="training: {preference: {enabled: false}}\n")) == []


words = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(str.strip)
hard = st.sampled_from(["### Chosen\nno", "::prose::\nx", "```\n### Prompt\n", "\\### Rejected", "a\n\n### Prompt\nb"])


@given(st.lists(st.tuples(words | hard, words | hard, words | hard), min_size=1, max_size=4))
def test_text_that_would_break_the_grammar_comes_back_as_it_was(texts):
    """What tools write into a document may hold fences and headers: the core puts backslashes before them."""
    content = triples_text(Triple(*one, line=1) for one in texts)
    made = section_text(Section(type="preference", content=content, line=1, id="", body=()))
    found = parse(HEAD.format(more="") + made, "made.dlm")
    (section,) = found.sections
    read = [(one.prompt, one.chosen, one.rejected) for one in section.body]
    assert [tuple(_seen(text) for text in one) for one in read] == [tuple(_seen(text) for text in one) for one in texts]


def _seen(text: str) -> str:
    """As far as the grammar promises: ends are trimmed, and a code block that was open is closed."""
    return text.strip().removesuffix("```").strip()
