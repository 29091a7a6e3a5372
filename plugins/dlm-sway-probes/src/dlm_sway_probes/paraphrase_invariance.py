"""``paraphrase_invariance``: was the answer learned, or only the wording of its question?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field

from dlm_sway import Item, Measurement, Probe, ProbeContext, ProbeResult, View
from dlm_sway.probes.base import ProbeSpec, Scoring
from dlm_sway.probes.judging import Condition, Estimate, Words, intended, old_z
from dlm_sway.probes.wordings import WordedCase
from dlm_sway.stats.noninferiority import not_below
from dlm_sway.stats.rank import noise_floor
from dlm_sway.stats.ratio import Ratio, mean_ratio
from dlm_sway.suite.calibrate import rank

from .cases import all_finite

_LISTED = 8
_WORDS = Words(
    still="no change: the answers are as likely as before",
    wrong_way="not learned: the answers did not become likelier",
    small="not learned: ",
    chance="not learned: no more than random adapters of the same size gain",
)


class ParaphraseInvarianceSpec(ProbeSpec):
    """Keys of a ``paraphrase_invariance`` entry."""

    cases: tuple[WordedCase, ...] = Field(min_length=1)
    intent: Literal["generalize", "memorize", "both"] = "generalize"
    """``memorize`` asks that other wordings do *not* find the answer; ``both`` is ``generalize``."""
    min_verbatim_lift: float = Field(default=0.2, ge=0)
    """Smallest mean gain under the question's own wording, in nats per token."""
    min_generalization_ratio: float = Field(default=0.5, ge=0)
    """Smallest share of that gain that other wordings must keep."""
    max_generalization_ratio_if_memorize: float = Field(default=0.5, ge=0)
    assert_z_gte: float | None = None
    """Deprecated; adds a one-sided t test against the nulls at the level this z stands for."""


class ParaphraseInvariance(Probe[ParaphraseInvarianceSpec]):
    """Gain of the answer under the question's own wording, and how much of it other wordings keep."""

    kind = "paraphrase_invariance"
    spec_type = ParaphraseInvarianceSpec
    calibrated = True

    @property
    def cases(self) -> tuple[WordedCase, ...]:
        """Each once."""
        return tuple(dict.fromkeys(self.spec.cases))

    def measure(self, scoring: Scoring, view: View) -> Measurement:
        """Gain per token of each answer under its own wording; beside it, the mean gain under the others."""
        asked = [Item(prompt, case.gold) for case in self.cases for prompt in (case.prompt, *case.paraphrases)]
        found = scoring.compare(asked, view)
        gains = [(one.view_logprob - one.base_logprob) / one.positions for one in found]
        rest = iter(all_finite(gains, [item.prompt for item in asked], view.label))
        own, others = [], []
        for case in self.cases:
            own.append(next(rest))
            others.append(math.fsum(next(rest) for _ in case.paraphrases) / len(case.paraphrases))
        return Measurement(tuple(own), (), {"others": others})

    def judge(self, measured: Measurement, nulls: Sequence[Measurement], ctx: ProbeContext) -> ProbeResult:
        """A gain that is real and large enough, and a share of it that other wordings keep (or do not)."""
        own, others = measured.values, measured.evidence["others"]
        floor, ratio = self._floor(ctx), mean_ratio(others, own)
        return intended(
            self,
            Estimate.of_mean(own),
            rank(measured, nulls, ctx),
            threshold=self.spec.min_verbatim_lift,
            what=f"other wordings gain {_mean(others):+.3g} ({_said(ratio)}), own wording",
            unit="nats per token",
            moved=max(map(abs, own)) > floor,
            words=_WORDS,
            z=old_z(self.spec.assert_z_gte, measured, nulls),
            also=[self._share(own, others, ctx.alpha)],
            noise_floor=floor,
            evidence=self._evidence(measured, ratio),
        )

    def _share(self, own: Sequence[float], others: Sequence[float], alpha: float) -> Condition:
        """Whether other wordings keep the share (for ``memorize``: lose it), tested without dividing.

        ``mean(others) / mean(own) >= r`` is ``mean(others - r * own) >= 0`` wherever the gain is positive.
        """
        memorize = self.spec.intent == "memorize"
        key = "max_generalization_ratio_if_memorize" if memorize else "min_generalization_ratio"
        share, sign = getattr(self.spec, key), -1 if memorize else 1
        test = not_below([sign * (b - share * a) for a, b in zip(own, others, strict=True)], 0.0, alpha)
        failed = "other wordings keep more than" if memorize else "learned by its wording: others keep less than"
        open_ = "the share that other wordings keep cannot be told from"
        return Condition(test.outcome, f"{failed if test.outcome == 'fail' else open_} {key} {share:g}")

    def _floor(self, ctx: ProbeContext) -> float:
        again = ctx.scoring.noise([Item(case.prompt, case.gold) for case in self.cases])
        return noise_floor([abs(one.view_logprob - one.base_logprob) / one.positions for one in again])

    def _evidence(self, measured: Measurement, ratio: Ratio | None) -> dict[str, Any]:
        others = measured.evidence["others"]
        rows = zip(self.cases, measured.values, others, strict=True)
        return {
            "verbatim_lift_mean": measured.mean,
            "paraphrase_lift_mean": _mean(others),
            "generalization_ratio": ratio.value if ratio else None,
            "generalization_ratio_ci_95": list(ratio.bounds) if ratio else None,
            "intent": self.spec.intent,
            "per_case": [{"prompt": case.prompt[:80], "verbatim_lift": a, "paraphrase_lift": b} for case, a, b in rows][
                :_LISTED
            ],
        }


def _said(ratio: Ratio | None) -> str:
    if ratio is None:
        return "no clear gain to keep a share of"
    return f"share {ratio.value:.2f}, 95% CI {ratio.low:.2g}..{ratio.high:.2g}"


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
