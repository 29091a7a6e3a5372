"""A study set made ready for one base: few anchors for a short run, and no teacher that cannot read."""

from __future__ import annotations

from collections import Counter

import pytest

from dlm.corpus.records import Message, Record, StudySet
from dlm.errors import TrainingRefused
from dlm.training.backend import BookGap
from dlm.training.studied import FEW_ANCHORS, LEAST_GAIN, LEAST_OPENED, studied


class Bench:
    """A bench whose base reads as well as it is told, and answers every general question."""

    def __init__(self, gap=None):
        self.gap = gap

    def open_book_gap(self, records):
        assert all(record.context for record in records)
        return self.gap

    def complete(self, records, folder, say):
        return list(records)


def anchors(count):
    return [Record("anchor", "anchor", f"chat-{n}", "", (Message("user", f"Question {n}?"),)) for n in range(count)]


def lesson():
    turns = (Message("user", "Who?"), Message("assistant", "Ada."))
    return Record("qa", "distill", "g", "s", turns, context="Ada did it.")


def ready(records, tmp_path, *, gap=None, few=False):
    said = []
    return studied(StudySet(tuple(records), (), {}), Bench(gap), tmp_path, said.append, few=few), said


def test_a_short_run_asks_the_base_fewer_questions_and_always_the_same(tmp_path):
    found, _ = ready([lesson_of("qa"), *anchors(500)], tmp_path, few=True)
    again, _ = ready([lesson_of("qa"), *anchors(500)], tmp_path, few=True)
    assert found == again
    assert Counter(record.kind for record in found.train) == {"qa": 1, "anchor": FEW_ANCHORS}
    whole, _ = ready(anchors(500), tmp_path)
    assert len(whole.train) == 500


def lesson_of(kind):
    turns = (Message("user", "Who?"), Message("assistant", "Ada."))
    return Record(kind, "answer", "g", "s", turns)


@pytest.mark.parametrize("gap", [BookGap(-3.0, LEAST_OPENED - 0.1), BookGap(-LEAST_GAIN / 2, -0.01)])
def test_a_base_that_reads_badly_is_no_teacher(gap, tmp_path):
    with pytest.raises(TrainingRefused, match="recipe: study"):
        ready([lesson()], tmp_path, gap=gap)


def test_a_base_that_reads_is_one_and_its_score_is_said(tmp_path):
    found, said = ready([lesson()], tmp_path, gap=BookGap(-3.0, -0.1))
    assert found.train == (lesson(),)
    assert "-0.10 with the section" in said[0]
