from __future__ import annotations

from collections import Counter

import pytest

from dlm.corpus.records import Record, StudySet
from dlm.training.plan import Row
from dlm.training.recipe import Recipe
from dlm.training.schedule import make_plan, revise

MIXTURE = {"qa": 0.5, "prose": 0.2, "heading": 0.15, "anchor": 0.15}
COUNTS = {"qa": 30, "prose": 7, "heading": 11, "anchor": 50}


def study(counts=COUNTS, mixture=MIXTURE):
    records = [
        Record(kind, "anchor" if kind == "anchor" else "answer", f"{kind}{number}", "", text="x")
        for kind, count in counts.items()
        for number in range(count)
    ]
    return StudySet(tuple(records), (), mixture)


def plan_of(found=None, tokens=40, **recipe):
    found = found or study()
    rows = [Row(index, tokens + index % 7, 10) for index in range(len(found.train))]
    return make_plan(Recipe(**recipe), found, rows, [])


def kinds(plan):
    return [plan.records[plan.rows[row].record].kind for step in plan.steps for row in step]


def test_the_budget_is_used_up_and_never_exceeded():
    plan = plan_of(token_budget=10_000)
    spent = sum(plan.rows[row].tokens for step in plan.steps for row in step)
    assert plan.tokens == spent <= 10_000
    assert spent > 10_000 - 4 * 47


def test_a_budget_below_one_step_still_gives_a_step():
    assert len(plan_of(token_budget=10).steps) == 1


def test_every_step_has_the_same_number_of_rows():
    assert {len(step) for step in plan_of(batch_rows=3).steps} == {3}


def test_steps_can_be_capped():
    assert len(plan_of(max_steps=5).steps) == 5


@pytest.mark.parametrize("seed", range(5))
def test_shares_are_kept_at_every_moment(seed):
    drawn = kinds(plan_of(token_budget=60_000, seed=seed))
    seen = Counter()
    for number, kind in enumerate(drawn, start=1):
        seen[kind] += 1
        for name, share in MIXTURE.items():
            assert abs(seen[name] - share * number) < 2


def test_within_a_kind_every_row_is_seen_before_any_is_seen_again():
    plan = plan_of(token_budget=60_000)
    for kind in COUNTS:
        order = [row for step in plan.steps for row in step if plan.records[plan.rows[row].record].kind == kind]
        for start in range(0, len(order), COUNTS[kind]):
            deck = order[start : start + COUNTS[kind]]
            assert len(set(deck)) == len(deck)


@pytest.mark.parametrize("weights", [(3.0, 0.5, 1.0), (0.3, 0.05, 0.1), (2e9, 1e9, 5e8)])
def test_a_row_is_drawn_as_often_as_its_weight_says(weights):
    records = [Record("qa", "answer", str(n), "", text="x", weight=weight) for n, weight in enumerate(weights)]
    plan = plan_of(StudySet(tuple(records), (), {"qa": 1.0}), token_budget=400_000)
    drawn = Counter(row for step in plan.steps for row in step)
    assert sum(drawn.values()) > 5000
    for row, weight in enumerate(weights):
        assert drawn[row] / sum(drawn.values()) == pytest.approx(weight / sum(weights), rel=0.08)


def test_passes_say_how_often_a_row_is_seen():
    plan = plan_of(token_budget=60_000)
    assert plan.passes["qa"] == pytest.approx(kinds(plan).count("qa") / COUNTS["qa"])


def test_the_same_seed_gives_the_same_plan_and_another_one_does_not():
    assert plan_of(seed=1).steps == plan_of(seed=1).steps
    assert plan_of(seed=1).steps != plan_of(seed=2).steps


def test_kinds_without_rows_leave_their_share_to_the_others():
    drawn = Counter(kinds(plan_of(study({"qa": 3, "anchor": 3}), token_budget=20_000)))
    assert set(drawn) == {"qa", "anchor"}
    assert drawn["qa"] / drawn["anchor"] == pytest.approx(0.5 / 0.15, rel=0.02)


def test_one_row_is_enough():
    plan = plan_of(study({"qa": 1}, {"qa": 1.0}), token_budget=1000)
    assert len(plan.steps) > 1
    assert set(plan.steps) == {(0, 0, 0, 0)}


def test_evaluations_are_spread_over_the_run():
    plan = plan_of(token_budget=60_000, evaluations=8)
    assert len(plan.steps) / 8 <= plan.evaluate_every < len(plan.steps) / 8 + 1


@pytest.mark.parametrize("schedule", ["wsd", "cosine", "linear", "constant"])
@pytest.mark.parametrize("steps", [1, 2, 3, 10, 333])
def test_the_learning_rate_warms_up_never_exceeds_its_peak_and_stays_positive(schedule, steps):
    plan = plan_of(max_steps=steps, token_budget=10**6, schedule=schedule, learning_rate=0.5)
    rates = [plan.learning_rate(step) for step in range(steps)]
    assert len(plan.steps) == steps
    assert max(rates) <= 0.5
    assert min(rates) > 0
    peak = rates.index(max(rates))
    assert rates[: peak + 1] == sorted(rates[: peak + 1])
    assert rates[peak:] == sorted(rates[peak:], reverse=True)
    if steps > 3:
        assert max(rates) > 0.48


def test_wsd_holds_its_peak_and_falls_at_the_end():
    plan = plan_of(max_steps=100, token_budget=10**6, learning_rate=1.0, warmup_ratio=0.1, decay_ratio=0.4)
    rates = [plan.learning_rate(step) for step in range(100)]
    assert (plan.warmup_steps, plan.decay_steps) == (10, 40)
    assert rates[0] == pytest.approx(0.1)
    assert set(rates[9:60]) == {1.0}
    assert rates[60] == pytest.approx(40 / 41)
    assert rates[-1] == pytest.approx(1 / 41)


def test_constant_stays_at_its_peak_after_the_warm_up():
    plan = plan_of(max_steps=50, token_budget=10**6, schedule="constant", learning_rate=1.0)
    assert {plan.learning_rate(step) for step in range(plan.warmup_steps, 50)} == {1.0}


def draws_of(plan, group, after=0):
    return sum(plan.records[plan.rows[row].record].group == group for step in plan.steps[after:] for row in step)


def test_what_is_wrong_comes_more_often_in_the_steps_that_are_left_and_the_past_stays():
    plan = plan_of(token_budget=60_000)
    done = len(plan.steps) // 3
    wrong = {"qa3", "qa4"}
    revised = revise(plan, done, wrong, 4.0)
    assert revised.steps[:done] == plan.steps[:done]
    often = sum(draws_of(revised, group, done) for group in wrong) / len(wrong)
    others = sum(draws_of(revised, f"qa{n}", done) for n in range(30) if f"qa{n}" not in wrong) / 28
    assert 3.0 < often / others < 5.0
    shares = Counter(kinds(revised))
    for name, share in MIXTURE.items():
        assert shares[name] / len(kinds(revised)) == pytest.approx(share, abs=0.01)


@pytest.mark.parametrize("done", [1, 50, 250])
def test_a_revised_plan_keeps_to_the_budget_and_is_the_same_every_time(done):
    plan = plan_of(token_budget=60_000)
    longest = {plan.records[row.record].group for row in plan.rows if row.tokens > 44}
    revised = revise(plan, done, longest, 50.0)
    assert revised == revise(plan, done, longest, 50.0)
    assert revised.tokens == sum(plan.rows[row].tokens for step in revised.steps for row in step) <= 60_000
    assert done < len(revised.steps) <= len(plan.steps)
