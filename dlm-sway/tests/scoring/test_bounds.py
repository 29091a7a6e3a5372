"""Divergences of which only bounds are known: a verdict rests on both ends, and what is kept comes back whole."""

from __future__ import annotations

import math

import pytest

from dlm_sway.probes.base import Measurement, Probe, ProbeContext, ProbeSpec
from dlm_sway.scoring.remembering import _READ, written
from dlm_sway.scoring.session import Session
from dlm_sway.scoring.types import Comparison, Divergences, Item
from dlm_sway.spec.models import SuiteDefaults


class Asking(ProbeSpec):
    limit: float
    field: str = "js"


class Probing(Probe[Asking]):
    kind = "test"
    spec_type = Asking

    def measure(self, scoring, view):
        from dlm_sway.errors import ProbeError

        found = [getattr(one, self.spec.field) for one in scoring.compare([Item("a"), Item("b")], view)]
        if not all(map(math.isfinite, found)):
            raise ProbeError("not finite")
        return Measurement(tuple(found))

    def judge(self, measured, nulls, ctx):
        return self.result("pass" if measured.mean >= self.spec.limit else "fail", "said", raw=measured.mean)


class Partly:
    """A backend that knows divergences between 0.1 and 0.3."""

    models = None

    def compare(self, items, view, *, layout=0, per_position=False):
        most = Divergences(math.inf, math.inf, 0.3, 0.3)
        return [Comparison(1, 0.1, 0.1, 0.1, 0.1, 1.0, -2.0, -1.0, (), most) for _ in items]


def judged(**keys):
    context = ProbeContext(Session(Partly()), seed=0, alpha=0.05, nulls=None, defaults=SuiteDefaults())
    return Probing(Asking(name="one", kind="test", **keys)).run(context)


@pytest.mark.parametrize(("limit", "verdict"), [(0.05, "pass"), (0.2, "inconclusive"), (0.4, "fail")])
def test_a_verdict_stands_only_if_both_ends_give_it(limit, verdict):
    found = judged(limit=limit)
    assert found.verdict == verdict
    assert found.evidence["bounds"] == pytest.approx([0.1, 0.3])
    assert "between 0.1 and 0.3" in found.message


def test_without_an_upper_end_there_is_no_verdict():
    found = judged(limit=0.05, field="kl")
    assert found.verdict == "inconclusive"
    assert "any size" in found.message


def test_what_is_known_exactly_is_judged_once():
    found = judged(limit=-1.5, field="view_logprob")
    assert found.message == "said"
    assert "bounds" not in found.evidence


def test_bounds_are_kept_between_runs_the_infinite_ones_too():
    import json

    (one,) = Partly().compare([Item("a")], None)
    for answer in (one, one._replace(at_most=None, per_position=(0.5,))):
        assert _READ["compare"](json.loads(written(answer))) == answer
    old = [*one[:8], []]
    assert _READ["compare"](old).at_most is None
