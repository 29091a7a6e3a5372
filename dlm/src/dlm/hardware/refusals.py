"""What must not be tried here, and what should be known first: one row a condition, each with its reason and way out.

The rows are data. dlm's own are below; plugins add theirs through ``dlm_accelerators``. ``dlm train`` and ``dlm
doctor`` look at the same rows, so a run that the doctor passes is not refused for the machine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, cast

from .estimate import TOLERANCE, gigabytes

if TYPE_CHECKING:
    from .._plugkit.plugins import PluginManager
    from ..bases import LocalBase
    from ..training.pace import Pace
    from ..training.plan import Plan
    from ..training.recipe import Recipe
    from .accelerator import Accelerator
    from .capabilities import Capabilities
    from .estimate import Estimate

Severity = Literal["refuse", "warn"]
PATIENCE = 3 * 3600.0
"""Seconds of training from which it is said before it begins."""


@dataclass(frozen=True)
class Case:
    """One training on one machine; what is not known yet is ``None``."""

    capabilities: Capabilities
    recipe: Recipe
    base: LocalBase | None = None
    plan: Plan | None = None
    estimate: Estimate | None = None
    pace: Pace | None = None

    @property
    def adapter(self) -> str:
        """Kind of adapter that is trained."""
        return (self.plan.recipe if self.plan else self.recipe).adapter

    @property
    def precision(self) -> str:
        """What the recipe's precision means here."""
        return self.capabilities.precision if self.recipe.precision == "auto" else self.recipe.precision

    @property
    def seconds(self) -> float | None:
        """Expected of the training itself."""
        return self.plan.tokens / self.pace.rate if self.plan and self.pace else None

    @property
    def context(self) -> int | None:
        """Tokens that the base can attend to."""
        from .shape import context_of

        return context_of(self.base.path) if self.base else None

    @property
    def longest(self) -> int:
        """Tokens of the longest row."""
        return max((row.tokens for row in self.plan.rows), default=0) if self.plan else 0

    @property
    def free(self) -> int | None:
        """Bytes that a run can have."""
        return self.capabilities.memory_free


class Rule(NamedTuple):
    """One row."""

    name: str
    severity: Severity
    when: Callable[[Case], bool]
    reason: Callable[[Case], str]
    way_out: Callable[[Case], str]


class Objection(NamedTuple):
    """A row that holds for a case."""

    name: str
    severity: Severity
    reason: str
    way_out: str = ""
    """Empty where the reason names it."""

    def __str__(self) -> str:
        return f"{self.reason}: {self.way_out}" if self.way_out else self.reason


def objections(case: Case, plugins: PluginManager) -> list[Objection]:
    """Everything that holds for ``case``, what is refused first."""
    found = [
        Objection(rule.name, rule.severity, rule.reason(case), rule.way_out(case))
        for rule in rules(plugins)
        if rule.when(case)
    ]
    return sorted(found, key=lambda one: one.severity != "refuse")


def rules(plugins: PluginManager) -> list[Rule]:
    """The rows of every accelerator that is offered, in the order of their names."""
    names = plugins.offers("dlm_accelerators")
    offered = [cast("Accelerator", plugins.resolve("dlm_accelerators", name)) for name in names]
    return [rule for accelerator in offered for rule in accelerator.rules]


def _half_precision(case: Case) -> bool:
    return case.recipe.precision == "fp16"


def _software_bf16(case: Case) -> bool:
    return case.recipe.precision == "bf16" and not case.capabilities.device.bf16


def _past_context(case: Case) -> bool:
    return case.context is not None and case.longest > case.context


def _too_large(case: Case) -> bool:
    """Even with one row a pass, and even if the estimate is as much too high as it can be."""
    known = case.estimate is not None and case.free is not None
    return known and case.estimate.least / TOLERANCE > case.free  # type: ignore[union-attr,operator]


def _tight(case: Case) -> bool:
    known = case.estimate is not None and case.free is not None and not _too_large(case)
    return known and case.estimate.peak > case.free  # type: ignore[union-attr,operator]


def _memory_reason(case: Case) -> str:
    assert case.estimate is not None
    assert case.free is not None
    where = case.capabilities.device.name if case.capabilities.device.memory is not None else "memory"
    return (
        f"one row of the fullest step takes about {gigabytes(case.estimate.least)}, and {gigabytes(case.free)} of "
        f"{where} are free"
    )


def _smaller(case: Case) -> str:
    ways = ["end other programs", f"lower training.sequence_len (now {case.recipe.sequence_len})"]
    if case.precision == "fp32":
        ways.append("write training.precision: bf16, which halves the base")
    if case.adapter != "qlora":
        ways.append("write training.adapter: qlora, which holds the base in 4 bits")
    return ", ".join([*ways, "or name a smaller base; `dlm base list` shows them"])


def _tight_reason(case: Case) -> str:
    assert case.estimate is not None
    assert case.free is not None
    return (
        f"the {case.estimate.rows} rows of the fullest step take about {gigabytes(case.estimate.peak)} together, and "
        f"{gigabytes(case.free)} are free"
    )


def _slow(case: Case) -> bool:
    return case.seconds is not None and case.seconds > PATIENCE


def _slow_reason(case: Case) -> str:
    tier = case.capabilities.device.tier
    measured = "as fast as the last runs here" if case.pace and case.pace.measured else "a guess by the base's size"
    return f"training takes about {(case.seconds or 0) / 3600:.0f} hours on this {tier} ({measured})"


RULES: tuple[Rule, ...] = (
    Rule(
        "fp16",
        "refuse",
        _half_precision,
        lambda _: "training.precision: fp16 loses small gradients, since this version scales no loss",
        lambda _: "remove the key, or write bf16 or fp32",
    ),
    Rule(
        "context",
        "refuse",
        _past_context,
        lambda case: (
            f"with training.sequence_len: {case.recipe.sequence_len} a row has {case.longest} tokens, more than the "
            f"{case.context} that the base can hold"
        ),
        lambda case: f"write training.sequence_len: {case.context}, or less",
    ),
    Rule("memory", "refuse", _too_large, _memory_reason, _smaller),
    Rule(
        "passes",
        "warn",
        _tight,
        _tight_reason,
        lambda _: "fewer rows will share a pass; the result is the same up to rounding, and slower",
    ),
    Rule(
        "bf16",
        "warn",
        _software_bf16,
        lambda case: f"{case.capabilities.device.name} does not multiply bf16 in hardware, so bf16 is slow here",
        lambda _: "remove training.precision",
    ),
    Rule(
        "hours",
        "warn",
        _slow,
        _slow_reason,
        lambda _: "`--effort quick`, `--budget TOKENS` or a smaller base takes less",
    ),
)
