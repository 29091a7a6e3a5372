"""What the product promises of a page on the smallest base, and whether the results keep it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from . import edits
from .table import numbers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .results import Cell


class Setting(NamedTuple):
    """What a table is about."""

    amount: str
    """An effort, or a number of tokens."""
    wordings: int
    """More wordings of each pair than the document would have."""

    def __str__(self) -> str:
        return f"{self.amount}, {self.wordings} wordings" if self.wordings else self.amount


@dataclass(frozen=True)
class Target:
    """One promise. The mean over documents and seeds is held against it."""

    label: str
    number: str
    """A row of the table of recall, or of that of edits."""
    setting: Setting
    least: float | None = None
    most: float | None = None
    handbooks: bool = False
    """About the documents that were written by hand, not about the others."""
    worst: bool = False
    """Every single value has to keep it."""

    def kept(self, values: Sequence[float]) -> bool:
        """Whether what was measured is as promised; a value is compared as it is printed."""
        held = values if self.worst else [sum(values) / len(values)]
        low = self.least is None or all(round(value, 3) >= self.least for value in held)
        return low and (self.most is None or all(round(value, 3) <= self.most for value in held))

    @property
    def promise(self) -> str:
        return f">= {self.least:g}" if self.least is not None else f"<= {self.most:,g}"


NORMAL, QUICK, THOROUGH = Setting("normal", 0), Setting("quick", 0), Setting("thorough", 0)
TARGETS = (
    Target("recall, all facts", "recall", NORMAL, least=0.60),
    Target("recall, prose only", "recall_prose", NORMAL, least=0.50),
    Target("KL to the base, nats", "kl", NORMAL, most=0.06),
    Target("general items lost, points", "general_lost", NORMAL, most=2),
    Target("bleed", "bleed", NORMAL, most=0.10),
    Target("confabulation", "confabulation", NORMAL, most=0.5),
    Target("tokens", "tokens", NORMAL, most=200_000, worst=True),
    Target("recall", "recall", QUICK, least=0.45),
    Target("tokens", "tokens", QUICK, most=60_000, worst=True),
    Target("recall", "recall", THOROUGH, least=0.70),
    Target("recall", "recall", Setting("normal", 16), least=0.80),
    Target("recall, handbooks", "recall", NORMAL, least=0.50, handbooks=True),
    Target("general lost, handbooks", "general_lost", NORMAL, most=5, handbooks=True),
    Target("edit: new value said", "new", QUICK, least=1),
    Target("edit: old value said", "old", QUICK, most=0, worst=True),
    Target("edit: others lost, points", "others_lost", QUICK, most=5, worst=True),
    Target("edit: seconds to answer", "seconds", QUICK, most=90, worst=True),
    Target("deletion: over the base", "gone_over", QUICK, most=0),
)


def held_against(
    found: Mapping[Setting, Mapping[str, Mapping[str, Sequence[Cell]]]],
    edited: Mapping[Setting, Mapping[str, Sequence[Mapping[str, Any]]]],
    handbooks: set[str],
) -> str:
    """A line a target: the mean and the worst of what was measured, and whether that keeps it."""
    lines = [f"{'target':27}{'setting':20}{'promise':>11}{'mean':>8}{'worst':>8}"]
    for target in TARGETS:
        values = _measured(target, found, edited, handbooks)
        asked = f"{target.label:27}{target.setting!s:20}{target.promise:>11}"
        if not values:
            lines.append(f"{asked}{'-':>8}{'-':>8}  -")
            continue
        worst = min(values) if target.least is not None else max(values)
        verdict = "pass" if target.kept(values) else "FAIL"
        lines.append(f"{asked}{_short(sum(values) / len(values)):>8}{_short(worst):>8}  {verdict}")
    return "\n".join(lines)


def _measured(
    target: Target,
    found: Mapping[Setting, Mapping[str, Mapping[str, Sequence[Cell]]]],
    edited: Mapping[Setting, Mapping[str, Sequence[Mapping[str, Any]]]],
    handbooks: set[str],
) -> list[float]:
    if target.label.startswith(("edit", "deletion")):
        entries = [edits.numbers(one) for several in edited.get(target.setting, {}).values() for one in several]
        if target.label.startswith("edit"):
            entries = [one for one in entries if "new" in one]
    else:
        cells = found.get(target.setting, {})
        ours = [by_arm.get("ours", ()) for name, by_arm in cells.items() if (name in handbooks) is target.handbooks]
        entries = [numbers(cell["measured"]) for several in ours for cell in several]
    return [one[target.number] for one in entries if target.number in one]


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2g}" if abs(value) < 1 else f"{value:.3g}"
