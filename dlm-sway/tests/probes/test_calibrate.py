from __future__ import annotations

from dataclasses import replace

import pytest

from dlm_sway import Item, Measurement, Probe
from dlm_sway.errors import NotSupported
from dlm_sway.probes.base import ProbeSpec
from dlm_sway.probes.null_adapter import NullPlan
from dlm_sway.scoring.types import FT
from dlm_sway.suite.calibrate import measure_nulls, rank, summarise, why_none
from dlm_sway.testing import ClosedForm, context


class WordsSpec(ProbeSpec):
    word: str = "one"


class Words(Probe[WordsSpec]):
    kind = "words"
    spec_type = WordsSpec
    calibrated = True

    def measure(self, scoring, view):
        return Measurement(
            tuple(c.tv for c in scoring.compare([Item(f"{self.spec.word} {i}?") for i in range(5)], view))
        )

    def judge(self, measured, nulls, ctx):
        ranking = rank(measured, nulls, ctx)
        return self.result("pass", ranking.text, p_value=ranking.p_value, nulls=ranking.summary)


def words(**keys):
    return Words(WordsSpec(name="w", kind="words", **keys))


def ctx(nulls=39, alpha=0.05, **keys):
    return context(ClosedForm(direction="random", seed=3, size=40.0, **keys), nulls=nulls, alpha=alpha)


def test_each_null_is_measured_with_the_probes_own_items():
    one, two = measure_nulls(words(), ctx()), measure_nulls(words(word="two"), ctx())
    assert len(one) == 39
    assert len({null.values for null in one}) == 39
    assert [null.values for null in one] != [null.values for null in two]


def test_the_seeds_decide_which_nulls_and_nothing_else_does():
    again = replace(ctx(), seed=99)
    assert measure_nulls(words(), ctx()) == measure_nulls(words(), again)
    moved = replace(ctx(), nulls=NullPlan(seed_base=2000))
    assert measure_nulls(words(), ctx()) != measure_nulls(words(), moved)


def test_an_adapter_without_nulls_gives_none_and_the_reason_and_no_other_test():
    class NoNulls(ClosedForm):
        def compare(self, items, view, *, layout=0):
            if view.kind == "null":
                raise NotSupported("prompt tuning has no random counterpart")
            return super().compare(items, view, layout=layout)

    where = context(NoNulls(direction="random", size=9.0))
    nulls = measure_nulls(words(), where)
    assert nulls == []
    assert why_none(nulls, where) == "prompt tuning has no random counterpart"
    result = words().run(where)
    assert result.p_value is None
    assert "prompt tuning has no random counterpart" in result.message


def test_a_kind_that_is_left_out_says_so():
    where = replace(ctx(), nulls=NullPlan(kinds=frozenset({"delta_kl"})))
    nulls = measure_nulls(words(), where)
    assert (nulls, nulls.reason) == ([], "calibrate_kinds of the null_adapter entry leaves out words")


def test_no_null_adapter_entry_says_how_to_add_one():
    where = ctx(nulls=0)
    assert "runs: 39" in rank(Measurement((1.0,)), [], where).text
    assert "runs: 39" in measure_nulls(words(), where).reason


def test_the_rank_decides_at_the_suites_alpha():
    nulls = [Measurement((float(i),)) for i in range(39)]
    top = rank(Measurement((100.0,)), nulls, ctx())
    assert (top.outcome, top.p_value) == ("beyond", 1 / 40)
    assert "smallest possible 0.025" in top.text
    assert rank(Measurement((37.5,)), nulls, ctx()).outcome == "beyond"
    assert rank(Measurement((36.5,)), nulls, ctx()).outcome == "within"


def test_too_few_nulls_for_alpha_tell_nothing_and_name_the_number_needed():
    ranking = rank(Measurement((100.0,)), [Measurement((0.0,)), Measurement((1.0,))], ctx())
    assert ranking.outcome == "untold"
    assert ranking.p_value == pytest.approx(1 / 3)
    assert "needs at least 19" in ranking.text


def test_a_null_that_is_not_a_number_is_an_error_and_not_a_point_for_us():
    with pytest.raises(ValueError, match="not finite"):
        rank(Measurement((1.0,)), [Measurement((float("nan"),))], ctx())


def test_the_summary_describes_means_over_items():
    summary = summarise([Measurement((0.0, 2.0)), Measurement((3.0, 3.0))])
    assert (summary.n, summary.mean, summary.largest, summary.resolution) == (2, 2.0, 3.0, 1 / 3)
    assert summary.sd == pytest.approx(2**0.5)


def test_nulls_without_spread_have_no_z():
    ranking = rank(Measurement((0.0,)), [Measurement((0.0,))] * 39, ctx())
    assert (ranking.p_value, ranking.z_score, ranking.outcome) == (1.0, None, "within")


def test_the_base_noise_never_counts_as_a_null():
    where = ctx()
    words().run(where)
    assert where.scoring.counts.cache_misses == 5 * 40
    where.scoring.compare([Item("one 0?")], FT)
    assert where.scoring.counts.cache_hits == 1
