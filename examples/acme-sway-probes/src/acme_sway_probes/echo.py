"""Does the first token after a prompt change?"""

from __future__ import annotations

from collections.abc import Sequence

from dlm_sway.probes.base import Measurement, Probe, ProbeContext, ProbeSpec, Scoring
from dlm_sway.result import ProbeResult
from dlm_sway.scoring.types import Item, View


class EchoSpec(ProbeSpec):
    """The keys of an ``acme/echo`` entry."""

    prompts: tuple[str, ...] = ("hello", "good morning", "what is new?")
    assert_mean_gte: float = 0.01
    """Smallest mean total variation, between 0 and 1, that counts as a change."""


class Echo(Probe[EchoSpec]):
    """Total variation between base and fine-tuned model on the first token after each prompt."""

    kind = "acme/echo"
    spec_type = EchoSpec
    calibrated = True

    def measure(self, scoring: Scoring, view: View) -> Measurement:
        """One total variation a prompt."""
        return Measurement(tuple(seen.tv for seen in scoring.compare([Item(p) for p in self.spec.prompts], view)))

    def judge(self, measured: Measurement, nulls: Sequence[Measurement], ctx: ProbeContext) -> ProbeResult:
        """Pass when the change is large enough, and larger than on every random adapter."""
        largest = max((null.mean for null in nulls), default=0.0)
        passed = measured.mean >= self.spec.assert_mean_gte and measured.mean > largest
        message = f"mean total variation {measured.mean:.3f}, largest of {len(nulls)} random adapters {largest:.3f}"
        return self.result(
            "pass" if passed else "fail", message, raw=measured.mean, score=float(passed), n_items=len(measured.values)
        )
