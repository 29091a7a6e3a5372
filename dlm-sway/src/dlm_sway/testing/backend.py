"""What every scoring backend must do, whoever wrote it."""

from __future__ import annotations

import json
import math

import pytest

from ..errors import NotSupported
from ..scoring.backend import Backend
from ..scoring.types import BASE, FT, Comparison, Item, TextLogprob, View

ITEMS = (
    Item("Which river flows through Paris?", "The Seine flows through Paris."),
    Item("Name a prime number.", "Seven."),
    Item("What is left of the door?"),
    Item("Say it in one sentence: why does a kettle whistle?", "Steam is forced through a narrow gap.", "kettle"),
)
NULL = View("null", seed=1000)


class BackendContract:
    """Subclass as ``TestMyBackend`` and give the :meth:`backend` fixture: yours, with an adapter that does something.

    Capabilities are declared in :attr:`gives`, as in your :class:`~dlm_sway.entries.BackendEntry`: what is declared
    must work, what is not must raise :class:`~dlm_sway.errors.NotSupported`. A test may be overridden only to mark it
    ``xfail`` with a reason.
    """

    gives: frozenset[str] = frozenset({"compare"})
    tolerance: float = 1e-4
    """Nats by which a number may depend on what shares its batch."""

    @pytest.fixture
    def backend(self) -> Backend:
        """Your backend, loaded with a base and an adapter that moves it."""
        raise NotImplementedError(f"{type(self).__name__} gives no backend fixture")

    def test_one_comparison_an_item_in_order(self, backend: Backend) -> None:
        found = backend.compare(ITEMS, FT)
        assert [type(one) for one in found] == [Comparison] * len(ITEMS)
        for item, one in zip(ITEMS, found, strict=True):
            self._close(one, backend.compare([item], FT)[0])

    def test_no_items_no_comparisons(self, backend: Backend) -> None:
        assert backend.compare([], FT) == []

    def test_the_order_of_items_does_not_matter(self, backend: Backend) -> None:
        backwards = backend.compare(ITEMS[::-1], FT)[::-1]
        for one, other in zip(backend.compare(ITEMS, FT), backwards, strict=True):
            self._close(one, other)

    def test_every_number_lies_where_it_can(self, backend: Backend) -> None:
        for one in backend.compare(ITEMS, FT):
            assert all(math.isfinite(value) for value in one[:8])
            assert one.positions >= 1
            assert one.kl >= -self.tolerance
            assert one.reverse_kl >= -self.tolerance
            assert -self.tolerance <= one.js <= math.log(2) + self.tolerance
            assert -self.tolerance <= one.tv <= 1 + self.tolerance
            assert 0 <= one.top1_agreement <= 1
            assert max(one.base_logprob, one.view_logprob) <= self.tolerance

    def test_without_a_reference_only_the_first_token_is_scored(self, backend: Backend) -> None:
        one = backend.compare([Item("What is left of the door?")], FT)[0]
        assert (one.positions, one.base_logprob, one.view_logprob) == (1, 0.0, 0.0)

    def test_a_longer_reference_has_more_positions(self, backend: Backend) -> None:
        short, long = backend.compare([Item("Count.", "One."), Item("Count.", "One, two, three, four, five.")], FT)
        assert 1 <= short.positions < long.positions

    def test_the_adapter_moves_the_model(self, backend: Backend) -> None:
        assert max(one.kl for one in backend.compare(ITEMS, FT)) > self.tolerance

    def test_the_base_is_the_base_in_every_layout(self, backend: Backend) -> None:
        for layout in (0, 1):
            for one in backend.compare(ITEMS, BASE, layout=layout):
                assert abs(one.kl) <= self.tolerance
                assert one.view_logprob == pytest.approx(one.base_logprob, abs=self.tolerance * one.positions)

    def test_asking_twice_gives_the_same_numbers(self, backend: Backend) -> None:
        assert backend.compare(ITEMS, FT) == backend.compare(ITEMS, FT)

    def test_scaled_runs_from_the_base_to_the_adapter(self, backend: Backend) -> None:
        if "scale" not in self.gives:
            with pytest.raises(NotSupported):
                backend.compare(ITEMS, View("scaled", scale=0.5))
            return
        assert all(abs(one.kl) <= self.tolerance for one in backend.compare(ITEMS, View("scaled", scale=0.0)))
        for one, other in zip(
            backend.compare(ITEMS, View("scaled", scale=1.0)), backend.compare(ITEMS, FT), strict=True
        ):
            self._close(one, other)

    def test_null_adapters_differ_by_seed_and_leave_nothing_behind(self, backend: Backend) -> None:
        if "null" not in self.gives:
            with pytest.raises(NotSupported):
                backend.compare(ITEMS, NULL)
            return
        before = backend.compare(ITEMS, FT)
        one, again, other = (backend.compare(ITEMS, View("null", seed=seed)) for seed in (1000, 1000, 1001))
        assert one == again
        assert [c.kl for c in one] != [c.kl for c in other]
        assert [c.kl for c in one] != [c.kl for c in before]
        assert backend.compare(ITEMS, FT) == before

    def test_null_adapters_have_the_size_of_the_real_one(self, backend: Backend) -> None:
        if not {"null", "inspect"} <= self.gives:
            with pytest.raises(NotSupported):
                backend.inspect_null(1000)
            return
        null = {module.name: module.update_norm for module in backend.inspect_null(1000).modules}
        real = {module.name: module.update_norm for module in backend.inspect().modules}
        assert null == pytest.approx(real, rel=1e-3)

    def test_what_is_not_given_says_so(self, backend: Backend) -> None:
        if "inspect" not in self.gives:
            with pytest.raises(NotSupported):
                backend.inspect()
        if "generate" not in self.gives:
            with pytest.raises(NotSupported):
                backend.generate([Item("Hello")], FT, max_new_tokens=2)
        if "texts" not in self.gives:
            with pytest.raises(NotSupported):
                backend.texts(["Hello there"], FT)

    def test_answers_come_one_a_prompt_and_again_the_same(self, backend: Backend) -> None:
        if "generate" in self.gives:
            answers = backend.generate(ITEMS, FT, max_new_tokens=8)
            assert len(answers) == len(ITEMS)
            assert answers == backend.generate(ITEMS, FT, max_new_tokens=8)
            assert all(answer.tokens == len(answer.ids) <= 8 for answer in answers)
            assert all(answer.ended for answer in answers if answer.tokens < 8)

    def test_the_divergence_at_each_position_is_given_when_asked_for(self, backend: Backend) -> None:
        plain, asked = backend.compare(ITEMS, FT), backend.compare(ITEMS, FT, per_position=True)
        assert [one.per_position for one in plain] == [()] * len(ITEMS)
        for one in asked:
            assert len(one.per_position) == one.positions
            assert math.fsum(one.per_position) / one.positions == pytest.approx(one.kl, abs=self.tolerance)

    def test_what_was_said_before_an_item_is_part_of_it(self, backend: Backend) -> None:
        bare = ITEMS[0]
        turns = (("user", "Hello, how are you?"), ("assistant", "I do not know."))
        found = backend.compare([bare, bare._replace(before=turns), bare._replace(plain=True)], FT)
        assert len({one.base_logprob for one in found}) == 3

    def test_whole_texts_are_scored_the_same_in_any_company(self, backend: Backend) -> None:
        if "texts" not in self.gives:
            return
        texts = [" ".join(item.prompt for item in ITEMS), "Which team owns the river?"]
        found = backend.texts(texts, FT)
        assert [type(one) for one in found] == [TextLogprob] * 2
        assert found[0].tokens > found[1].tokens >= 1
        assert all(one.logprob < 0 for one in found)
        for one, other in zip(found, backend.texts(texts[::-1], FT)[::-1], strict=True):
            assert one.logprob == pytest.approx(other.logprob, abs=self.tolerance * one.tokens)
        assert backend.texts(texts, BASE) != found

    def test_tokens_are_counted_by_text(self, backend: Backend) -> None:
        if {"texts", "generate"} & self.gives:
            one, three = backend.count_tokens(["river", "river river river"])
            assert 1 <= one < three

    def test_it_describes_itself_in_strict_json(self, backend: Backend) -> None:
        assert json.loads(json.dumps(backend.describe(), allow_nan=False))

    def test_the_contract_is_not_overridden(self) -> None:
        forbid_overrides(type(self), BackendContract)

    def _close(self, one: Comparison, other: Comparison) -> None:
        assert one.positions == other.positions
        assert one[1:5] == pytest.approx(other[1:5], abs=self.tolerance)
        # Sums over the reference's tokens: the error of each adds up.
        assert one[6:8] == pytest.approx(other[6:8], abs=self.tolerance * one.positions)


def forbid_overrides(mine: type, contract: type) -> None:
    """Fail when a contract test is replaced by anything but an ``xfail`` that gives a reason."""
    for name in (name for name in dir(contract) if name.startswith("test_")):
        test = getattr(mine, name)
        if test is getattr(contract, name):
            continue
        marks = getattr(test, "pytestmark", [])
        assert any(mark.name == "xfail" and mark.kwargs.get("reason") for mark in marks), (
            f"{name} is overridden without xfail(reason=...)"
        )
