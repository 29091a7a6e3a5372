"""The base's own answers: cut where a sentence ends, kept between runs, never the reason why a run fails."""

from __future__ import annotations

import json

import pytest

from dlm.bases import LocalBase
from dlm.corpus.records import Message, Record
from dlm.testing.toy import ToyWorkbench, toy_base
from dlm.training.backend import OwnAnswer
from dlm.training.completion import shortened
from dlm.training.recipe import Recipe

QUESTIONS = [
    Record("anchor", "anchor", f"q-{number}", "", (Message("user", f"What is number {number}?"),))
    for number in range(6)
]
PROSE = Record("anchor", "anchor", "p-1", "", text="A lamp gives light.")


class Bench(ToyWorkbench):
    """Says a sentence to each question, nothing to number 3, and gives up after ``patience`` answers."""

    def __init__(self, base: LocalBase, patience: int = 99) -> None:
        super().__init__(base, Recipe(), None)
        self.asked: list[str] = []
        self.patience = patience

    def own_answers(self, conversations):
        for index, (question,) in enumerate(conversations):
            if len(self.asked) == self.patience:
                raise KeyboardInterrupt
            self.asked.append(question.content)
            if "4" not in question.content:
                text = "" if "3" in question.content else f"It follows {question.content[-2]}. And it"
                yield [OwnAnswer(index, text, ended=False)]


@pytest.fixture
def base(tmp_path) -> LocalBase:
    return LocalBase("toy", toy_base(tmp_path / "base"), "sha256:0", "test")


def answers(records: list[Record]) -> dict[str, str]:
    return {record.group: record.messages[-1].content for record in records if record.messages}


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("Lima is the capital. It lies on the", "Lima is the capital."),
        ("It is 3.5 metres long, and", "It is 3.5 metres long,"),
        ("First:\n1. Wash\n2. Dr", "First:\n1. Wash"),
        ('He said "Stop!" and then he', 'He said "Stop!"'),
        ("東京です。そして", "東京です。"),
        ("Well", "Well"),
        ("  ", ""),
    ],
)
def test_what_was_cut_off_ends_with_its_last_whole_sentence_or_word(said: str, kept: str) -> None:
    assert shortened(said) == kept


def test_order_and_everything_else_stay_and_what_was_not_answered_is_left_out(base, tmp_path) -> None:
    found = Bench(base).complete([QUESTIONS[5], PROSE, *QUESTIONS[:5]], tmp_path / "kept")
    assert [record.group for record in found] == ["q-5", "p-1", "q-0", "q-1", "q-2"]
    assert found[1] == PROSE
    assert answers(found)["q-2"] == "It follows 2."
    again = Bench(base)
    assert again.complete([QUESTIONS[5], PROSE, *QUESTIONS[:5]], tmp_path / "kept") == found
    assert again.asked == []


def test_a_run_that_was_stopped_goes_on_where_it_was(base, tmp_path) -> None:
    first, second = Bench(base, patience=2), Bench(base)
    with pytest.raises(KeyboardInterrupt):
        first.complete(QUESTIONS[:3], tmp_path)
    found = second.complete(QUESTIONS[:3], tmp_path)
    assert (len(first.asked), len(second.asked)) == (2, 1)
    assert found == Bench(base).complete(QUESTIONS[:3])


@pytest.mark.parametrize(
    "damage", ["not json", '{"messages": 3}', '{"messages": [["user"]], "answer": 1}', "[1]", "\0"]
)
def test_a_line_that_cannot_be_read_is_asked_for_again(base, tmp_path, damage: str) -> None:
    found = Bench(base).complete(QUESTIONS[:3], tmp_path)
    (file,) = tmp_path.glob("*.jsonl")
    lines = file.read_text().splitlines()
    file.write_text("\n".join([lines[0], damage, lines[2]]))
    again = Bench(base)
    assert again.complete(QUESTIONS[:3], tmp_path) == found
    assert again.asked == ["What is number 1?"]
    assert [json.loads(line)["answer"] for line in file.read_text().splitlines()] == list(answers(found).values())


def test_two_sets_of_questions_share_a_file_and_lose_nothing(base, tmp_path) -> None:
    Bench(base).complete(QUESTIONS[:2], tmp_path)
    Bench(base).complete(QUESTIONS[2:3], tmp_path)
    third = Bench(base)
    third.complete(QUESTIONS[:3], tmp_path)
    assert third.asked == []


def test_a_folder_that_cannot_be_written_costs_a_note_and_no_run(base, tmp_path) -> None:
    (tmp_path / "file").write_text("in the way")
    said: list[str] = []
    found = Bench(base).complete(QUESTIONS[:2], tmp_path / "file", said.append)
    assert len(found) == 2
    assert "not kept" in said[-1]


def test_without_a_question_nothing_is_asked_said_or_written(base, tmp_path) -> None:
    said: list[str] = []
    assert Bench(base, patience=0).complete([PROSE], tmp_path / "kept", said.append) == [PROSE]
    assert said == []
    assert not (tmp_path / "kept").exists()


def test_people_are_told_how_long_it_takes_when_it_takes_long(base, monkeypatch) -> None:
    class Slow(Bench):
        def own_answers(self, conversations):
            made = [answer for answers in super().own_answers(conversations) for answer in answers]
            for at in range(0, len(made), 2):
                clock[0] += 8.0
                yield made[at : at + 2]

    clock, said = [0.0], []
    monkeypatch.setattr("dlm.training.completion.time.perf_counter", lambda: clock[0])
    Slow(base).complete([QUESTIONS[at] for at in (0, 1, 2, 5)], None, said.append)
    assert said[1:] == ["about 8 s to go"]
