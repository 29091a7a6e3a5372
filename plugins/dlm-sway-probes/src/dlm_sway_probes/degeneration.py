"""``degeneration``: does the model still end its answers, and without going round in circles?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from pydantic import Field

from dlm_sway import Item, Measurement, Probe, ProbeContext, ProbeResult, View
from dlm_sway.data import general_items
from dlm_sway.probes.base import ProbeSpec, Scoring
from dlm_sway.probes.judging import Condition, unharmed_rate
from dlm_sway.scoring.types import BASE, Answer
from dlm_sway.stats.intervals import mean_interval
from dlm_sway.stats.rates import mcnemar_exact, rate_not_above

_LONGEST_PERIOD = 40
_TURNS = 3
_LEAST = 12
_LISTED = 5


class DegenerationSpec(ProbeSpec):
    """Keys of a ``degeneration`` entry."""

    prompts: tuple[str, ...] = ()
    """Without any: the packaged general questions."""
    max_new_tokens: int = Field(default=128, ge=16, le=2048)
    assert_loop_rate_lte: float = Field(default=0.15, gt=0, le=1)
    """Share of answers that may be empty or go round in circles where the base's do not."""
    assert_unended_rate_lte: float = Field(default=0.25, gt=0, le=1)
    """Share of answers that may run into the limit where the base's end."""


class Degeneration(Probe[DegenerationSpec]):
    """Answers that loop, are empty or do not end, where the base's are sound; each below a margin."""

    kind = "degeneration"
    spec_type = DegenerationSpec

    @property
    def prompts(self) -> tuple[str, ...]:
        """Each once."""
        return tuple(dict.fromkeys(self.spec.prompts or [item.prompt for item in general_items()]))

    def measure(self, scoring: Scoring, view: View) -> Measurement:
        """1 where the answer is degenerate and the base's is not, else 0; beside it, the answers."""
        items = [Item(prompt) for prompt in self.prompts]
        before = scoring.generate(items, BASE, max_new_tokens=self.spec.max_new_tokens)
        after = scoring.generate(items, view, max_new_tokens=self.spec.max_new_tokens)
        pairs = list(zip(before, after, strict=True))
        worse = [float(degenerate(b) and not degenerate(a)) for a, b in pairs]
        return Measurement(tuple(worse), (), {"before": before, "after": after})

    def judge(self, measured: Measurement, nulls: Sequence[Measurement], ctx: ProbeContext) -> ProbeResult:
        """Two guards with exact bounds, which must both hold."""
        before, after = measured.evidence["before"], measured.evidence["after"]
        n, spec = len(before), self.spec
        unended = sum(a.ended and not b.ended for a, b in zip(before, after, strict=True))
        test = rate_not_above(unended, n, spec.assert_unended_rate_lte, ctx.alpha)
        word = "goes beyond" if test.outcome == "fail" else "cannot be told from"
        why = f"the share that no longer ends {word} {spec.assert_unended_rate_lte:g} ({unended} of {n})"
        return unharmed_rate(
            self,
            int(sum(measured.values)),
            n,
            ctx,
            limit=spec.assert_loop_rate_lte,
            what=f"{unended} of {n} no longer end; share that newly loops or is empty",
            also=[Condition(test.outcome, why)],
            base_value=_share(before),
            ft_value=_share(after),
            evidence=self._evidence(before, after, unended),
        )

    def _evidence(self, before: Sequence[Answer], after: Sequence[Answer], unended: int) -> dict[str, Any]:
        pairs = list(zip(self.prompts, before, after, strict=True))
        newly = [(prompt, b.text) for prompt, a, b in pairs if degenerate(b) and not degenerate(a)]
        healed = sum(degenerate(a) and not degenerate(b) for _, a, b in pairs)
        lengths = mean_interval([math.log((b.tokens + 1) / (a.tokens + 1)) for _, a, b in pairs])
        return {
            "degenerate_base": sum(map(degenerate, before)),
            "degenerate_ft": sum(map(degenerate, after)),
            "mcnemar_p": mcnemar_exact(healed, len(newly)),
            "ended_base": sum(one.ended for one in before) / len(before),
            "ended_ft": sum(one.ended for one in after) / len(after),
            "newly_unended": unended,
            "mean_tokens_base": sum(one.tokens for one in before) / len(before),
            "mean_tokens_ft": sum(one.tokens for one in after) / len(after),
            "length_ratio": math.exp(lengths.mean),
            "length_ratio_ci_95": [math.exp(end) for end in lengths.bounds] if lengths.bounds else None,
            "max_new_tokens": self.spec.max_new_tokens,
            "examples": [{"prompt": prompt, "answer": text[-200:]} for prompt, text in newly[:_LISTED]],
        }


def degenerate(answer: Answer) -> bool:
    """Empty, or at its end going round in circles."""
    return not answer.ids or loops(answer.ids)


def loops(ids: Sequence[int]) -> bool:
    """Whether the last tokens are one run of tokens three times over, and at least twelve."""
    for period in range(1, min(_LONGEST_PERIOD, len(ids) // _TURNS) + 1):
        length = max(period * _TURNS, _LEAST)
        tail = ids[-length:]
        if len(tail) == length and all(tail[at] == tail[at - period] for at in range(period, length)):
            return True
    return False


def _share(answers: Sequence[Answer]) -> float:
    return sum(map(degenerate, answers)) / len(answers)
