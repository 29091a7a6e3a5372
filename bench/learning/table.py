"""Cells to one table of at most 80 columns: documents below each other, base, trained and open book side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from .results import Cell

    Row = tuple[str, list[str]]

ARMS = {"base": "base", "prior": "prior", "ours": "ours", "document": "open book", "section": "section"}
ROWS = {
    "recall": "recall, all facts",
    "recall_pair": "  facts with a Q/A",
    "recall_prose": "  facts in prose only",
    "recall_backwards": "  asked backwards",
    "kl": "KL to the base, nats",
    "general": "general items, %",
    "bleed": "bleed",
    "confabulation": "confabulation",
    "tokens": "tokens trained",
    "seconds": "seconds of training",
}
FORMS = {"kl": "{:.3f}", "general": "{:.1f}", "tokens": "{:,.0f}", "seconds": "{:.0f}"}
FIRST, OTHER = 23, 11


def numbers(measured: Mapping[str, Any]) -> dict[str, float]:
    """What a cell says, one number a row of the table."""
    if "skipped" in measured:
        return {}
    facts = measured["facts"]
    found = {
        "recall": _share(fact["right"] for fact in facts),
        "recall_pair": _share(fact["right"] for fact in facts if fact["taught"] == "pair"),
        "recall_prose": _share(fact["right"] for fact in facts if fact["taught"] == "prose"),
        "recall_backwards": _share(fact["right"] for fact in facts if fact.get("backwards")),
    }
    for kind in ("bleed", "confabulation"):
        if kind in measured:
            found[kind] = _share(bool(slip["said"]) for slip in measured[kind])
    if "training" in measured:
        found |= {key: measured["training"][key] for key in ("tokens", "seconds")}
    if "kl" in measured:
        found |= {"kl": measured["kl"], "general": measured["general_after"]}
        found["general_before"] = measured["general_before"]
        found["general_lost"] = measured["general_before"] - measured["general_after"]
    return {key: value for key, value in found.items() if value is not None}


def table(cells: Mapping[str, Mapping[str, Sequence[Cell]]]) -> str:
    """``cells`` by document and arm; several cells of one arm are seeds, shown as mean and half their range."""
    lines = [f"{'':{FIRST}}" + "".join(f"{name:>{OTHER}}" for name in ARMS.values())]
    for name, rows in _blocks(cells):
        lines += ["", name]
        lines += [f"{label:{FIRST}}" + "".join(f"{text:>{OTHER}}" for text in shown) for label, shown in rows]
    return "\n".join(line.rstrip() for line in lines)


def markdown(cells: Mapping[str, Mapping[str, Sequence[Cell]]]) -> str:
    """The same for a page of the docs."""
    blocks = []
    for name, rows in _blocks(cells):
        lines = [f"| {name} | " + " | ".join(ARMS.values()) + " |", "|---" * (1 + len(ARMS)) + "|"]
        lines += [f"| {label.strip()} | " + " | ".join(shown) + " |" for label, shown in rows]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def _blocks(cells: Mapping[str, Mapping[str, Sequence[Cell]]]) -> Iterator[tuple[str, list[Row]]]:
    everything: dict[str, list[dict[str, float]]] = {arm: [] for arm in ARMS}
    for name, by_arm in cells.items():
        found = {arm: [numbers(cell["measured"]) for cell in by_arm.get(arm, ())] for arm in ARMS}
        yield name, _rows(found)
        for arm, several in found.items():
            everything[arm] += several
    if len(cells) > 1:
        yield "all documents", _rows(everything)


def _rows(found: Mapping[str, Sequence[Mapping[str, float]]]) -> list[Row]:
    shown = []
    for row, label in ROWS.items():
        by_arm = {arm: [one[row] for one in several if row in one] for arm, several in found.items()}
        if not any(by_arm.values()):
            continue
        if row == "general":
            # The untouched base answers in the same pass.
            by_arm["base"] = [one["general_before"] for one in found["ours"] if "general_before" in one]
        shown.append((label, [_shown(row, values) for values in by_arm.values()]))
        if row == "general":
            changes = [[-one["general_lost"] for one in several if "general_lost" in one] for several in found.values()]
            shown.append(("  change, points", [_shown("change", values) if values else "" for values in changes]))
    return shown


def _shown(row: str, values: Sequence[float]) -> str:
    if not values:
        return "-"
    form = "{:+.1f}" if row == "change" else FORMS.get(row, "{:.2f}")
    mean = form.format(sum(values) / len(values))
    spread = (max(values) - min(values)) / 2
    if len(values) == 1 or row in ("tokens", "seconds"):
        return mean
    return f"{mean}±{form.replace('+', '').format(spread).removeprefix('0')}"


def _share(hits: Iterable[bool]) -> float | None:
    found = list(hits)
    return sum(found) / len(found) if found else None
