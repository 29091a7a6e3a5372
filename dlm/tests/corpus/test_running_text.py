"""The text as text: when a document asks for it, what is never trained of it, and that no copy of that is."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from dlm.corpus import running_text
from dlm.corpus.records import Message, Record
from dlm.corpus.running_text import APART, LARGE, PIECE, long_sentences, set_apart, told, wanted
from dlm.corpus.study import build, primary_records
from dlm.document import parse

HEAD = "---\ndlm_id: 01J0000000000000000000000A\ndlm_version: 15\nbase_model: smollm2-135m\n{more}---\n"
SENTENCE = "The {n} pump in hall {n} is looked after by keeper {n} until the {n} bell has rung."


def prose(number: int, text: str | None = None, title: str = "") -> Record:
    said = SENTENCE.format(n=f"number-{number}") if text is None else text
    return Record("prose", "text", f"g{number}", "s", text=said, title=title or f"Pumps > {number}")


def chat(answer: str) -> Record:
    return Record("qa", "answer", answer, "s", (Message("user", "Who?"), Message("assistant", answer)))


def document(schedule: str = "", blocks: int = 60, more: str = ""):
    keys = f"training:\n  cpt: {{schedule: {schedule}}}\n" if schedule else ""
    said = [SENTENCE.format(n=f"number-{n}") for n in range(blocks)]
    texts = "".join(f"## Pump {n}\n{text} It is painted in shade {n}.\n\n" for n, text in enumerate(said))
    return parse(HEAD.format(more=keys) + texts + more, "pumps.dlm")


def decided(schedule: str, *records: Record) -> running_text.Wanted:
    return wanted(document(schedule).frontmatter, records)


def test_dapt_always_and_sft_never_read_the_text_first():
    assert decided("dapt", prose(1)).really
    assert not decided("sft", prose(1, "x" * LARGE)).really
    assert decided("sft", prose(1)).why == "training.cpt.schedule is sft"


def test_auto_reads_first_what_is_large_and_mostly_prose():
    assert decided("auto", prose(1, "x" * LARGE)).really
    assert not decided("auto", prose(1, "x" * (LARGE - 1))).really
    assert decided("auto", prose(1, "x" * LARGE), chat("y" * (LARGE * 3 // 7 - 10))).really
    mixed = decided("auto", prose(1, "x" * LARGE), chat("y" * LARGE))
    assert (mixed.really, mixed.why) == (False, "50% of the text is prose, and schedule: auto wants 70%")


def test_without_prose_there_is_nothing_to_read():
    assert decided("dapt", chat("Ada.")) == (False, "the document has no prose")


def test_a_short_document_is_told_nothing_and_who_asked_is_told_why():
    records = list(primary_records(document()))
    assert told(document().frontmatter, records) == ""
    assert told(document("auto").frontmatter, records).startswith("phase cpt: left out: 8.0 kB of prose")
    assert "training.cpt.schedule is dapt" in told(document("dapt").frontmatter, records)


def test_a_short_document_trains_exactly_what_it_did():
    assert build(document(), 1) == build(document("sft"), 1) == build(document("auto"), 1)


def test_nothing_that_is_held_out_is_trained_in_any_form():
    study = build(document("dapt"), 1)
    assert study.held_out_text
    secret = {sentence for record in study.held_out_text for sentence in long_sentences(record.text)}
    keepers = {word for sentence in secret for word in sentence.split() if word.startswith("number-")}
    assert keepers
    learned = [record for record in study.train if record.objective != "anchor"]
    for record in (*learned, *study.held_out, *study.probes):
        said = f"{record.text} {' '.join(turn.content for turn in record.messages)}".casefold()
        assert not keepers & set(said.replace(".", " ").replace("?", " ").split())


def test_every_other_block_is_read_as_it_is_written():
    study = build(document("dapt"), 1)
    texts = {record.text for record in study.train if record.kind == "text"}
    held_out = {record.text for record in study.held_out_text}
    written = {record.text for record in primary_records(document())}
    assert texts | held_out == written
    assert not texts & held_out
    assert all(record.title.startswith("pumps") or record.title for record in study.train if record.kind == "text")


def test_an_edit_elsewhere_changes_no_other_choice():
    before, after = (build(document("dapt", blocks=count), 1).held_out_text for count in (60, 61))
    assert {record.text for record in before} <= {record.text for record in after}


def test_another_seed_holds_out_other_pieces():
    one, other = (build(document("dapt"), seed).held_out_text for seed in (1, 2))
    assert {record.text for record in one} != {record.text for record in other}


def test_a_long_block_gives_some_of_its_paragraphs_and_keeps_the_others():
    paragraphs = [" ".join(SENTENCE.format(n=f"{n}-{m}") for m in range(8)) for n in range(40)]
    found = set_apart([prose(1, "\n\n".join(paragraphs))], 7)
    (kept,) = found.primary
    held_out = [paragraph for record in found.held_out for paragraph in record.text.split("\n\n")]
    assert held_out
    assert sorted([*kept.text.split("\n\n"), *held_out]) == sorted(paragraphs)


def test_of_a_page_nothing_is_held_out():
    found = set_apart([prose(number) for number in range(5)], 1)
    assert (found.held_out, len(found.trained)) == ((), 5)


def test_what_is_written_twice_is_not_held_out():
    twice = [prose(number, title=f"{half} > {number}") for half in ("One", "Two") for number in range(20)]
    assert set_apart(twice, 1).held_out == ()
    quoted = [*(prose(number) for number in range(20)), *(chat(prose(number).text) for number in range(20))]
    assert set_apart(quoted, 1).held_out == ()


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(1, 30), min_size=13, max_size=40), st.integers(0, 5))
def test_about_a_twentieth_is_held_out_and_nothing_is_lost(sizes, seed):
    records = [
        prose(number, " ".join(SENTENCE.format(n=f"{number}-{m}") for m in range(size)))
        for number, size in enumerate(sizes)
    ]
    found = set_apart(records, seed)
    whole = sum(len(record.text) for record in records)
    apart = sum(len(record.text) for record in found.held_out)
    assert apart < APART * whole + max(PIECE, max(len(record.text) for record in records))
    assert {record.text for record in (*found.primary, *found.held_out)} == {record.text for record in records}
