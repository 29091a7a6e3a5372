from __future__ import annotations

import math

import numpy as np
import pytest

from dlm_sway.scoring.types import BASE, FT, Item, View
from dlm_sway.testing import BackendContract, ClosedForm
from dlm_sway.testing.closed_form import GIVES

ITEM = Item("Which river flows through Paris?", "The Seine flows there.")


class TestClosedForm(BackendContract):
    gives = GIVES

    @pytest.fixture
    def backend(self):
        return ClosedForm(direction="random", seed=3, size=40.0, jitter=1e-7)


def test_two_even_tokens_give_the_textbook_numbers():
    """Base one half each; the update raises the right one by s, so the adapted model gives it sigma(s)."""
    item = Item("Heads?")
    coin = ClosedForm(vocabulary=2, base_scale=0.0, taught=[Item("Heads?", "yes")], size=2.0)
    s = 2.0 / math.sqrt(2)  # two positions, "yes" and the end, share the norm
    q, p = 1 / (1 + math.exp(-s)), 0.5
    m = (p + q) / 2
    js = sum(0.5 * (a * math.log(a / (x / 2)) + b * math.log(b / (x / 2))) for a, b, x in _pairs(p, q, m))
    seen = coin.compare([item], FT)[0]
    assert seen.kl == pytest.approx(q * math.log(2 * q) + (1 - q) * math.log(2 * (1 - q)))
    assert seen.reverse_kl == pytest.approx(-0.5 * math.log(4 * q * (1 - q)))
    assert seen.js == pytest.approx(js)
    assert seen.tv == pytest.approx(q - 0.5)


def _pairs(p, q, m):
    return [(p, q, 2 * m), (1 - p, 1 - q, 2 - 2 * m)]


def test_what_was_planted_raises_the_reference_by_exactly_that():
    coin = ClosedForm(vocabulary=2, base_scale=0.0, taught=[Item("Heads?", "yes")], size=2.0)
    seen = coin.compare([Item("Heads?", "yes")], FT)[0]
    assert seen.positions == 2
    assert seen.base_logprob == pytest.approx(2 * math.log(0.5))
    assert seen.view_logprob == pytest.approx(-2 * math.log1p(math.exp(-math.sqrt(2))))


def test_numbers_are_those_of_its_own_logits():
    backend = ClosedForm(direction="random", seed=9, size=60.0)
    tokens = backend.tokens(ITEM.reference)
    kls, gain = [], 0.0
    for at, token in enumerate(tokens):
        p, q = (np.exp(x) / np.exp(x).sum() for x in (backend.logits(ITEM.prompt, at, v) for v in (BASE, FT)))
        kls.append((q * np.log(q / p)).sum())
        gain += math.log(q[token] / p[token])
    seen = backend.compare([ITEM], FT)[0]
    assert seen.kl == pytest.approx(np.mean(kls))
    assert seen.view_logprob - seen.base_logprob == pytest.approx(gain)


def test_only_what_was_taught_moves():
    backend = ClosedForm(taught=[ITEM], size=8.0)
    taught, other = backend.compare([ITEM, Item("And in London?", "The Thames.")], FT)
    assert taught.view_logprob > taught.base_logprob + 1
    assert other.kl == 0.0


def test_an_adapter_of_no_size_changes_nothing_under_any_view():
    backend = ClosedForm(taught=[ITEM], size=0.0)
    for view in (FT, View("null", seed=1), View("scaled", scale=3.0)):
        assert backend.compare([ITEM], view)[0].kl == 0.0


def test_a_random_adapter_is_drawn_as_the_nulls_are():
    """The adapter under test with a null's seed is that null: they are exchangeable."""
    backend = ClosedForm(direction="random", seed=1004, size=30.0)
    assert backend.compare([ITEM], FT) == backend.compare([ITEM], View("null", seed=1004))
    assert backend.inspect().modules[0].update_norm == pytest.approx(30.0)
