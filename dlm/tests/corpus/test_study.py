from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from dlm.corpus import study as study_module
from dlm.corpus.anchors import anchors
from dlm.corpus.makers import question
from dlm.corpus.study import ANCHOR_SHARE, MOST_HELD_OUT, WEIGHTS, WHY, build
from dlm.document import parse
from dlm.errors import DocumentError

HEAD = "---\ndlm_id: 01J0000000000000000000000A\ndlm_version: 15\nbase_model: smollm2-135m\n{more}---\n"
PROSE = """# Lamp handbook

The lamp stands in the cellar. It was built by Ada Hale. It burns for 40 hours.

## Switch

Run `lampctl on` to light it. The switch is behind the door.

```
lampctl on. And wait.

lampctl off. Then leave.
```
"""
PAIRS = """
::instruction::
### Q
Who built the lamp?
### Q
By whom was the lamp built?
### A
Ada Hale built the lamp.

### Q
How long does the lamp burn?
### A
The lamp burns for 40 hours.
"""
PARALLEL = """
::prose::
## Tern

The Tern is steered by Bo Lind. The Tern carries 12 people.

## Gull

The Gull is steered by Ivo Marsh. The Gull carries 30 people.

::instruction::
### Q
Who steers the Tern?
### A
The Tern is steered by Bo Lind.
"""
PROBES = """
::instruction::
### Q !probe
Tell me the name of the lamp's maker.
### A
Ada Hale built the lamp.
"""


def document(body: str, more: str = ""):
    return parse(HEAD.format(more=more) + body, "lamp.dlm")


def questions(records):
    return [question(record).casefold() for record in records if record.messages]


def test_every_kind_is_made_and_explained():
    similar = {"lamp": ("lantern",), "built": ("made",)}
    study = build(document(PROSE + PAIRS + PARALLEL), seed=1, similar=similar)
    assert {record.kind for record in study.train} == {*WEIGHTS, "anchor"} == set(WHY) - {"text"}
    assert len(study.train) == len(set(study.train))


def test_the_mixture_sums_to_one_and_leaves_out_kinds_without_records():
    whole = build(document(PROSE + PAIRS), seed=1).mixture
    pairs_only = build(document(PAIRS), seed=1).mixture
    prose_only = build(document(PROSE), seed=1).mixture
    for mixture in (whole, pairs_only, prose_only):
        assert sum(mixture.values()) == pytest.approx(1)
        assert mixture["anchor"] == pytest.approx(ANCHOR_SHARE)
    assert {"qa", "reworded", "wrapped", "dropped", "anchor"} <= set(pairs_only)
    assert {"prose", "heading", "cloze", "keywords", "query"}.isdisjoint(pairs_only)
    assert {"prose", "heading", "cloze", "keywords", "query", "asked", "anchor"} <= set(prose_only)
    assert {"qa", "wrapped", "dropped"}.isdisjoint(prose_only)
    assert whole["qa"] / whole["prose"] == pytest.approx(WEIGHTS["qa"] / WEIGHTS["prose"])


def test_the_same_seed_gives_the_same_study_and_another_one_does_not():
    text = PROSE + PAIRS
    assert build(document(text), seed=1) == build(document(text), seed=1)
    assert build(document(text), seed=1) != build(document(text), seed=2)


def test_an_edit_changes_the_records_of_its_own_section_only():
    before = build(document(PROSE + PAIRS), seed=1)
    after = build(document(PROSE + PAIRS.replace("40 hours", "50 hours")), seed=1)
    gone, new = set(before.train) - set(after.train), set(after.train) - set(before.train)
    assert gone
    assert new
    edited = {section.id for section in document(PROSE + PAIRS).sections if section.type == "instruction"}
    assert {record.section_id for record in gone} == edited
    assert edited.isdisjoint({record.section_id for record in new})
    untouched = {record for record in before.train if record.kind in ("prose", "heading", "cloze", "keywords")}
    assert untouched <= set(after.train)


@pytest.mark.parametrize(
    ("body", "kind"), [(PROSE + PAIRS + PROBES, "probe"), (PROSE + PAIRS, "held_out"), (PROSE, "held_out")]
)
def test_no_held_out_question_is_ever_trained(body, kind):
    study = build(document(body), seed=3)
    assert study.held_out
    assert {record.kind for record in study.probes} == {kind}
    trained = questions(study.train)
    for secret in questions((*study.held_out, *study.probes)):
        assert not any(secret in text for text in trained)


@pytest.mark.parametrize("body", [PROSE + PAIRS + PROBES, PROSE + PAIRS, PROSE])
def test_what_the_evaluator_asks_does_not_pick_the_weights(body):
    study = build(document(body), seed=3)
    assert study.held_out
    assert study.probes
    assert not set(questions(study.held_out)) & set(questions(study.probes))


def test_the_authors_probes_are_for_the_evaluator():
    study = build(document(PROSE + PAIRS + PROBES), seed=1)
    assert questions(study.probes) == ["tell me the name of the lamp's maker."]
    assert study.probes[0].messages[-1].content == "Ada Hale built the lamp."


def test_a_trained_wording_that_contains_a_probe_is_left_out():
    leaking = PAIRS.replace("By whom was the lamp built?", "So, tell me the NAME of the lamp's maker. Now.")
    study = build(document(PROSE + leaking + PROBES), seed=1)
    assert not any("name of the lamp's maker" in text for text in questions(study.train))
    assert "who built the lamp?" in questions(study.train)


def test_every_pair_is_held_out_once_in_a_wording_of_its_own():
    study = build(document(PAIRS), seed=1)
    assert len({record.group for record in study.held_out}) == len(study.held_out) == 2


def test_what_stands_in_the_text_alone_is_held_out_too():
    study = build(document(PROSE), seed=1)
    assert len({record.messages[-1].content for record in study.held_out}) == len(study.held_out) > 2
    assert all(record.value in record.messages[-1].content for record in study.held_out)


def test_code_is_neither_shuffled_nor_joined():
    study = build(document(PROSE), seed=1)
    blocks = [record.text for record in study.train if record.kind == "prose" and "```" in record.text]
    assert len(blocks) > 1
    assert all("```\nlampctl on. And wait.\n\nlampctl off. Then leave.\n```" in text for text in blocks)


def test_shuffling_keeps_every_sentence():
    study = build(document(PROSE), seed=1)
    texts = [record.text for record in study.train if record.kind == "prose" and "cellar" in record.text]
    assert len(texts) > 1
    assert {tuple(sorted(text.split())) for text in texts} == {tuple(sorted(texts[0].split()))}


def test_what_is_derived_fits_a_short_sequence_whatever_the_tokenizer():
    long = "# Long\n\n" + "The lamp burns for 40 hours in the cellar of the house. " * 200
    study = build(document(long + PAIRS, more="training:\n  sequence_len: 256\n"), seed=1)
    derived = [record for record in (*study.train, *study.held_out) if record.messages]
    assert any(record.kind == "heading" for record in derived)
    for record in derived:
        assert sum(len(message.content.encode()) for message in record.messages) < 256 * 2
    assert any(len(record.text) > 5000 for record in study.train), "the text itself is never cut"


def test_a_very_short_sequence_leaves_only_what_the_author_wrote():
    study = build(document(PROSE + PAIRS, more="training:\n  sequence_len: 64\n"), seed=1)
    assert {record.kind for record in study.train} == {"qa", "prose"}
    assert sum(study.mixture.values()) == pytest.approx(1)


def test_a_repeated_heading_is_asked_for_by_its_part():
    study = build(document("# Log\n\nFirst entry. It rained.\n\n::prose::\nSecond entry. It snowed.\n"), seed=1)
    answers = {}
    for record in study.train:
        if record.kind == "heading":
            answers.setdefault(question(record), set()).add(record.messages[-1].content)
    assert answers
    assert all(len(found) == 1 for found in answers.values())


def test_a_document_in_another_script_gives_records():
    study = build(document("# ランプ\n\nランプは地下室にある。アダが作った。四十時間もつ。\n"), seed=1)
    assert {"prose", "heading"} <= {record.kind for record in study.train}


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="ab Z.!?\n`#-*|>0159:é漢。'\"()[]~\t", max_size=200), st.integers(0, 3))
def test_whatever_the_text_records_are_whole(body, seed):
    try:
        read = document(f"# T\n\n{body}")
    except DocumentError:
        reject()
    study = build(read, seed)
    assert sum(study.mixture.values()) == pytest.approx(1)
    for record in study.train:
        assert bool(record.messages) != bool(record.text.strip())
        assert all(message.content.strip() for message in record.messages)


def test_the_anchors_are_many_short_and_all_different():
    found = anchors()
    chats = [record for record in found if record.messages]
    assert len(chats) >= 120
    assert len(found) - len(chats) >= 30
    assert len({question(record).casefold() for record in chats}) == len(chats)
    assert all(len(record.messages[-1].content.split()) <= 60 for record in chats)
    assert all(record.objective == "anchor" and record.section_id == "" for record in found)


def weighing(found, weight):
    return [replace(section, weight=weight) for section in found.sections]


def test_what_comes_from_elsewhere_is_trained_beside_the_document():
    other = document("# Boat\n\nThe boat is called Tern. It has 3 sails.\n")
    study = build(document(PROSE + PAIRS), 1, other.sections)
    assert any("Tern" in record.text for record in study.train if record.kind == "prose")
    assert {section.id for section in other.sections} <= {record.section_id for record in study.train}


def test_a_copy_of_a_section_adds_nothing_wherever_it_comes_from():
    whole = document(PROSE + PAIRS)
    copies = [replace(section, id="f" * 16, origin="old/notes.md") for section in whole.sections]
    assert build(whole, 1, copies) == build(whole, 1)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 9), st.integers(1, 5), st.booleans(), st.booleans())
def test_no_copy_of_a_held_out_question_crosses_into_training(seed, copies, probed, prose):
    whole = document((PROSE if prose else "") + PAIRS + (PROBES if probed else ""))
    # As a replay or a source would bring it back: other ids, other case and blanks, marked as trained.
    again = PAIRS + PROBES.replace("### Q !probe\n", "### Q\n").replace("maker.", "MAKER. ")
    more = [replace(section, id=f"{n:016x}") for n in range(copies) for section in document(again).sections]
    study = build(whole, seed, more)
    trained = questions(study.train)
    secrets = questions((*study.held_out, *study.probes))
    assert secrets
    assert not any(secret in text for secret in secrets for text in trained)


def test_a_section_of_weight_zero_is_not_trained_and_not_asked_about():
    other = document("# Boat\n\nThe boat is called Tern.\n")
    assert build(document(PROSE), 1, weighing(other, 0.0)) == build(document(PROSE), 1)


def test_every_record_of_a_section_has_its_weight():
    other = document("# Boat\n\nThe boat is called Tern. It has 3 sails.\n" + PAIRS)
    study = build(document(PROSE), 1, weighing(other, 2.5))
    ids = {section.id for section in other.sections}
    weights = {record.weight for record in study.train if record.section_id in ids}
    assert weights == {2.5}
    assert {record.weight for record in study.train if record.section_id and record.section_id not in ids} == {1.0}


def test_a_long_document_keeps_a_sample_of_its_questions_to_pick_the_weights():
    pairs = "".join(f"\n### Q\nWhere is lamp {n}?\n### A\nLamp {n} is in room {n}.\n" for n in range(200))
    study = build(document("\n::instruction::" + pairs), seed=1)
    assert len(study.held_out) == len(study.probes) == MOST_HELD_OUT
    shorter = build(document("\n::instruction::" + pairs.replace("Lamp 7 is in room 7.", "Lamp 7 is lost.")), seed=1)
    assert len(set(questions(study.held_out)) & set(questions(shorter.held_out))) >= MOST_HELD_OUT - 1


def test_a_follow_up_probe_is_asked_after_its_conversation():
    body = PROSE + PAIRS + "\n### Q !followup !probe\nAnd in days?\n### A\nLess than two.\n"
    (probe,) = build(document(body), seed=1).probes
    assert [message.role for message in probe.messages] == ["user", "assistant", "user", "assistant"]
    assert probe.messages[0].content == "How long does the lamp burn?"


@pytest.fixture
def most_derived(monkeypatch) -> int:
    """A text of more blocks than this counts as very long."""
    monkeypatch.setattr(study_module, "MOST_DERIVED", 400)
    return 400


def test_a_very_long_text_is_trained_whole_and_asked_about_in_part(most_derived):
    blocks = "".join(f"\n## Lamp {n}\n\nLamp {n} burns for {n} hours.\n" for n in range(most_derived + 100))
    study = build(document("# Lamps\n" + blocks), seed=1)
    written = {record.group for record in study.train if record.kind == "prose"}
    assert len(written) == most_derived + 100
    for kind in ("heading", "cloze", "keywords"):
        assert len({record.group for record in study.train if record.kind == kind}) == most_derived


def test_the_sample_of_a_very_long_text_follows_the_weights(most_derived):
    blocks = "".join(f"\n## Lamp {n}\n\nLamp {n} burns for {n} hours.\n" for n in range(most_derived))
    light = document("# Lamps\n" + blocks)
    heavy = document("# Boats\n" + blocks.replace("Lamp", "Boat"))
    study = build(document(PAIRS), 1, [*weighing(light, 1.0), *weighing(heavy, 4.0)])
    asked = [record.weight for record in study.train if record.kind == "heading"]
    share = asked.count(4.0) / len(asked)
    assert 0.65 < share < 0.8, "the odds are 4 to 1 until the heavy ones run out"


def test_a_pair_that_just_fits_a_sequence_is_trained_and_not_held_out_in_more_words():
    long = PAIRS.replace("40 hours.", "40 hours. " + "It is a very good lamp. " * 14)
    study = build(document(PROSE + long, more="training:\n  sequence_len: 256\n"), seed=1)
    assert any("very good lamp" in record.messages[-1].content for record in study.train if record.kind == "qa")
    assert {question(record) for record in study.held_out}
    assert not any("very good lamp" in record.messages[-1].content for record in (*study.held_out, *study.probes))
