"""What happens with a section that is edited, moved, removed, lost or forgotten."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlm.corpus.alignment import gaps
from dlm.corpus.likeness import likeness, sketch
from dlm.corpus.replay import Edit, reconcile, sample
from dlm.corpus.sources import Gathered
from dlm.corpus.sources.sections import prior_source_ids, source_section
from dlm.document import parse
from dlm.document.identity import prior_ids
from dlm.document.model import Section
from dlm.document.read import records
from dlm.errors import DlmError, DocumentError
from dlm.store.ledger import Entry, Ledger, Text, Tombstone

HEAD = "---\ndlm_id: 01J9ZQ4T8WXYV5E7KD3MNPRSTA\nbase_model: smollm2-135m\n{more}---\n"
KEEP = "training:\n  replay:\n    removed: keep\n"
EMPTY = Gathered()
DAYS = [f"2026-01-{day:02d}T00:00:00Z" for day in range(1, 29)]


def document(*sections: str, keep: bool = False):
    return parse(HEAD.format(more=KEEP if keep else "") + "\n\n".join(sections), "doc.dlm")


def qa(number: int, answer: str = "", fence: str = "::instruction::") -> str:
    return f"{fence}\n### Q\nWhat is {number}?\n### A\n{answer or f'It is {number}.'}"


def file(origin: str, text: str, relative: str = "", weight: float = 1.0) -> Section:
    return source_section(relative or origin, text, origin, {"kind": "note"}, weight)


def trained(*states, ledger: Ledger | None = None, at: int = 0) -> Ledger:
    """The ledger after training each of ``states``, documents or (document, gathered), one a day."""
    ledger = ledger or Ledger()
    for number, state in enumerate(states):
        found, gathered = state if isinstance(state, tuple) else (state, EMPTY)
        ledger = reconcile(ledger, found, gathered, DAYS[at + number]).ledger.stamped(at + number + 1, at + number + 1)
    return ledger


def ids(found) -> list[str]:
    return [section.id for section in found.sections]


def test_the_first_training_finds_everything_new_and_the_same_again_finds_nothing_to_say() -> None:
    first = document(qa(1), qa(2))
    change = reconcile(Ledger(), first, EMPTY, DAYS[0])
    assert (list(change.new), change.unchanged, change.ledger.tombstones) == (ids(first), (), ())
    again = reconcile(change.ledger.stamped(1, 1), first, EMPTY, DAYS[1])
    assert (again.new, list(again.unchanged), again.edited, again.removed, again.kept) == ((), ids(first), (), (), ())
    entry = again.ledger.entries[0]
    assert (entry.first_seen, entry.last_seen, entry.run) == (DAYS[0], DAYS[1], 0)


def test_the_ledger_holds_no_text_of_a_document_that_does_not_ask_for_it() -> None:
    assert "It is" not in trained(document(qa(1))).model_dump_json()
    assert "It is" in trained(document(qa(1), keep=True)).model_dump_json()


@pytest.mark.parametrize("keep", [True, False])
def test_a_section_that_is_edited_in_place_is_replaced_never_added(keep) -> None:
    old, new = document(qa(1), qa(2), qa(3), keep=keep), document(qa(1), qa(2, "It is two."), qa(3), keep=keep)
    change = reconcile(trained(old), new, EMPTY, DAYS[1])
    assert change.edited == (Edit(ids(old)[1], ids(new)[1]),)
    assert (change.new, change.removed, change.kept) == ((), (), ())
    (stone,) = change.ledger.tombstones
    assert (stone.id, stone.reason, stone.superseded_by) == (ids(old)[1], "superseded", ids(new)[1])
    assert sample(change.ledger, 1, 64) == ()


@pytest.mark.parametrize(("keep", "ending"), [(False, "removed"), (True, "kept")])
def test_a_section_that_is_removed_is_trained_no_more_unless_the_document_says_so(keep, ending) -> None:
    old, new = document(qa(1), qa(2), qa(3), keep=keep), document(qa(1), qa(3), keep=keep)
    change = reconcile(trained(old), new, EMPTY, DAYS[1])
    assert getattr(change, ending) == (ids(old)[1],)
    assert len(change.removed) + len(change.kept) == 1
    assert [stone.reason for stone in change.ledger.tombstones] == ([] if keep else ["removed"])
    assert ("It is 2" in change.ledger.model_dump_json()) is keep
    replayed = sample(change.ledger, 1, 64)
    assert [section.id for section in replayed] == ([ids(old)[1]] if keep else [])


def test_a_kept_section_gives_the_same_records_as_when_it_stood_in_the_document() -> None:
    marked = '::prose weight="0.5"::\n# Lamp\n\nIt stands in the cellar.\n\n## Bulb\n\nIt is red.'
    old = document("# Title\n\nOf it all.", qa(1, fence="::instruction#tone::"), marked, keep=True)
    new = document("# Title\n\nOf it all.", keep=True)
    replayed = sample(trained(old, new), 1, 64)
    wanted = set(records(old)) - set(records(new))
    assert set(records(replace(new, sections=replayed))) == wanted
    assert len(wanted) == 3
    assert {(section.adapter, section.weight) for section in replayed} == {(None, 0.5), ("tone", 1.0)}


def test_a_moved_section_is_unchanged() -> None:
    old, new = document(qa(1), qa(2), qa(3), qa(4)), document(qa(4), qa(2), qa(3), qa(1))
    change = reconcile(trained(old), new, EMPTY, DAYS[1])
    assert (change.new, change.edited, change.removed) == ((), (), ())
    assert set(change.unchanged) == set(ids(old))


def test_a_removed_section_beside_a_moved_one_is_removed_not_edited() -> None:
    old, new = document(qa(1), qa(2), qa(3), qa(4)), document(qa(1), qa(4), qa(3), keep=False)
    change = reconcile(trained(old), new, EMPTY, DAYS[1])
    assert (change.edited, change.removed) == ((), (ids(old)[1],))


def test_what_is_kept_leaves_the_ledger_when_it_is_written_again_or_keeping_ends() -> None:
    whole, part = document(qa(1), qa(2), keep=True), document(qa(1), keep=True)
    kept = trained(whole, part)
    assert len(kept.kept()) == 1
    back = reconcile(kept, whole, EMPTY, DAYS[2])
    assert (back.kept, back.ledger.kept(), set(back.unchanged)) == ((), (), set(ids(whole)))
    ended = reconcile(kept, document(qa(1)), EMPTY, DAYS[2])
    assert (ended.removed, ended.kept) == ((ids(whole)[1],), ())
    assert "It is 2" not in ended.ledger.model_dump_json()


def test_what_was_never_recorded_cannot_be_kept_and_that_is_said() -> None:
    change = reconcile(trained(document(qa(1), qa(2))), document(qa(1), keep=True), EMPTY, DAYS[1])
    assert len(change.removed) == 1
    assert "cannot be kept" in change.notes[0]


def test_a_removed_section_that_is_written_again_is_trained_again() -> None:
    whole, part = document(qa(1), qa(2)), document(qa(1))
    ledger = trained(whole, part)
    assert [stone.reason for stone in ledger.tombstones] == ["removed"]
    change = reconcile(ledger, whole, EMPTY, DAYS[2])
    assert (change.new, change.ledger.tombstones) == ((ids(whole)[1],), ())


def test_a_forgotten_section_is_a_mistake_where_it_stands() -> None:
    found = document(qa(1), qa(2))
    stone = Tombstone(id=ids(found)[1], reason="forgotten", at=DAYS[3])
    with pytest.raises(DocumentError) as caught:
        reconcile(Ledger(tombstones=(stone,)), found, EMPTY, DAYS[4])
    (finding,) = caught.value.findings
    assert (finding.path, finding.line, finding.col) == ("doc.dlm", found.sections[1].fence, 1)
    assert "forgotten on 2026-01-04" in finding.what
    assert f"dlm forget doc.dlm {stone.id} --undo" in finding.fix


def test_a_forgotten_file_is_left_out_under_its_id_and_under_its_name() -> None:
    text, again, other = file("a.md", "secret"), file("moved/a.md", "secret", "a.md"), file("b.md", "fine")
    stone = Tombstone(id=text.id, reason="forgotten", at=DAYS[0], origin="a.md")
    ledger, found = Ledger(tombstones=(stone,)), document(qa(1))
    for held in (text, again, file("a.md", "secret, with a comma")):
        change = reconcile(ledger, found, Gathered((held, other)), DAYS[1])
        assert [section.origin for section in change.sources] == ["b.md"]
        assert "was forgotten on 2026-01-01" in change.notes[0]
        assert "secret" not in change.ledger.model_dump_json()
        assert change.ledger.forgotten() == (stone,)


@pytest.mark.parametrize("keep", [True, False])
def test_files_are_replaced_when_edited_removed_when_gone_and_kept_when_lost(keep) -> None:
    found = document(qa(1), keep=keep)
    a, b, c, d = (file(f"{name}.md", f"text of {name}", weight=0.5) for name in "abcd")
    ledger = trained((found, Gathered((a, b, c, d))))
    newer = file("a.md", "other text of a")
    change = reconcile(ledger, found, Gathered((newer, d), lost=frozenset({"c.md"})), DAYS[1])
    assert change.edited == (Edit(a.id, newer.id),)
    assert change.removed == (b.id,)
    assert change.kept == (c.id,)
    assert {(stone.id, stone.reason, stone.origin) for stone in change.ledger.tombstones} == {
        (a.id, "superseded", "a.md"),
        (b.id, "removed", "b.md"),
    }
    (replayed,) = sample(change.ledger, 1, 64)
    assert replayed == c
    back = reconcile(change.ledger, found, Gathered((newer, c, d)), DAYS[2])
    assert (back.kept, back.removed, c.id in back.unchanged) == ((), (), True)
    gone = reconcile(change.ledger, found, Gathered((newer, d)), DAYS[2])
    assert gone.removed == (c.id,)
    assert "text of c" not in gone.ledger.model_dump_json()


def test_files_below_a_folder_that_cannot_be_read_are_kept() -> None:
    found, deep = document(qa(1)), file("notes/deep/a.md", "text")
    ledger = trained((found, Gathered((deep, file("notes-2/b.md", "b")))))
    change = reconcile(ledger, found, Gathered(lost=frozenset({"notes"})), DAYS[1])
    assert change.kept == (deep.id,)
    assert len(change.removed) == 1


def test_the_same_file_in_two_places_stays_trained_when_one_of_them_goes() -> None:
    found, one, two = document(qa(1)), file("x/a.md", "text", "a.md"), file("y/a.md", "text", "a.md")
    assert one.id == two.id
    ledger = trained((found, Gathered((one, two))))
    change = reconcile(ledger, found, Gathered((two,)), DAYS[1])
    assert (change.removed, change.edited) == ((), ())
    assert [entry.origin for entry in change.ledger.entries] == ["", "y/a.md"]


def test_ids_of_a_store_from_before_ledgers_are_recognised_and_the_others_buried() -> None:
    found = document(qa(1), qa(2))
    ledger = Ledger(before=(ids(found)[0], "f" * 16))
    change = reconcile(ledger, found, EMPTY, DAYS[0])
    assert (change.unchanged, change.new, change.removed) == ((ids(found)[0],), (ids(found)[1],), ("f" * 16,))
    assert change.ledger.before == ()
    assert [(stone.id, stone.reason) for stone in change.ledger.tombstones] == [("f" * 16, "removed")]


def test_ids_that_the_prior_trainer_gave_are_recognised_in_documents_and_in_sources() -> None:
    found, held = document(qa(1), qa(2)), file("a.md", "text")
    prior = (sorted(prior_ids(found.sections[0]))[0], sorted(prior_source_ids(held))[0])
    change = reconcile(Ledger(before=prior), found, Gathered((held,)), DAYS[0])
    assert change.unchanged == (ids(found)[0], held.id)
    assert (change.new, change.removed) == ((ids(found)[1],), ())
    assert [entry.prior for entry in change.ledger.entries] == [(prior[0],), (), (prior[1],)]


LETTERS = st.lists(st.sampled_from("abcdefgh"), max_size=8, unique=True)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(LETTERS, st.booleans()), min_size=1, max_size=5))
def test_whatever_is_done_to_a_document_nothing_is_lost_from_the_account(states) -> None:
    """Every section that was ever trained is trained still, kept, or has a tombstone; never two of these."""
    ledger, seen = Ledger(), set[str]()
    for day, (letters, keep) in enumerate(states):
        found = document("Always here.", *(qa(ord(letter)) for letter in letters), keep=keep)
        change = reconcile(ledger, found, EMPTY, DAYS[day])
        seen |= set(ids(found))
        present = {entry.id for entry in change.ledger.entries if entry.kept is None}
        kept, buried = set(change.kept), {stone.id for stone in change.ledger.tombstones}
        assert present == set(ids(found))
        assert present | kept | buried == seen
        assert len(present) + len(kept) + len(buried) == len(seen)
        assert keep or not kept
        before = {entry.id for entry in ledger.entries}
        told = {*change.unchanged, *change.removed, *change.kept, *(edit.old for edit in change.edited)}
        assert before <= told
        assert {*change.new, *(edit.new for edit in change.edited), *change.unchanged} == present
        ledger = change.ledger.stamped(day + 1, day + 1)


def kept_entry(name: str, age: int) -> Entry:
    seen = (datetime(2026, 1, 1, tzinfo=UTC) - timedelta(days=age)).strftime("%Y-%m-%dT%H:%M:%SZ")
    text = Text(content=f"Text of {name}.")
    return Entry(id=name, type="prose", first_seen=seen, last_seen=seen, kept="removed", text=text)


def test_sections_are_drawn_with_the_chances_that_their_ages_give() -> None:
    """Drawing without replacement by weight: the chance of every pair, against the formula."""
    ages = {"a": 0, "b": 1, "c": 3, "d": 400}
    weights = {name: max(1 / (1 + age), 0.01) for name, age in ages.items()}
    ledger = Ledger(entries=tuple(kept_entry(name, age) for name, age in ages.items()))
    draws = 4000
    seen = Counter(frozenset(section.id for section in sample(ledger, seed, 2)) for seed in range(draws))
    total = sum(weights.values())
    for one, two in itertools.combinations(ages, 2):
        x, y = weights[one], weights[two]
        chance = x / total * y / (total - x) + y / total * x / (total - y)
        deviation = math.sqrt(chance * (1 - chance) / draws)
        assert seen[frozenset({one, two})] / draws == pytest.approx(chance, abs=4 * deviation + 1 / draws)


def test_a_draw_is_the_same_for_the_same_ledger_and_seed_and_another_for_another() -> None:
    ledger = Ledger(entries=tuple(kept_entry(f"{number:016x}", number) for number in range(200)))
    first = sample(ledger, 1, 20)
    shuffled = ledger.model_copy(update={"entries": tuple(reversed(ledger.entries))})
    assert first == sample(ledger, 1, 20) == sample(shuffled, 1, 20)
    assert len({section.id for section in first}) == 20
    assert {section.id for section in first} != {section.id for section in sample(ledger, 2, 20)}
    assert len(sample(ledger, 1, 500)) == 200
    assert sample(ledger, 1, 0) == ()


def test_a_kept_section_whose_plugin_is_gone_is_named() -> None:
    lonely = kept_entry("a" * 16, 0).model_copy(update={"type": "glossary"})
    with pytest.raises(DlmError, match="glossary"):
        sample(Ledger(entries=(lonely,)), 1, 1)


@given(LETTERS, LETTERS)
def test_the_gaps_are_what_the_longest_run_in_order_leaves(before, after) -> None:
    between = list(gaps(before, after))
    left = [name for gap, _ in between for name in gap]
    unmoved = [name for name in before if name not in left]
    assert unmoved == [name for name in after if name not in [other for _, gap in between for other in gap]]
    longest = max(
        (run for size in range(9) for run in itertools.combinations(before, size) if _in_order(run, after)), key=len
    )
    assert len(unmoved) == len(longest) == len(between) - 1


def _in_order(run, after) -> bool:
    places = [after.index(name) for name in run if name in after]
    return len(places) == len(run) and places == sorted(places)


HORN = "::prose::\n## The horn\n\nThe horn sounds every {} seconds. Its pitch is F sharp.\n"
VAULT = "::prose::\n## The vault\n\nThe key is kept by Tamsin. The word is juniper.\n"


@pytest.mark.parametrize("keep", [True, False])
def test_a_section_that_is_removed_beside_an_edited_one_is_told_from_it(keep) -> None:
    old = document(qa(1), VAULT, HORN.format(35), keep=keep)
    new = document(qa(1), HORN.format(80), keep=keep)
    change = reconcile(trained(old), new, EMPTY, DAYS[1])
    vault, horn = ids(old)[1:]
    assert change.edited == (Edit(horn, ids(new)[1]),)
    assert (change.removed, change.kept) == (((), (vault,)) if keep else ((vault,), ()))
    assert "35 seconds" not in change.ledger.model_dump_json()


@pytest.mark.parametrize("keep", [True, False])
def test_a_section_that_is_moved_and_edited_is_replaced(keep) -> None:
    old = document(HORN.format(35), qa(1), qa(2), VAULT, keep=keep)
    new = document(VAULT, qa(1), qa(2), HORN.format(80), keep=keep)
    change = reconcile(trained(old), new, EMPTY, DAYS[1])
    assert change.edited == (Edit(ids(old)[0], ids(new)[3]),)
    assert (change.new, change.removed, change.kept) == ((), (), ())


def test_a_section_that_was_written_anew_in_its_place_replaces_the_old_one() -> None:
    old = document(qa(1), VAULT, qa(2), keep=True)
    new = document(qa(1), "::prose::\n## A safe\n\nNobody knows its code.\n", qa(2), keep=True)
    change = reconcile(trained(old), new, EMPTY, DAYS[1])
    assert change.edited == (Edit(ids(old)[1], ids(new)[1]),)
    assert (change.new, change.kept) == ((), ())


def test_a_kept_section_that_is_written_back_in_other_words_is_replaced() -> None:
    whole, gone = document(qa(1), HORN.format(35), keep=True), document(qa(1), keep=True)
    back = document(HORN.format(80), qa(1), keep=True)
    change = reconcile(trained(whole, gone), back, EMPTY, DAYS[2])
    assert change.edited == (Edit(ids(whole)[1], ids(back)[0]),)
    assert (change.new, change.kept) == ((), ())
    assert "35 seconds" not in change.ledger.model_dump_json()


def test_an_earlier_wording_that_comes_back_replaces_the_kept_later_one() -> None:
    first, later = (document(qa(1), f"::prose::\n{word}\n", keep=True) for word in ("Red", "Blue"))
    change = reconcile(trained(first, later, document(qa(1), keep=True)), first, EMPTY, DAYS[3])
    assert change.edited == (Edit(ids(later)[1], ids(first)[1]),)
    assert (change.new, change.kept) == ((), ())


def test_sections_that_are_merged_are_both_replaced() -> None:
    joined = VAULT.removeprefix("::prose::\n").replace("juniper", "rowan")
    old, new = (document(qa(1), *parts, keep=True) for parts in ((HORN.format(35), VAULT), (HORN.format(35) + joined,)))
    change = reconcile(trained(old), new, EMPTY, DAYS[1])
    assert set(change.edited) == {Edit(name, ids(new)[1]) for name in ids(old)[1:]}
    assert (change.new, change.removed, change.kept) == ((), (), ())
    assert "juniper" not in change.ledger.model_dump_json()


def test_of_two_short_sections_the_edited_one_is_replaced_and_the_removed_one_kept() -> None:
    red, cook, blue = (f"::prose::\n{text}\n" for text in ("Red is the lamp", "Bert is the cook", "Blue is the lamp"))
    old, new = document(qa(1), red, cook, keep=True), document(qa(1), blue, keep=True)
    change = reconcile(trained(old), new, EMPTY, DAYS[1])
    assert change.edited == (Edit(ids(old)[1], ids(new)[1]),)
    assert change.kept == (ids(old)[2],)


def test_a_section_of_another_type_is_no_edit() -> None:
    old, new = document(qa(1), VAULT, keep=True), document(qa(1), qa(2), keep=True)
    change = reconcile(trained(old), new, EMPTY, DAYS[1])
    assert (change.edited, change.kept, change.new) == ((), (ids(old)[1],), (ids(new)[1],))


def test_wrapping_a_text_anew_changes_no_sketch() -> None:
    text = "The key is kept by Tamsin. The word\nis juniper.\n\nIt opens once."
    assert sketch(text) == sketch(text.replace("word\nis", "word is").replace("Tamsin. The", "Tamsin.\nThe"))
    assert likeness(sketch(text), sketch(text.replace("juniper", "rowan"))) == pytest.approx(0.5)
    assert likeness(sketch(text), sketch("")) == likeness((), ()) == 0.0


@given(st.sets(st.integers(0, 30), min_size=1, max_size=8), st.sets(st.integers(0, 30), min_size=1, max_size=8))
def test_likeness_is_the_share_of_sentences_in_common_when_there_are_few(one, other) -> None:
    texts = ["\n\n".join(f"Sentence number {n}." for n in sorted(numbers)) for numbers in (one, other)]
    assert likeness(*map(sketch, texts)) == pytest.approx(len(one & other) / len(one | other))
