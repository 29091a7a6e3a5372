"""The contracts themselves: what they refuse."""

from __future__ import annotations

import inspect
import json
import math
from types import SimpleNamespace

import pytest

from dlm_sway import Item, Measurement, Probe, hookimpl, hookspecs
from dlm_sway._plugkit.plugins import PluginManager
from dlm_sway.data import general_items
from dlm_sway.entries import ProbeEntry
from dlm_sway.errors import NotSupported
from dlm_sway.probes.base import ProbeSpec
from dlm_sway.probes.judging import Estimate, intended
from dlm_sway.scoring.types import View
from dlm_sway.suite.calibrate import rank
from dlm_sway.testing import BackendContract, ClosedForm, ProbeContract, context, modules_after
from dlm_sway.testing.backend import forbid_overrides
from dlm_sway.testing.planted import learned


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


class _AskSpec(ProbeSpec):
    prompts: tuple[str, ...] = ("one", "two", "three", "four", "five")


class _Ask(Probe[_AskSpec]):
    """A probe as it should be."""

    kind = "ask"
    spec_type = _AskSpec
    calibrated = True

    def measure(self, scoring, view):
        items = [Item(prompt, "yes it is") for prompt in self.spec.prompts]
        return Measurement(tuple(c.view_logprob - c.base_logprob for c in scoring.compare(items, view)))

    def judge(self, measured, nulls, ctx):
        estimate = Estimate.of_mean(measured.values)
        return intended(self, estimate, rank(measured, nulls, ctx), threshold=0.5, what="gain")


class _Deaf(_Ask):
    def judge(self, measured, nulls, ctx):
        return self.result("fail", "nothing", raw=measured.mean)


class _Credulous(_Ask):
    def judge(self, measured, nulls, ctx):
        return self.result("pass" if measured.mean != 0 else "fail", "something moved", raw=measured.mean)


class _Offset(_Ask):
    def judge(self, measured, nulls, ctx):
        return self.result("fail", "off", raw=measured.mean + 1e-12)


class _FirstOnly(_Ask):
    def judge(self, measured, nulls, ctx):
        return self.result("fail", "first", raw=measured.values[0])


class _Moody(_Ask):
    def judge(self, measured, nulls, ctx):
        return self.result("fail", "mood", raw=measured.mean + len(_MOODS.append(1) or _MOODS))


_MOODS: list[int] = []


@pytest.mark.parametrize(
    ("wrong", "test"),
    [
        (_Deaf, "test_what_was_planted_is_found"),
        (_Credulous, "test_a_random_adapter_of_equal_norm_is_not_taken_for_training"),
        (_Offset, "test_identical_models_measure_exactly_nothing"),
        (_FirstOnly, "test_the_order_of_items_does_not_matter"),
        (_Moody, "test_the_same_seed_gives_the_same_result"),
    ],
)
def test_a_probe_that_is_wrong_in_this_way_fails_this_test(wrong, test, monkeypatch):
    def asked(kind):
        found = PluginManager(hookspecs.PROJECT, hookspecs)
        entry = ProbeEntry(name="ask", target="here:Kind", summary="x", category="attribution", seeks="change")
        found.register(SimpleNamespace(dlm_sway_probes=hookimpl(lambda: [entry])), name="kit")
        monkeypatch.setattr(found, "resolve", lambda hook, name: kind)
        monkeypatch.setattr("dlm_sway.testing.probe.manager", lambda: found)
        contract = type("Contract", (ProbeContract,), {"name": "ask"})()
        options = {"prompts": ("a?", "b?", "c?", "d?", "e?", "f?")}
        probe = kind(kind.spec_type(name="under test", kind="ask", **options))
        fixtures = {
            "probe": probe,
            "place": context,
            "options": options,
            "seeks": "change",
            "changed": ClosedForm(direction="random", seed=1, size=40.0),
            "unchanged": ClosedForm(),
            "planted": learned(_Ask(probe.spec), context),
        }
        method = getattr(contract, test)
        method(**{name: fixtures[name] for name in inspect.signature(method).parameters})

    asked(_Ask)
    with pytest.raises(AssertionError):
        asked(wrong)


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
