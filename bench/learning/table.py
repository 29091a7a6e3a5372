"""Cells to one table of at most 80 columns: documents below each other, base, ours and open book beside each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from .results import Cell

ARMS = {"base": "base", "ours": "ours", "document": "open book", "section": "its section"}
ROWS = {
    "recall": "recall, all facts",
    "recall_pair": "  facts with a Q/A",
    "recall_prose": "  facts in prose only",
    "kl": "KL to the base, nats",
    "general": "general items, % right",
    "bleed": "bleed",
    "confabulation": "confabulation",
    "tokens": "tokens trained",
    "seconds": "seconds of training",
}
FORMS = {"kl": "{:.3f}", "general": "{:.1f}", "tokens": "{:,.0f}", "seconds": "{:.0f}"}
FIRST, OTHER = 26, 13


def numbers(measured: Mapping[str, Any]) -> dict[str, float]:
    """What a cell says, one number a row of the table."""
    if "skipped" in measured:
        return {}
    facts = measured["facts"]
    found = {
        "recall": _share(fact["right"] for fact in facts),
        "recall_pair": _share(fact["right"] for fact in facts if fact["taught"] == "pair"),
        "recall_prose": _share(fact["right"] for fact in facts if fact["taught"] == "prose"),
    }
    for kind in ("bleed", "confabulation"):
        if kind in measured:
            found[kind] = _share(bool(slip["said"]) for slip in measured[kind])
    if "training" in measured:
        found |= {key: measured["training"][key] for key in ("tokens", "seconds")}
    if "kl" in measured:
        found |= {"kl": measured["kl"], "general": measured["general_after"]}
        found["general_before"] = measured["general_before"]
    return {key: value for key, value in found.items() if value is not None}


def table(cells: Mapping[str, Mapping[str, Sequence[Cell]]]) -> str:
    """``cells`` by document and arm; several cells of one arm are seeds, shown as mean and half their range."""
    lines = [f"{'':{FIRST}}" + "".join(f"{name:>{OTHER}}" for name in ARMS.values())]
    everything: dict[str, list[dict[str, float]]] = {arm: [] for arm in ARMS}
    for name, by_arm in cells.items():
        found = {arm: [numbers(cell["measured"]) for cell in by_arm.get(arm, ())] for arm in ARMS}
        lines += ["", name, *_block(found)]
        for arm, several in found.items():
            everything[arm] += several
    if len(cells) > 1:
        lines += ["", "all documents", *_block(everything)]
    return "\n".join(line.rstrip() for line in lines)


def _block(found: Mapping[str, Sequence[Mapping[str, float]]]) -> list[str]:
    ours = found["ours"]
    before = [one["general_before"] for one in ours if "general_before" in one]
    shown = []
    for row, label in ROWS.items():
        by_arm = {arm: [one[row] for one in several if row in one] for arm, several in found.items()}
        if not any(by_arm.values()):
            continue
        if row == "general":
            # The untouched base answers in the same pass.
            by_arm["base"] = before
        shown.append(f"{label:{FIRST}}" + "".join(f"{_shown(row, values):>{OTHER}}" for values in by_arm.values()))
        if row == "general":
            changes = [one["general"] - one["general_before"] for one in ours if "general" in one]
            shown.append(f"{'  change, points':{FIRST}}{'':{OTHER}}{_shown('change', changes):>{OTHER}}")
    return shown


def _shown(row: str, values: Sequence[float]) -> str:
    if not values:
        return "-"
    form = "{:+.1f}" if row == "change" else FORMS.get(row, "{:.2f}")
    mean = form.format(sum(values) / len(values))
    spread = (max(values) - min(values)) / 2
    if len(values) == 1 or row in ("tokens", "seconds"):
        return mean
    return f"{mean} ±{form.replace('+', '').format(spread).removeprefix('0')}"


def _share(hits: Iterable[bool]) -> float | None:
    found = list(hits)
    return sum(found) / len(found) if found else None
