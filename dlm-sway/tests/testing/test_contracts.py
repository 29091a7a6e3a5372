"""The contracts themselves: what they refuse."""

from __future__ import annotations

import json
import math

import pytest

from dlm_sway.data import general_items
from dlm_sway.errors import NotSupported
from dlm_sway.scoring.types import View
from dlm_sway.testing import BackendContract, ClosedForm, ProbeContract, modules_after
from dlm_sway.testing.backend import forbid_overrides


def test_a_quiet_override_is_refused_and_an_explained_one_is_not():
    class Quiet(ProbeContract):
        def test_rejects_unknown_keys(self):
            pass

    class Explained(ProbeContract):
        @pytest.mark.xfail(reason="our keys come from a server")
        def test_rejects_unknown_keys(self):
            pass

    with pytest.raises(AssertionError, match="test_rejects_unknown_keys is overridden"):
        forbid_overrides(Quiet, ProbeContract)
    forbid_overrides(Explained, ProbeContract)


class _Wrong(ClosedForm):
    def __init__(self):
        super().__init__(direction="random", size=40.0)


class _LeavesTheNullOn(_Wrong):
    def compare(self, items, view, *, layout=0):
        found = super().compare(items, view, layout=layout)
        if view.kind == "null":
            self._update = self._table(view)
        return found


class _DependsOnTheBatch(_Wrong):
    def compare(self, items, view, *, layout=0):
        return [c._replace(kl=c.kl + 0.01 * len(items)) for c in super().compare(items, view, layout=layout)]


class _IgnoresTheAdapter(_Wrong):
    def compare(self, items, view, *, layout=0):
        return super().compare(items, View("base"), layout=layout)


class _NullsOfAnotherSize(_Wrong):
    def inspect_null(self, seed):
        return self._inspection(2 * self._update)


class _SaysNaN(_Wrong):
    def describe(self):
        return {"loss": math.nan}


@pytest.mark.parametrize(
    ("backend", "test"),
    [
        (_LeavesTheNullOn, "test_null_adapters_differ_by_seed_and_leave_nothing_behind"),
        (_DependsOnTheBatch, "test_one_comparison_an_item_in_order"),
        (_IgnoresTheAdapter, "test_the_adapter_moves_the_model"),
        (_NullsOfAnotherSize, "test_null_adapters_have_the_size_of_the_real_one"),
        (_SaysNaN, "test_it_describes_itself_in_strict_json"),
    ],
)
def test_a_backend_that_is_wrong_in_this_way_fails_this_test(backend, test):
    class Contract(BackendContract):
        gives = frozenset({"compare", "generate", "inspect", "null", "scale"})

    getattr(Contract(), test)(ClosedForm(direction="random", size=40.0))
    with pytest.raises((AssertionError, ValueError)):
        getattr(Contract(), test)(backend())


def test_a_capability_that_works_but_is_not_declared_is_noticed():
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        BackendContract().test_what_is_not_given_says_so(ClosedForm())


def test_a_backend_without_nulls_says_so_itself():
    class Plain(ClosedForm):
        def compare(self, items, view, *, layout=0):
            if view.kind in ("null", "scaled"):
                raise NotSupported("one model only")
            return super().compare(items, view, layout=layout)

    BackendContract().test_null_adapters_differ_by_seed_and_leave_nothing_behind(Plain())
    BackendContract().test_scaled_runs_from_the_base_to_the_adapter(Plain())


def test_the_kit_needs_pytest_only_for_its_contracts():
    loaded = modules_after("from dlm_sway.testing import ClosedForm, modules_after")
    assert "pytest" not in loaded
    assert "numpy" not in modules_after("import dlm_sway.testing")


def test_a_statement_that_fails_shows_what_it_printed():
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        modules_after("1 / 0")


def test_the_general_questions_are_forty_different_ones_with_answers():
    items = general_items()
    assert len(items) == len({item.prompt for item in items}) == 40
    assert all(item.prompt.strip() and item.reference.strip() and not item.group for item in items)
    assert max(len(item.reference.split()) for item in items) <= 40
    assert json.dumps(items)
