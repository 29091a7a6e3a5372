"""How the adapter stands on the held-out examples, and which weights were the best so far. Nothing is generated."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from math import inf, isfinite
from typing import TYPE_CHECKING, Literal

import torch
from torch.nn import functional as F

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .adapted import Adapted
    from .encode import Example

FORGIVEN = 0.05
"""Share of the held-out questions that a phase with pairs may lose: one in twenty is chance."""
EVALUATION_TOKENS = 1024
"""Examples are scored this many tokens at a time."""


@dataclass(frozen=True)
class Judged:
    """One evaluation."""

    loss: float
    """Mean nats per answer token."""
    recall: float | None
    """Share of the examples with a value that say it; ``None`` without any."""
    wrong: tuple[str, ...]
    """Groups of those that do not."""
    accuracy: float | None = None
    """Share of the pairs whose better answer is the likelier one; ``None`` without pairs. With them, ``loss`` is the
    phase's own."""
    margin: float | None = None
    """How much likelier it is on average, in nats a token."""
    recall_before: float | None = None
    """Of what a phase with pairs began with."""
    prose: float | None = None
    """Mean nats per token of the held-out text alone; ``None`` without any."""
    answers: float | None = None
    """Of the answers alone."""
    by_text: bool = False
    """The text decides, and :attr:`loss` is its."""

    @property
    def rank(self) -> tuple[float, float]:
        """Larger is better: what says more values, and of equals the lower loss. Pairs come after the facts are known,
        so there the loss decides, unless facts are lost for it. Text comes before them, and there it alone decides."""
        if self.by_text:
            return (0.0, -self.loss)
        said = 0.0 if self.recall is None else self.recall
        if self.accuracy is None:
            return (said, -self.loss)
        return (-max(0.0, (self.recall_before or 0.0) - said - FORGIVEN), -self.loss)


@torch.no_grad()
def judge(adapted: Adapted, examples: Sequence[Example], by: Literal["answers", "text"] = "answers") -> Judged | None:
    """How the adapter stands on ``examples``; ``None`` when there are none of those that decide.

    Text decides nothing beside answers, and where it does, a group that is answered wrongly is not named: no row of
    that phase would teach the answer.
    """
    if not any(example.prose == (by == "text") for example in examples):
        return None
    adapted.model.eval()
    totals = {False: 0.0, True: 0.0}
    said: dict[int, bool] = {}
    for kind in totals:
        for group in adapted.chunks([example for example in examples if example.prose is kind], EVALUATION_TOKENS):
            for total, hits in adapted.room.each(partial(_heard, adapted), group):
                totals[kind] += total
                said |= hits
    adapted.model.train()
    asked = [(example, said[id(example)]) for example in examples if example.value]
    recall = sum(right for _, right in asked) / len(asked) if asked else None
    wrong = dict.fromkeys(example.group for example, right in asked if not right)
    prose, answers = (_mean(totals[which], examples, which) for which in (True, False))
    found = Judged(0.0, recall, tuple(wrong), prose=prose, answers=answers)
    if by == "text":
        assert prose is not None
        return replace(found, loss=prose, wrong=(), by_text=True)
    assert answers is not None
    return replace(found, loss=answers)


def _heard(adapted: Adapted, examples: Sequence[Example]) -> tuple[float, dict[int, bool]]:
    """Nats in one pass, and whether each example's value is what the adapter would say."""
    logits, packed = adapted.forward([example.encoded for example in examples])
    hits = torch.split(logits.argmax(-1) == packed.targets, [example.scored for example in examples])
    said = {id(one): bool(own[list(one.value)].all()) for one, own in zip(examples, hits, strict=True)}
    return float(F.cross_entropy(logits, packed.targets, reduction="sum")), said


def _mean(total: float, examples: Sequence[Example], prose: bool) -> float | None:
    scored = sum(example.scored for example in examples if example.prose is prose)
    return total / scored if scored else None


@torch.no_grad()
def value_log_prob(adapted: Adapted, examples: Sequence[Example]) -> float:
    """Mean log-probability, in nats, of the tokens that say the values, or of the answers where no value is named."""

    def heard(some: Sequence[Example]) -> list[tuple[float, int]]:
        logits, packed = adapted.forward([example.encoded for example in some])
        losses = F.cross_entropy(logits, packed.targets, reduction="none")
        each = zip(some, torch.split(losses, [example.scored for example in some]), strict=True)
        chosen = [own[list(example.value)] if example.value else own for example, own in each]
        return [(-float(one.sum()), len(one)) for one in chosen]

    groups = adapted.chunks(examples, EVALUATION_TOKENS)
    found = [one for group in groups for part in adapted.room.each(heard, group) for one in part]
    return sum(total for total, _ in found) / sum(count for _, count in found)


class Best:
    """The weights of the best evaluation so far; the untouched base does not count as a result."""

    def __init__(self, before: Judged | None) -> None:
        self.before = before
        self.found: Judged | None = None
        self.step = 0
        self._rank = (-inf, -inf)
        self._kept: torch.Tensor | None = None

    def offer(self, step: int, found: Judged, master: torch.Tensor) -> bool:
        """Keep a copy if ``found`` is the best; whether it is."""
        if not isfinite(found.loss) or found.rank <= self._rank:
            return False
        self.found, self.step, self._rank = found, step, found.rank
        self._kept = master.detach().clone()
        return True

    @property
    def kept(self) -> torch.Tensor | None:
        """The best weights; ``None`` before the first finite evaluation."""
        return self._kept

    def put_back(self, step: int, found: Judged, weights: torch.Tensor) -> None:
        """What an earlier process had found to be the best."""
        self.found, self.step, self._rank = found, step, found.rank
        self._kept = weights.detach().clone()

    def restore(self, master: torch.Tensor) -> None:
        """Put the kept weights back in place."""
        if self._kept is not None:
            with torch.no_grad():
                master.copy_(self._kept)
