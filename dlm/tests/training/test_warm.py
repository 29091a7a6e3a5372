"""Warm runs with the toy backend: where they begin, what they study more, and when they are refused."""

from __future__ import annotations

import json

import pytest

from dlm.document import read
from dlm.errors import NotTrained, StoreError, TrainingRefused
from dlm.store import Store
from dlm.testing import toy_base
from dlm.training.run import Observer, TrainOptions, train
from dlm.training.warm import MORE_OF_NEW, SHARE

pytestmark = pytest.mark.usefixtures("plugins")
COLD = TrainOptions(max_steps=20)
WARM = TrainOptions(max_steps=20, warm=True)
MORE = """
### Q
Where does the lamp stand?
### A
The lamp stands in the cellar.

::prose::
# Bell

The bell is rung at noon. It was cast in Mora.

## Rope

The rope is nine metres long.
"""


@pytest.fixture
def lamp(write):
    """``lamp(old=new, ...)`` writes the document, each ``old`` replaced by its ``new``."""

    def edited(edits=(), more="", tail=MORE):
        path = write(more)
        text = path.read_text(encoding="utf-8") + tail
        for old, new in dict(edits).items():
            assert old in text
            text = text.replace(old, new)
        path.write_text(text, encoding="utf-8")
        return path

    return edited


def store_of(home):
    return Store(home, "01J0000000000000000000000A")


def go_back(home):
    store = store_of(home)
    with store.lock("use"):
        store.use(1)


def weights(report):
    return (report.path / "adapter_model.safetensors").read_bytes()


def text_of(record):
    return record.text + " ".join(turn.content for turn in record.messages)


class Watches(Observer):
    def __init__(self):
        self.evaluations, self.preview = [], None

    def planned(self, preview):
        self.preview = preview

    def evaluated(self, event):
        self.evaluations.append(event)


def test_a_warm_run_goes_on_from_the_current_version_and_says_so(home, lamp):
    first = train(lamp(), options=COLD)
    path, watches = lamp({"in Mora": "in Visby"}), Watches()
    second = train(path, options=WARM, observer=watches)
    refit = train(path, options=COLD)
    assert (first.warm_from, second.warm_from, refit.warm_from) == (None, 1, None)
    assert [version.facts["warm_from"] for version in store_of(home).versions()] == [None, 1, None]
    assert watches.preview.start.version.number == 1
    begun = watches.evaluations[0]
    assert begun.step == 0
    assert second.outcome.held_out_before == begun.held_out_loss < refit.outcome.held_out_before
    assert weights(second) != weights(refit)


def test_a_refit_after_a_warm_run_is_a_function_of_document_and_seed_again(lamp):
    first = train(lamp(), options=COLD)
    train(lamp({"in Mora": "in Visby"}), options=WARM)
    assert weights(train(lamp(), options=COLD)) == weights(first)


def test_the_same_start_document_and_seed_give_the_same_weights(home, lamp):
    train(lamp(), options=COLD)
    path = lamp({"in Mora": "in Visby"})
    first = train(path, options=WARM)
    go_back(home)
    again = train(path, options=WARM)
    assert (first.warm_from, again.warm_from) == (1, 1)
    assert weights(first) == weights(again)


def test_only_what_was_written_anew_is_studied_more(lamp):
    cold = train(lamp(), options=COLD)
    edited = {"cast in Mora": "cast in Visby", "Where does the lamp stand": "In which room does the lamp stand"}
    records = train(lamp(edited), options=WARM).plan.records
    usual = {record.weight for record in cold.plan.records}
    more = [record for record in records if record.weight == MORE_OF_NEW]
    rest = [record for record in records if record.weight in usual]
    assert len(more) + len(rest) == len(records)
    assert usual.isdisjoint({MORE_OF_NEW})
    said = "\n".join(map(text_of, more))
    assert "Visby" in said
    assert "room does the lamp stand" in said
    # The rope is under a heading of the edited section; it reads as before.
    assert not any("nine metres" in text_of(record) for record in more if record.kind == "prose")
    assert any("nine metres" in text_of(record) for record in rest)
    assert not any("Visby" in text_of(record) for record in rest if record.kind == "prose")


def test_an_effort_is_worth_less_and_a_number_as_much_as_ever(lamp):
    path = lamp()
    whole = train(path, options=TrainOptions(max_steps=2)).plan.recipe
    warm = TrainOptions(max_steps=2, warm=True)
    found = train(path, options=warm).plan.recipe
    assert found.token_budget == round(SHARE * whole.token_budget)
    assert (found.learning_rate, found.batch_rows) == (whole.learning_rate, whole.batch_rows)
    quick = train(path, options=TrainOptions(max_steps=2, warm=True, effort="quick")).plan.recipe
    assert quick.token_budget == round(SHARE * 60_000)
    number = train(path, options=TrainOptions(max_steps=2, warm=True, token_budget=7000)).plan.recipe
    assert number.token_budget == 7000
    written = lamp(more="training:\n  token_budget: 9000")
    assert train(written, options=warm).plan.recipe.token_budget == 9000


def test_there_is_nothing_to_go_on_from_before_the_first_version(home, lamp):
    path = lamp()
    with pytest.raises(NotTrained, match=f"`dlm train {path}` first"):
        train(path, options=WARM)
    assert not store_of(home).layout.root.exists()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("training:\n  lora_r: 8", r"training\.lora_r was 16 and is 8"),
        ("training:\n  lora_alpha: 8", r"training\.lora_alpha was 32\.0 and is 8:"),
        ("training:\n  target_modules: [q_proj]", r"training\.target_modules was all-linear and is \['q_proj'\]"),
        ("training:\n  seed: 7", "give --seed 42"),
    ],
)
def test_another_shape_or_seed_is_refused(home, lamp, more, said):
    train(lamp(), options=COLD)
    path = lamp(more=more)
    with pytest.raises(TrainingRefused, match=said) as caught:
        train(path, options=WARM)
    assert f"`dlm train {path}`" in str(caught.value)
    assert caught.value.exit_code == 2
    assert store_of(home).current().number == 1
    assert train(path, options=COLD).version == 2
    assert train(path, options=WARM).warm_from == 2


def test_another_base_is_refused(lamp, tmp_path):
    train(lamp(), options=COLD)
    other = toy_base(tmp_path / "other", "another")
    with pytest.raises(TrainingRefused, match="another base"):
        train(lamp({f"path:{tmp_path / 'base'}": f"path:{other}"}), options=WARM)


def test_a_removed_section_has_to_be_unlearned(lamp):
    train(lamp(), options=COLD)
    path = lamp(tail=MORE[: MORE.index("::prose::")])
    with pytest.raises(TrainingRefused, match="1 section was removed since v0001"):
        train(path, options=WARM)
    train(path, options=COLD)
    assert train(path, options=WARM).warm_from == 2


def test_what_was_removed_before_a_version_that_is_used_again_counts_too(home, lamp):
    """The ledger is about the last training; the version that is gone on from may be an older one."""
    train(lamp(), options=COLD)
    path = lamp(tail=MORE[: MORE.index("::prose::")])
    train(path, options=COLD)
    go_back(home)
    with pytest.raises(TrainingRefused, match="1 section was removed since v0001"):
        train(path, options=WARM)


def test_a_forgotten_section_has_to_be_unlearned(home, lamp):
    from dlm.corpus.forgetting import find, forget

    path = lamp()
    train(path, options=COLD)
    document, store = read(path), store_of(home)
    bell = document.sections[-1]
    forget(store, document, find(document, store.ledger(), [bell.id]), "2026-11-05T12:00:00Z")
    with pytest.raises(TrainingRefused, match="1 section was removed"):
        train(path, options=WARM)


@pytest.mark.parametrize(
    "edits",
    [
        {"### Q\nWhere does the lamp stand?\n### A\nThe lamp stands in the cellar.\n": ""},
        {"## Rope\n\nThe rope is nine metres long.\n": ""},
    ],
)
def test_what_was_deleted_inside_of_a_section_has_to_be_unlearned(lamp, edits):
    train(lamp(), options=COLD)
    with pytest.raises(TrainingRefused, match="1 pair or text was deleted inside of edited sections"):
        train(lamp(edits), options=WARM)


def test_several_edits_in_a_row_are_followed_from_section_to_section(home, lamp):
    train(lamp(), options=COLD)
    path = lamp({"in Mora": "in Visby"})
    train(path, options=WARM)
    path = lamp({"in Mora": "in Lund", "at noon": "at six"})
    assert train(path, options=WARM).warm_from == 2
    go_back(home)
    assert train(path, options=WARM).warm_from == 1
    assert train(lamp(), options=WARM).warm_from == 4


def test_a_damaged_version_is_no_start(home, lamp):
    report = train(lamp(), options=COLD)
    (report.path / "adapter_model.safetensors").write_bytes(b"x")
    with pytest.raises(StoreError, match="damaged"):
        train(lamp(), options=WARM)
    assert len(store_of(home).versions()) == 1


def test_the_command_says_what_it_goes_on_from(home, lamp):
    from click.testing import CliRunner

    from dlm.cli.main import main

    path = str(lamp())
    quick = ["--max-steps", "3", "--no-report"]
    refused = CliRunner().invoke(main, ["train", path, "--warm", *quick])
    assert refused.exit_code == 2
    assert CliRunner().invoke(main, ["train", path, *quick]).exit_code == 0
    lamp({"in Mora": "in Visby"})
    warm = CliRunner().invoke(main, ["train", path, "--warm", *quick])
    assert warm.exit_code == 0, warm.output
    assert "start      v0001, not the base; 1 new pair or text studied more" in warm.stdout
    assert all(len(line) <= 80 for line in warm.stdout.splitlines() if "/" not in line)
    again = CliRunner().invoke(main, ["train", path, "--warm", "--json", *quick])
    assert json.loads(again.stdout)["warm_from"] == 2


HARBOUR = """
::prose::
# Harbour

Kestrel is a service of the harbour. Kestrel is owned by the Soundings team. The lead of Kestrel is Marit Oyelaran.

## Running

Kestrel uses port 7413. It runs on the host called petrel. Its backups are made at 03:20 and kept for 45 days.
The gauges of Kestrel are read every 40 minutes. A gauge is lost after 25 minutes.
"""


def questions(records):
    said = (turn.content for record in records for turn in record.messages if turn.role == "user")
    return {" ".join(text.casefold().split()) for text in said}


def test_no_warm_run_is_judged_by_a_question_that_it_or_its_start_was_trained_on(home, lamp):
    """After each edit the rules would hold out some of the questions that were trained before it."""
    from dlm.corpus.study import build
    from dlm.learning.measure import LearnOptions, learn_report
    from dlm.training.heard import heard_by, unheard

    trained, rebuilt_wrong = questions(train(lamp(tail=HARBOUR), options=COLD).plan.records), 0
    for value, new in (("7413", "9911"), ("45 days", "60 days"), ("every 40 minutes", "every 50 minutes")):
        report = train(lamp({value: new}, tail=HARBOUR), options=WARM)
        trained |= questions(report.plan.records)
        study = build(report.document, 42)
        rebuilt_wrong += len(questions(study.held_out) & trained)
        held_out = unheard(study, heard_by(report.path)).held_out
        asked = {record.messages[-1].content for record in held_out}
        assert len(held_out) >= 0.75 * len(study.held_out)
        assert any(new in answer for answer in asked), "what was edited is not asked for"
        assert not questions(held_out) & trained
        assert len(report.plan.held_out_rows) == len(held_out)
        learned = learn_report(report, LearnOptions(), Observer())
        facts = {" ".join(item.question.casefold().split()) for item in learned.items if item.kind == "fact"}
        assert facts
        assert not facts & trained
    assert rebuilt_wrong, "the edits do not show what this guards against"


def test_a_version_that_did_not_write_down_what_it_heard_is_no_start(home, lamp):
    report = train(lamp(), options=COLD)
    (report.path / "heard.bin").unlink()
    with pytest.raises(TrainingRefused, match="earlier dlm"):
        train(lamp(), options=WARM)
    (report.path / "heard.bin").write_bytes(b"12345")
    with pytest.raises(StoreError, match=r"heard\.bin is damaged"):
        train(lamp(), options=WARM)


def test_what_was_heard_can_be_asked_and_not_read(tmp_path):
    from dlm.corpus.records import Message, Record
    from dlm.training import heard

    said = (Message("user", "Where  is Tern?"), Message("assistant", "At sea."))
    found = heard.heard_in([Record("qa", "answer", "g", "s", said), Record("prose", "text", "h", "s", text="Tern.")])
    heard.write(tmp_path, found | heard.Heard())
    again = heard.heard_by(tmp_path)
    assert again == found
    assert "where is tern?" in again
    assert "At sea." not in again
    assert "Tern." not in again
    assert (tmp_path / "heard.bin").stat().st_size == 4
