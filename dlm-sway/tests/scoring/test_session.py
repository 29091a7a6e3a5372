from __future__ import annotations

import pytest

from dlm_sway.errors import BackendError, NotSupported
from dlm_sway.scoring.session import Session
from dlm_sway.scoring.types import FT, Item, View
from dlm_sway.testing import ClosedForm

A, B, C = Item("a?", "one two"), Item("b?", "three"), Item("c?")


class Recording(ClosedForm):
    """A closed form that remembers what it was asked."""

    def __init__(self, **keys):
        super().__init__(direction="random", size=10.0, **keys)
        self.asked = []

    def compare(self, items, view, *, layout=0):
        self.asked.append((tuple(items), view.label, layout))
        return super().compare(items, view, layout=layout)

    def inspect(self):
        self.asked.append("inspect")
        return super().inspect()


def test_an_item_is_compared_once_a_view_and_answers_keep_their_order():
    session = Session(backend := Recording())
    first = session.compare([A, B, A], FT)
    second = session.compare([C, B], FT)
    assert backend.asked == [((A, B), "ft", 0), ((C,), "ft", 0)]
    assert first[0] == first[2] == ClosedForm(direction="random", size=10.0).compare([A], FT)[0]
    assert second[1] == first[1]


def test_views_and_the_noise_are_kept_apart():
    session = Session(backend := Recording(jitter=1e-4))
    for view in (FT, View("null", seed=1), View("null", seed=2), View("scaled", scale=0.501)):
        session.compare([A], view)
    session.compare([A], View("scaled", scale=0.502))
    noise = session.noise([A])
    assert len(backend.asked) == 6
    assert backend.asked[-1] == ((A,), "base", 1)
    assert 0 < noise[0].kl < 1e-6


def test_the_counts_say_what_was_asked_and_what_was_remembered():
    session = Session(Recording())
    session.compare([A, B, C], FT)
    session.compare([A, B], FT)
    session.generate(["a?"], FT, max_new_tokens=3)
    session.generate([Item("a?", "not looked at")], FT, max_new_tokens=3)
    counts = session.counts.as_dict()
    assert (counts["cache_misses"], counts["cache_hits"], counts["hit_rate"]) == (4, 3, 3 / 7)
    assert (counts["batches_sent"], counts["max_batch_size"], counts["generated"]) == (2, 3, 1)
    assert counts["scoring_wall_s"] >= 0


def test_nothing_asked_is_not_a_division_by_zero():
    assert Session(Recording()).counts.as_dict()["hit_rate"] == 0.0
    assert Session(Recording()).compare([], FT) == []


def test_the_adapter_is_read_once_and_each_null_on_its_own():
    session = Session(backend := Recording())
    assert session.inspect() is session.inspect()
    assert backend.asked == ["inspect"]
    assert session.inspect_null(1) is not session.inspect_null(2)


def test_a_backend_that_answers_for_fewer_items_is_an_error_that_names_it():
    class Short(Recording):
        def compare(self, items, view, *, layout=0):
            return super().compare(items, view, layout=layout)[:-1]

        def generate(self, prompts, view, *, max_new_tokens):
            return []

    with pytest.raises(BackendError, match="Short compared 1 of 2 items under ft"):
        Session(Short()).compare([A, B], FT)
    with pytest.raises(BackendError, match="answered 0 of 1 items under ft"):
        Session(Short()).generate(["a?"], FT, max_new_tokens=1)


def test_a_failed_comparison_is_not_remembered():
    class Flaky(Recording):
        broken = True

        def compare(self, items, view, *, layout=0):
            if self.broken:
                raise NotSupported("not now")
            return super().compare(items, view, layout=layout)

    session = Session(backend := Flaky())
    with pytest.raises(NotSupported):
        session.compare([A], FT)
    backend.broken = False
    assert session.compare([A], FT)[0].kl > 0


def test_a_text_is_scored_by_the_base_once_for_all_views():
    class Reading(Recording):
        def texts(self, texts, view):
            self.asked.append((tuple(texts), view.label))
            return super().texts(texts, view)

    session = Session(backend := Reading())
    first = session.texts(["one two three", "four five"], FT)
    again = session.texts(["four five"], View("null", seed=1))
    assert backend.asked == [
        (("one two three", "four five"), "base"),
        (("one two three", "four five"), "ft"),
        (("four five",), "null_1"),
    ]
    assert (first[0].tokens, first[1].base_logprob) == (2, again[0].base_logprob)
    assert first[1].view_logprob != again[0].view_logprob


def test_the_base_under_its_own_eyes_is_exactly_itself():
    for one in Session(Recording()).texts(["one two three"], View("base")):
        assert one.base_logprob == one.view_logprob


def test_tokens_are_counted_once_a_text():
    class Counting(Recording):
        def count_tokens(self, texts):
            self.asked.append(tuple(texts))
            return super().count_tokens(texts)

    session = Session(backend := Counting())
    assert session.count_tokens(["one two", "three", "one two"]) == [2, 1, 2]
    assert session.count_tokens(["three", "four"]) == [1, 1]
    assert backend.asked == [("one two", "three"), ("four",)]
