"""Mixes as they are written, weights as they are used, and which adapters may not be put together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlm.errors import AdapterMismatch, UsageProblem
from dlm.training.mixing import FULL, LEAST, parse_mix, precision_of_base, require_one_base, settled

NAMES = ("network", "kitchen", "garden")
FOUR_BIT = {"recipe": {"adapter": "qlora"}}
FULL_WEIGHTS = {"recipe": {"adapter": "dora"}, "base_quantisation": None}


def test_a_mix_is_names_with_weights_in_the_order_they_are_written() -> None:
    assert list(parse_mix("kitchen:.5, network : 1.25", NAMES).items()) == [("kitchen", 0.5), ("network", 1.25)]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("network", "part 1 of the mix, 'network', is not a name with a weight: write NAME:WEIGHT,.*network:0.5,kit"),
        ("network:1,", "part 2 of the mix, '', is not a name with a weight"),
        (":1", "part 1 of the mix, ':1', is not a name"),
        ("network:", "part 1 of the mix, 'network:', is not a name"),
        ("network:1,cellar:2", "part 2 of the mix, 'cellar:2', names no adapter of this version: it has network, kit"),
        ("network:1,network:2", "part 2 of the mix, 'network:2', names network a second time"),
        ("network:half", "part 1 of the mix, 'network:half', has the weight 'half': give a number above 0"),
        ("network:0", "has the weight '0'"),
        ("network:-1", "has the weight '-1'"),
        ("network:nan", "has the weight 'nan'"),
        ("network:inf", "has the weight 'inf'"),
        ("network:1:2", "has the weight '1:2'"),
    ],
)
def test_what_is_no_mix_is_refused_at_its_part(text, says) -> None:
    with pytest.raises(UsageProblem, match=says):
        parse_mix(text, NAMES)


@given(st.lists(st.floats(1e-6, 1), min_size=2, max_size=12))
def test_a_gates_weights_are_hundredths_that_sum_to_1_near_what_it_said(raw) -> None:
    said = [weight / sum(raw) for weight in raw]
    used = settled(said)
    assert round(sum(used), 9) == 1
    assert all(round(weight * 100, 9) == round(weight * 100) for weight in used)
    dropped = sum(weight for weight in said if weight < LEAST)
    for before, after in zip(said, used, strict=True):
        assert after == 0 if before < LEAST else abs(after - before / (1 - dropped)) <= 0.01 + 1e-9


def test_alike_weights_of_a_gate_become_the_same() -> None:
    assert settled([0.9971, 0.0029]) == settled([0.9999, 0.0001]) == (1.0, 0.0)
    assert settled([0.701, 0.299]) == settled([0.699, 0.301]) == (0.7, 0.3)


def test_precision_is_read_from_the_recipe_and_from_what_was_recorded() -> None:
    assert precision_of_base(FOUR_BIT) == precision_of_base({"base_quantisation": "nf4"}) == "nf4"
    assert precision_of_base(FULL_WEIGHTS) == precision_of_base({}) == FULL


def test_adapters_of_alike_weights_may_be_summed() -> None:
    require_one_base({"a": FULL_WEIGHTS, "b": {}})
    require_one_base({"a": FOUR_BIT, "b": FOUR_BIT})
    require_one_base({"a": FOUR_BIT}, "nf4")
    require_one_base({"a": {}}, FULL)


@pytest.mark.parametrize(
    ("adapters", "base"),
    [
        ({"a": FULL_WEIGHTS, "b": FOUR_BIT}, ""),
        ({"b": FOUR_BIT, "a": FULL_WEIGHTS}, ""),  # whichever comes first
        ({"b": FOUR_BIT}, FULL),  # a merge into the base's own weights
        ({"a": FULL_WEIGHTS, "b": FOUR_BIT}, "nf4"),
    ],
)
def test_an_adapter_of_4_bit_weights_is_not_put_with_others_nor_on_full_ones(adapters, base) -> None:
    with pytest.raises(AdapterMismatch, match=r"b was trained on nf4 weights.*--any-precision"):
        require_one_base(adapters, base)
