"""Rows to steps, and steps to learning rates: pure functions of the recipe, the records and the seed."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from random import Random
from types import MappingProxyType
from typing import TYPE_CHECKING

from .plan import Plan, Row

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from ..corpus.records import Record, StudySet
    from .recipe import Recipe


def make_plan(
    recipe: Recipe,
    study: StudySet,
    rows: Sequence[Row],
    held_out_rows: Sequence[Row],
    *,
    phase: str = "sft",
    encodings: tuple[int, int] = (0, 1),
) -> Plan:
    """Lay out the whole run: ``recipe.batch_rows`` rows a step, until one more step would exceed the token budget.

    Kinds take turns so that each one's share of the rows is kept at every moment, not only on average; within a kind
    every row is seen as often as its record's weight says before any is seen more often than that.
    """
    draw = _Draw(study.train, rows, study.mixture, Random(f"{recipe.seed}\nrows"))
    steps: list[tuple[int, ...]] = []
    tokens = 0
    while draw.shares and (recipe.max_steps is None or len(steps) < recipe.max_steps):
        step = draw.step(recipe.batch_rows)
        more = sum(rows[index].tokens for index in step)
        if steps and tokens + more > recipe.token_budget:
            break
        steps.append(step)
        tokens += more
    warmup, decay = _ends(recipe, len(steps))
    return Plan(
        recipe=recipe,
        records=study.train,
        rows=tuple(rows),
        held_out_rows=tuple(held_out_rows),
        steps=tuple(steps),
        warmup_steps=warmup,
        decay_steps=decay,
        evaluate_every=max(1, math.ceil(len(steps) / recipe.evaluations)),
        tokens=tokens,
        passes=_passes(study.train, rows, steps, draw.kinds),
        mixture=dict(study.mixture),
        phase=phase,
        encodings=encodings,
        held_out_pairs=len(study.held_out_pairs),
        held_out_texts=len(study.held_out_text),
    )


def revise(plan: Plan, done: int, wrong: Collection[str], effort: float) -> Plan:
    """``plan`` with its steps after ``done`` drawn anew: rows of ``wrong`` groups come ``effort`` times as often.

    Shares of the kinds stay, and so does the token budget: when longer rows are drawn, the run ends some steps earlier.
    """
    recipe = plan.recipe
    draw = _Draw(
        plan.records, plan.rows, plan.mixture, Random(f"{recipe.seed}\nrows\n{done}"), dict.fromkeys(wrong, effort)
    )
    steps = list(plan.steps[:done])
    tokens = _tokens(plan.rows, steps)
    for _ in plan.steps[done:]:
        step = draw.step(recipe.batch_rows)
        tokens += _tokens(plan.rows, [step])
        if len(steps) > done and tokens > recipe.token_budget:
            break
        steps.append(step)
    return replace(
        plan,
        steps=tuple(steps),
        tokens=_tokens(plan.rows, steps),
        passes=_passes(plan.records, plan.rows, steps, draw.kinds),
    )


def with_steps(plan: Plan, steps: Sequence[tuple[int, ...]]) -> Plan:
    """``plan`` with these steps in place of its own."""
    kinds: dict[str, list[int]] = {}
    for index, row in enumerate(plan.rows):
        kinds.setdefault(plan.records[row.record].kind, []).append(index)
    return replace(
        plan,
        steps=tuple(steps),
        tokens=_tokens(plan.rows, steps),
        passes=_passes(plan.records, plan.rows, steps, {kind: kinds[kind] for kind in plan.passes}),
    )


def _tokens(rows: Sequence[Row], steps: Sequence[tuple[int, ...]]) -> int:
    return sum(rows[index].tokens for step in steps for index in step)


def learning_rate(plan: Plan, step: int) -> float:
    """Learning rate of ``step``, counted from 0: a linear warm-up, then the recipe's schedule down to its floor, or to
    near zero."""
    peak, steps = plan.recipe.learning_rate, len(plan.steps)
    if step < plan.warmup_steps:
        return peak * ((step + 1) / plan.warmup_steps)
    left = steps - step
    if left > plan.decay_steps:
        return peak
    height = left / (plan.decay_steps + 1)
    if plan.recipe.schedule == "cosine":
        height = 0.5 * (1 - math.cos(math.pi * height))
    return peak * (plan.recipe.floor + (1 - plan.recipe.floor) * height)


class _Draw:
    """Rows of one step after another: kinds in turn, within a kind every row before any is seen again."""

    def __init__(
        self,
        records: Sequence[Record],
        rows: Sequence[Row],
        mixture: Mapping[str, float],
        random: Random,
        effort: Mapping[str, float] = MappingProxyType({}),
    ) -> None:
        self.kinds: dict[str, list[int]] = {}
        for index, row in enumerate(rows):
            self.kinds.setdefault(records[row.record].kind, []).append(index)
        self.shares = _shares(mixture, self.kinds)

        def weight(index: int) -> float:
            record = records[rows[index].record]
            return record.weight * effort.get(record.group, 1.0)

        self._decks = {
            kind: _Deck(self.kinds[kind], [weight(i) for i in self.kinds[kind]], random) for kind in self.shares
        }
        self._turns = _Turns(self.shares, random)

    def step(self, count: int) -> tuple[int, ...]:
        """``count`` row indices."""
        return tuple(self._decks[self._turns.next()].draw() for _ in range(count))


class _Deck:
    """Row indices in an order drawn anew whenever all of them have been seen.

    A weight of 2.5 puts a row in twice, and once more in half of the rounds. Weights are relative: when all are below
    1, the largest counts as 1; when one is above 100, it counts as 100.
    """

    def __init__(self, rows: Sequence[int], weights: Sequence[float], random: Random) -> None:
        largest = max(weights)
        unit = largest / min(max(largest, 1.0), 100.0)
        self._rows = [(row, weight / unit) for row, weight in zip(rows, weights, strict=True)]
        self._random = random
        self._left: list[int] = []

    def draw(self) -> int:
        if not self._left:
            self._left = [row for row, weight in self._rows for _ in range(self._copies(weight))]
            self._random.shuffle(self._left)
        return self._left.pop()

    def _copies(self, weight: float) -> int:
        whole = int(weight)
        return whole + (weight > whole and self._random.random() < weight - whole)


class _Turns:
    """Kinds in turn: each is owed its share of every row, and the one that is owed most is next."""

    def __init__(self, shares: dict[str, float], random: Random) -> None:
        self._shares = shares
        # A random start keeps the kinds from falling into one fixed cycle, and costs at most a row each.
        self._owed = {kind: random.random() - 0.5 for kind in shares}

    def next(self) -> str:
        for kind, share in self._shares.items():
            self._owed[kind] += share
        chosen = max(self._owed, key=self._owed.__getitem__)
        self._owed[chosen] -= 1
        return chosen


def _shares(mixture: Mapping[str, float], kinds: dict[str, list[int]]) -> dict[str, float]:
    present = {kind: share for kind, share in mixture.items() if share > 0 and kind in kinds}
    whole = sum(present.values())
    return {kind: share / whole for kind, share in present.items()}


def _ends(recipe: Recipe, steps: int) -> tuple[int, int]:
    """Steps of the warm-up and of the final decay."""
    warmup = min(math.ceil(recipe.warmup_ratio * steps), max(0, steps - 1))
    if recipe.schedule == "constant":
        return warmup, 0
    if recipe.schedule == "wsd":
        return warmup, min(round(recipe.decay_ratio * steps), steps - warmup)
    return warmup, steps - warmup


def _passes(
    records: Sequence[Record], rows: Sequence[Row], steps: Sequence[tuple[int, ...]], kinds: dict[str, list[int]]
) -> dict[str, float]:
    drawn = Counter(records[rows[index].record].kind for step in steps for index in step)
    return {kind: drawn[kind] / len(indices) for kind, indices in kinds.items()}
