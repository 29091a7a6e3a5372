"""What begins alike is computed once, and every number stays what it was alone."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dlm_hf.batches import Limits, plan, windows
from dlm_hf.model import load_base, load_tokenizer
from dlm_hf.packing import forward_packed
from dlm_hf.render import Encoded, Renderer
from dlm_hf.trees import grow, grows_exactly, shared_length

CPU = torch.device("cpu")
EXAMPLES = st.lists(
    st.tuples(st.lists(st.integers(0, 2), min_size=2, max_size=9), st.integers(1, 8)).map(
        lambda drawn: Encoded(tuple(drawn[0]), min(drawn[1], len(drawn[0]) - 1))
    ),
    min_size=1,
    max_size=8,
)


@pytest.fixture(scope="module")
def model(tiny_base):
    return load_base(tiny_base, torch.float32, CPU)


@settings(max_examples=60, deadline=None)
@given(EXAMPLES)
def test_each_example_is_a_path_that_sees_itself_and_nothing_else(examples):
    packed = grow(examples)
    row, positions = packed.input_ids[0], packed.position_ids[0]
    found = iter(packed.keep.tolist())
    for example in examples:
        for at in range(example.start, len(example.ids)):
            seen = packed.visible[next(found)].nonzero()[:, 0]
            ancestors = seen[positions[seen].argsort()]
            assert row[ancestors].tolist() == list(example.ids[:at])
            assert positions[ancestors].tolist() == list(range(at))
    assert packed.targets.tolist() == [token for example in examples for token in example.ids[example.start :]]


@settings(max_examples=60, deadline=None)
@given(EXAMPLES)
def test_sorted_examples_hold_each_beginning_once(examples):
    beginnings = {example.ids[:at] for example in examples for at in range(1, len(example.ids))}
    assert grow(sorted(examples, key=lambda one: one.ids)).input_ids.shape[1] == len(beginnings)


@settings(max_examples=40, deadline=None)
@given(EXAMPLES, st.integers(4, 30), st.integers(1, 6))
def test_a_plan_holds_every_position_once_whatever_the_order(examples, tokens, scored):
    limits = Limits(tokens=tokens, scored=scored, alone_above=None)

    def positions(batches):
        return sorted(
            (piece.item, at)
            for batch in batches
            for piece in batch
            for at in range(piece.example.start, len(piece.example.ids))
        )

    batches = plan(examples, limits)
    expected = sorted((i, at) for i, one in enumerate(examples) for at in range(one.start, len(one.ids)))
    assert positions(batches) == positions(plan(examples, limits, backwards=True)) == expected
    assert all(sum(piece.scored for piece in batch) <= scored for batch in batches)
    turned = plan(examples[::-1], limits)
    assert [[piece.example for piece in batch] for batch in turned] == [[p.example for p in batch] for batch in batches]


def test_a_long_beginning_that_all_share_makes_room_for_more():
    document = tuple(range(100))
    examples = [Encoded((*document, 200 + n, 300 + n), 101) for n in range(60)]
    limits = Limits(tokens=40, scored=1000, alone_above=None)
    assert [len(batch) for batch in plan(examples, limits)] == [60]
    apart = [Encoded((200 + n, *document), 50) for n in range(3)]
    assert [len(batch) for batch in plan(apart, limits)] == [1, 1, 1]


def test_what_must_be_alone_is_alone():
    examples = [Encoded(tuple(range(10 + n)), 5) for n in range(4)]
    assert [len(batch) for batch in plan(examples, Limits(1000, 1000, alone_above=0))] == [1] * 4
    assert [len(batch) for batch in plan(examples, Limits(1000, 1000, alone_above=11))] == [2, 1, 1]


def test_logits_in_a_tree_are_those_of_each_example_alone(model):
    torch.manual_seed(0)
    words = torch.randint(3, 60, (40,)).tolist()
    examples = sorted(
        (
            Encoded((*words[:cut], *words[cut + 5 : cut + 5 + tail]), max(1, cut - 3))
            for cut in (2, 8, 20)
            for tail in (2, 4, 9)
        ),
        key=lambda one: one.ids,
    )
    alone = torch.cat([forward_packed(model, grow([example])) for example in examples])
    for tail in ((), (3, 4, 5)):
        with torch.no_grad():
            torch.testing.assert_close(forward_packed(model, grow(examples, tail=tail)), alone, atol=2e-5, rtol=0)


@settings(max_examples=80, deadline=None)
@given(st.integers(2, 60), st.one_of(st.none(), st.integers(2, 70)))
def test_windows_score_every_token_once_with_half_a_window_before_it(length, longest):
    ids = list(range(length))
    scored = []
    for run in windows(ids, longest):
        assert list(run.ids) == ids[run.ids[0] : run.ids[0] + len(run.ids)]
        assert longest is None or len(run.ids) - 1 <= longest
        if scored and longest is not None:
            assert run.start >= longest // 2
        scored += run.ids[run.start :]
    assert scored == ids[1:]


def test_shared_length_counts_from_the_front():
    assert shared_length((1, 2, 3), (1, 2, 4, 3)) == 2
    assert shared_length((), (1,)) == 0


def test_an_architecture_that_cannot_be_packed_is_found_out(tiny_base, model):
    renderer = Renderer(load_tokenizer(tiny_base))
    assert grows_exactly(model, renderer)

    class Ignoring(torch.nn.Module):
        """Sees what stands before, whatever the mask and the positions say."""

        def __init__(self):
            super().__init__()
            self.inner = model

        def forward(self, attention_mask=None, position_ids=None, **given):
            return self.inner(**given)

    assert not grows_exactly(Ignoring(), renderer)
