"""Two models of different kinds, without any model: what each shows is made up, and what is known of it is exact."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dlm_sway.errors import BackendError, NotSupported
from dlm_sway.scoring.alone import Given, OneModel, Seen
from dlm_sway.scoring.apart import Apart, windows
from dlm_sway.scoring.cutting import TEXTS, first_difference
from dlm_sway.scoring.distances import compared
from dlm_sway.scoring.seen import compared_by
from dlm_sway.scoring.types import BASE, FT, Answer, Item
from dlm_sway.spec.models import ModelSpec, SuiteDefaults
from dlm_sway.suite.target import ModelPair

VOCABULARY = 12


def rows(seed: str, positions: int, width: int = VOCABULARY):
    import random

    drawn = random.Random(seed)
    found = np.array([[drawn.gauss(0, 3) for _ in range(width)] for _ in range(positions)])
    return (found - np.log(np.exp(found).sum(-1, keepdims=True))).astype(np.float32)


def whole(found, targets=()) -> Seen:
    return Seen(tuple(float(found[at, token]) for at, token in enumerate(targets)), found)


def likeliest(found, top, targets=()) -> Seen:
    order = np.argsort(-found, axis=-1)[:, :top]
    listed = tuple({int(t): float(row[t]) for t in some} for row, some in zip(found, order, strict=True))
    return Seen(whole(found, targets).said, listed=listed)


@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(1, VOCABULARY))
@example(0, 1, 11)
def test_what_one_side_hides_bounds_what_both_would_show(seed, positions, top):
    base, view = rows(f"{seed} base", positions), rows(f"{seed} view", positions)
    asked = Given(tuple(range(positions + 1)), 0, tuple(range(positions)))
    exact = compared_by(whole(base, asked.targets), whole(view, asked.targets), asked)
    for one, other in (
        (likeliest(base, top, asked.targets), whole(view, asked.targets)),
        (whole(base, asked.targets), likeliest(view, top, asked.targets)),
        (likeliest(base, top, asked.targets), likeliest(view, top, asked.targets)),
    ):
        found = compared_by(one, other, asked)
        for least, true, most in zip(found[1:5], exact[1:5], found.at_most or found[1:5], strict=True):
            assert least - 3e-4 <= true <= most + 3e-4
        assert found.top1_agreement == exact.top1_agreement
        assert found[6:8] == pytest.approx(exact[6:8], abs=1e-5)


def test_tokens_that_only_one_side_has_are_left_out_of_both():
    base, view = rows("base", 3), rows("view", 3, VOCABULARY + 5)
    cut = view[:, :VOCABULARY].astype(np.float64)
    cut -= np.log(np.exp(cut).sum(-1, keepdims=True))
    found, wanted = (compared(base, one, (), scored=False, each=True) for one in (view, cut))
    assert found[:6] == pytest.approx(wanted[:6], abs=1e-6)
    assert compared(view, view, (), scored=False, each=True).kl == 0.0


def test_each_position_is_told_only_where_it_is_known():
    base, asked = rows("base", 2), Given((1, 2), 0, (3, 4))
    assert len(compared_by(whole(base, (3, 4)), whole(base, (3, 4)), asked, each=True).per_position) == 2
    with pytest.raises(NotSupported, match="likeliest"):
        compared_by(whole(base, (3, 4)), likeliest(base, 2, (3, 4)), asked, each=True)


@given(st.integers(2, 60), st.integers(1, 70))
def test_every_token_of_a_text_but_the_first_is_scored_once_and_no_run_is_too_long(length, longest):
    ids = list(range(100, 100 + length))
    runs = list(windows(ids, longest))
    assert [target for run in runs for target in run.targets] == ids[1:]
    for run in runs:
        # The last target is not read.
        assert len(run.ids) <= longest
        assert len(run.ids) == run.start + len(run.targets)
        follows = ids[ids.index(run.ids[run.start]) + 1]
        assert follows == run.targets[0]


def test_the_first_text_that_is_cut_otherwise_is_told_with_both_ways():
    ids = [list(text.encode()) for text in TEXTS]
    assert first_difference(ids, ids) is None
    other = [list(one) for one in ids]
    other[2][4] = 999
    told = first_difference(ids, other)
    assert repr(TEXTS[2]) in told
    assert "from its token 5 on" in told
    assert "999" in told
    other = [list(one) for one in ids]
    other[1].append(7)
    assert f"from its token {len(ids[1]) + 1} on" in first_difference(ids, other)


class Bytes(OneModel):
    """A model whose tokens are bytes; what it shows depends on ``spec.base`` and the last token alone."""

    longest = 16
    first: tuple[int, ...] = ()
    closed = 0

    def tokens(self, texts, *, start=False):
        return [[*(self.first if start else ()), *text.encode()] for text in texts]

    def given(self, items):
        found = []
        for item in items:
            prompt, answer = item.prompt.encode(), item.reference.encode()
            ids = (*prompt, *answer)
            found.append(Given(tuple(ids[: -1 if answer else None]), len(prompt) - 1, tuple(answer)))
        return found

    def rows(self, one):
        return np.concatenate([rows(f"{self.spec.base} {token}", 1, 256) for token in one.ids[one.start :]])

    def shown(self, given, *, layout=0):
        for one in given:
            found = self.rows(one)
            yield whole(found * np.nan if self.spec.base == "broken" else found, one.targets)

    def said(self, given):
        return [sum(whole(self.rows(one), one.targets).said) for one in given]

    def answers(self, prompts, max_new_tokens):
        return [Answer(self.spec.base, (1,), True) for _ in prompts]

    def identity(self, digest):
        return {"name": self.spec.base}

    def describe(self):
        return {"name": self.spec.base}

    def close(self):
        Bytes.closed += 1


def apart(base="one", tuned="two", **tuned_has) -> Apart:
    sides = ModelSpec(kind="first", base=base), ModelSpec(kind="second", base=tuned)
    halves = [Bytes(side, SuiteDefaults()) for side in sides]
    for name, value in tuned_has.items():
        setattr(halves[1], name, value)
    return Apart(ModelPair(*sides, differential=False), SuiteDefaults(), *halves)


def test_a_text_is_read_by_both_in_the_windows_of_the_one_that_reads_less():
    text = "a text of more than sixteen bytes, surely"
    (short,), (long,) = apart().texts([text], FT), apart(longest=9).texts([text], FT)
    assert short.tokens == long.tokens == len(text) - 1
    assert short.logprob == pytest.approx(long.logprob)  # this model looks at one token alone
    with pytest.raises(BackendError, match="no token that follows"):
        apart().texts(["a"], FT)


def test_texts_that_begin_otherwise_are_not_compared_but_items_are():
    made = apart(first=(2,))
    with pytest.raises(NotSupported, match="begin a text with other tokens"):
        made.texts(["some text"], BASE)
    assert made.compare([Item("Who?", "Ines.")], FT)[0].positions == 5


def test_a_base_that_answers_with_no_numbers_ends_it_and_a_tuned_model_that_does_is_measured():
    with pytest.raises(BackendError, match="the base broken itself"):
        apart(base="broken").compare([Item("Who?", "Ines.")], FT)
    assert math.isnan(apart(tuned="broken").compare([Item("Who?", "Ines.")], FT)[0].kl)


def test_both_halves_are_closed_and_described():
    made, before = apart(), Bytes.closed
    told = made.describe()
    assert (told["base"], told["fine_tuned"]) == ({"name": "one"}, {"name": "two"})
    assert told["backend"] == "first and second"
    assert made.generate([Item("Who?")], BASE, max_new_tokens=3)[0].text == "one"
    made.close()
    assert Bytes.closed == before + 2
