"""``calibration_drift``: is what everybody knows still known?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field

from dlm_sway import Item, Measurement, Probe, ProbeContext, ProbeResult, View
from dlm_sway.data import knowledge
from dlm_sway.probes.base import ProbeSpec, Scoring
from dlm_sway.probes.judging import Condition, unharmed_rate
from dlm_sway.scoring.types import BASE
from dlm_sway.stats.noninferiority import MarginTest, not_below

from .cases import finite
from .old_keys import no_effect

_WORST = 5
_WORDS = {"pass": "", "fail": "goes beyond", "inconclusive": "cannot be told from"}


class CalibrationDriftSpec(ProbeSpec):
    """Keys of a ``calibration_drift`` entry."""

    pack: Literal["builtin"] = "builtin"
    items: tuple[tuple[str, str] | tuple[str, str, str], ...] = ()
    """``[prompt, answer]`` or ``[prompt, answer, wrong answer]`` instead of the pack."""
    items_limit: int | None = Field(default=None, ge=1)
    """Fewer items of the pack, of all its kinds in turn."""
    known_only: bool = False
    """Ask only what the base knows: items whose answer it prefers to the wrong one."""
    regression_nats: float = Field(default=1.0, gt=0)
    """Loss of log-probability per token of the answer that counts as a regression."""
    assert_fraction_regressed_lt: float = Field(default=0.15, gt=0, le=1)
    assert_mean_delta_gte: float = Field(default=-0.5, lt=0)
    """Nats per token."""
    assert_z_gte: float | None = None
    """Accepted for old files."""


class CalibrationDrift(Probe[CalibrationDriftSpec]):
    """Share of general-knowledge answers that lost probability, and the mean change; each with a margin."""

    kind = "calibration_drift"
    spec_type = CalibrationDriftSpec

    @property
    def pairs(self) -> list[tuple[Item, Item | None]]:
        """Every question with its answer, and with the wrong one where there is one."""
        spec = self.spec
        if spec.items:
            return [(Item(row[0], row[1]), Item(row[0], row[2]) if len(row) == 3 else None) for row in spec.items]
        facts = knowledge()
        if spec.items_limit is not None:
            facts = facts[:: max(1, len(facts) // spec.items_limit)][: spec.items_limit]
        return [(Item(f.prompt, f.answer, plain=True), Item(f.prompt, f.wrong, plain=True)) for f in facts]

    def measure(self, scoring: Scoring, view: View) -> Measurement:
        """``(log p(view) - log p(base)) / tokens`` of every answer, in nats."""
        pairs = list(dict.fromkeys(self.pairs))
        before, after = None, None
        if self.spec.known_only:
            pairs = [(answer, wrong) for answer, wrong in pairs if wrong is not None]
            before, after = _preferred(pairs, scoring, BASE), _preferred(pairs, scoring, view)
            keep = [at for at, known in enumerate(before) if known]
            pairs, after = [pairs[at] for at in keep], [after[at] for at in keep]
        items = [answer for answer, _ in pairs]
        found = scoring.compare(items, view)
        deltas = [(one.view_logprob - one.base_logprob) / one.positions for one in found]
        evidence = {
            "items": items,
            "after": after,
            "asked": len(before) if before is not None else len(items),
            "base": _mean([one.base_logprob / one.positions for one in found]),
            "view": _mean([one.view_logprob / one.positions for one in found]),
            "tokens": sum(one.positions for one in found),
            "top1": _mean([one.top1_agreement for one in found]),
        }
        return Measurement(finite(deltas, items, view.label), (), evidence)

    def judge(self, measured: Measurement, nulls: Sequence[Measurement], ctx: ProbeContext) -> ProbeResult:
        """Two guards, which must both hold: the share of regressions, and the mean."""
        spec, n = self.spec, len(measured.values)
        if n == 0:
            return self.result("inconclusive", "the base knows none of the answers: nothing to lose", seeks="harm")
        lost = sum(delta < -spec.regression_nats for delta in measured.values)
        mean = not_below(measured.values, -spec.assert_mean_delta_gte, ctx.alpha)
        why = f"the mean change {_WORDS[mean.outcome]} the margin of {spec.assert_mean_delta_gte:g} nats per token"
        return unharmed_rate(
            self,
            lost,
            n,
            ctx,
            limit=spec.assert_fraction_regressed_lt,
            what=f"mean change {mean.interval.mean:+.3g} nats per token, share that lost {spec.regression_nats:g}:",
            z=spec.assert_z_gte,
            also=[Condition(mean.outcome, why)],
            base_value=measured.evidence["base"],
            ft_value=measured.evidence["view"],
            evidence=self._evidence(measured, lost, mean),
        )

    def _evidence(self, measured: Measurement, lost: int, mean: MarginTest) -> dict[str, Any]:
        seen, spec, bounds = measured.evidence, self.spec, mean.interval.bounds
        worst = sorted(zip(measured.values, seen["items"], strict=True), key=lambda row: row[0])[:_WORST]
        return {
            "fraction_regressed": lost / len(measured.values),
            "regressed_count": lost,
            "total_items": len(measured.values),
            "asked_items": seen["asked"],
            "regression_nats_threshold": spec.regression_nats,
            "mean_delta_nats": mean.interval.mean,
            "mean_delta_ci_95": list(bounds) if bounds else None,
            "mean_delta_bound": mean.low if bounds else None,
            "tokens": seen["tokens"],
            "top1_agreement": seen["top1"],
            "known": _known(seen["after"]),
            "worst_offenders": [
                {"prompt": item.prompt, "gold": item.reference, "delta": delta} for delta, item in worst
            ],
            "notes": _notes(spec),
        }


def _preferred(pairs: Sequence[tuple[Item, Item | None]], scoring: Scoring, view: View) -> list[bool]:
    right = scoring.compare([answer for answer, _ in pairs], view)
    wrong = scoring.compare([wrong for _, wrong in pairs if wrong is not None], view)
    return [a.view_logprob > b.view_logprob for a, b in zip(right, wrong, strict=True)]


def _known(after: Sequence[bool] | None) -> dict[str, int] | None:
    """Of what the base knew, how much is still preferred to the wrong answer."""
    return None if after is None else {"before": len(after), "after": sum(after)}


def _notes(spec: CalibrationDriftSpec) -> list[str]:
    return no_effect(spec, items_limit="it limits the pack, and the suite has its own items") if spec.items else []


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if values else 0.0
