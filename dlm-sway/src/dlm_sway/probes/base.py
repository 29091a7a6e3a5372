"""What a probe is: items, a number for each, and a judgement of those numbers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, field_validator

from ..result import ProbeResult, Seeks
from ..scoring.types import AdapterInspection, Answer, Comparison, Item, TextScore, View

if TYPE_CHECKING:
    from pathlib import Path

    from ..sections import SectionData
    from ..spec.models import SuiteDefaults
    from .null_adapter import NullPlan


class ProbeSpec(BaseModel):
    """The keys every suite entry has. A probe adds its own by subclassing."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    kind: str
    enabled: bool = True
    weight: float = Field(1.0, ge=0)

    @field_validator("prompts", check_fields=False)
    @classmethod
    def _prompts_ask(cls, value: Any) -> Any:
        for number, prompt in enumerate(value, start=1):
            if isinstance(prompt, str) and not prompt.strip():
                raise ValueError(f"prompt {number} is empty")
        return value


class Scoring(Protocol):
    """What a probe may ask of the model: batched, cached, exact. Implemented by :mod:`dlm_sway.scoring.session`."""

    def compare(self, items: Sequence[Item], view: View, *, per_position: bool = False) -> list[Comparison]: ...
    def noise(self, items: Sequence[Item]) -> list[Comparison]:
        """Base against base in another batch layout: what no change looks like."""

    def inspect(self) -> AdapterInspection: ...
    def inspect_null(self, seed: int) -> AdapterInspection: ...
    def texts(self, texts: Sequence[str], view: View) -> list[TextScore]:
        """Log-probability of whole texts, without a chat template, under the base and ``view``."""

    def generate(self, prompts: Sequence[Item | str], view: View, *, max_new_tokens: int) -> list[Answer]:
        """Greedy answers; a string is a question of its own, an :class:`Item` may carry a conversation."""

    def count_tokens(self, texts: Sequence[str]) -> list[int]: ...


@dataclass(frozen=True)
class Measurement:
    """One number an item, for one view."""

    values: tuple[float, ...]
    groups: tuple[str, ...] = ()
    """Cluster of each item, or empty when items are independent."""
    evidence: dict[str, Any] = field(default_factory=dict)

    @property
    def mean(self) -> float:
        """Mean over items."""
        return sum(self.values) / len(self.values)


@dataclass(frozen=True)
class ProbeContext:
    """What a running probe is given."""

    scoring: Scoring
    seed: int
    alpha: float
    """Level of every test in the suite."""
    nulls: NullPlan | None
    """Which random adapters to calibrate with; ``None`` when the suite has no ``null_adapter`` entry."""
    defaults: SuiteDefaults
    sections: Sequence[SectionData] | None = None
    """What was taught, by section; ``None`` when nobody knows, which is not the same as a document without sections."""
    doc_text: str | None = None
    """The text of all sections; ``None`` when nobody knows it."""
    tests: int = 1
    """How many tests share ``alpha``; 1 when the suite does not adjust for their number."""
    adapter: Path | None = None
    """Folder of the adapter under test, for probes that read what training left there."""


S = TypeVar("S", bound=ProbeSpec)


class Probe(ABC, Generic[S]):
    """One question asked of a base and its fine-tuned version.

    The usual probe implements :meth:`measure` and :meth:`judge` and is calibrated by the runner, with its own items
    and settings, on random adapters. A probe that scores no items overrides :meth:`run`.

    A complete probe::

        class EchoSpec(ProbeSpec):
            prompts: list[str] = ["hello"]

        class Echo(Probe[EchoSpec]):
            kind = "acme/echo"
            spec_type = EchoSpec
            calibrated = True

            def measure(self, scoring, view):
                seen = scoring.compare([Item(p) for p in self.spec.prompts], view)
                return Measurement(tuple(c.tv for c in seen))

            def judge(self, measured, nulls, ctx):
                return self.result("pass" if measured.mean > 0.01 else "fail", f"mean TV {measured.mean:.3f}",
                                   raw=measured.mean)
    """

    kind: ClassVar[str]
    spec_type: ClassVar[type[ProbeSpec]]
    calibrated: ClassVar[bool] = False
    """Whether the runner measures this probe on the null adapters too."""

    def __init__(self, spec: S) -> None:
        self.spec = spec

    @property
    def seeks(self) -> Seeks | None:
        """What this entry's pass means, where its keys decide that; ``None``: what the registration says."""
        return None

    def prepare(self, ctx: ProbeContext) -> Self:
        """This probe with what it takes from ``ctx``, such as items made from sections; itself when that is nothing.

        Called once, before the first :meth:`measure`, so that nulls are measured on the same items.

        Raises:
            NothingToAsk: neither the suite nor the context gives it anything to ask; its verdict is then ``skip``.
        """
        return self

    def measure(self, scoring: Scoring, view: View) -> Measurement:
        """One number an item, comparing ``view`` with the base."""
        raise TypeError(f"probe {self.kind!r} implements neither measure() nor run()")

    @abstractmethod
    def judge(self, measured: Measurement, nulls: Sequence[Measurement], ctx: ProbeContext) -> ProbeResult:
        """The verdict on the fine-tuned view's numbers. ``nulls`` is empty when there is no calibration."""

    def run(self, ctx: ProbeContext) -> ProbeResult:
        """Prepare, measure the fine-tuned view and the nulls, then judge. The same seed gives the same answer.

        Raises:
            NothingToAsk: see :meth:`prepare`.
            ProbeError: what was asked cannot be measured.
        """
        from ..scoring.questions import Questions
        from ..scoring.types import FT
        from ..suite.calibrate import measure_nulls

        probe = self.prepare(ctx)
        questions = Questions(ctx.scoring, self.kind, self.spec)
        measured = probe.measure(questions, FT)
        nulls = measure_nulls(probe, ctx) if self.calibrated and ctx.nulls is not None else []
        result = probe.judge(measured, nulls, ctx)
        if questions.partial:
            result = probe._at_both_ends(result, measured, nulls, ctx)
        # With what was asked and the number of each item, two runs can be compared item by item.
        items = {"asked": questions.digest, "values": list(measured.values), "groups": list(measured.groups)}
        return replace(result, evidence={**result.evidence, "items": items})

    def _at_both_ends(
        self, result: ProbeResult, measured: Measurement, nulls: Sequence[Measurement], ctx: ProbeContext
    ) -> ProbeResult:
        """``result``, which rests on the least that was measured, if the most would lead to the same verdict."""
        from ..errors import ProbeError
        from ..scoring.questions import Questions
        from ..scoring.types import FT

        try:
            most = self.measure(Questions(ctx.scoring, self.kind, self.spec, most=True), FT)
            other = self.judge(most, nulls, ctx)
        except ProbeError:
            most, other = None, None
        if most is not None and most.values == measured.values:
            return result
        ends = [measured.mean, most.mean if most else None]
        between = f"between {ends[0]:.3g} and {f'{ends[1]:.3g}' if most else 'any size'}, since the rest is not shown"
        evidence = {**result.evidence, "bounds": ends, "verdicts": [result.verdict, other and other.verdict]}
        if other is not None and other.verdict == result.verdict:
            return replace(result, message=f"{result.message}; {between}", evidence=evidence)
        told = f"{result.verdict} at the one end, {other.verdict if other else 'unknown'} at the other"
        message = f"cannot be told: the mean lies {between}: {told}; raise defaults.top_k"
        return replace(result, verdict="inconclusive", score=None, message=message, evidence=evidence)

    def result(self, verdict: Any, message: str, **numbers: Any) -> ProbeResult:
        """A :class:`ProbeResult` for this entry; ``numbers`` are its other fields."""
        return ProbeResult(
            name=self.spec.name, kind=self.kind, verdict=verdict, message=message, weight=self.spec.weight, **numbers
        )
