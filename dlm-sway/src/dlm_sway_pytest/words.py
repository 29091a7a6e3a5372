"""What a failed test says: the probe's message, and the numbers behind it."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from dlm_sway.report import format as fmt

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dlm_sway.suite.gate import Gate

WIDTH = 78


def of_probe(row: dict[str, Any], document: dict[str, Any]) -> str:
    """One probe's result."""
    lines = [f"{row['verdict'].upper()} [{row['kind']}]: {row['message']}"]
    lines += [f"  {label:<9}{text}" for label, text in _numbers(row)]
    lines.append(f"  {'models':<9}{fmt.label(document['adapter_id'])} on {fmt.label(document['base_model_id'])}")
    if trace := row["evidence"].get("traceback"):
        lines += ["", str(trace).rstrip()]
    return "\n".join(_wrapped(line) for line in lines)


def of_gate(gate: Gate, document: dict[str, Any]) -> str:
    """The gate's reasons, and the conclusion."""
    head = "the gate failed" if gate.outcome == "fail" else "the gate could not tell"
    lines = [f"{head}; the suite's conclusion is: {document['conclusion']}"]
    lines += [f"  {reason}" for reason in gate.reasons]
    overall = document["score"]["overall"]
    if overall is not None and not any("overall score" in reason for reason in gate.reasons):
        lines.append(f"  overall score {fmt.score(overall)} ({document['score']['band']})")
    return "\n".join(_wrapped(line) for line in lines)


def cannot_run(spec: Path, failure: str) -> str:
    """A suite that gave no result at all."""
    return f"{spec} could not be run, and is not tried again for its other tests:\n{failure}"


def properties(row: dict[str, Any]) -> list[tuple[str, object]]:
    """For pytest's own JUnit file."""
    kept = {key: row[key] for key in ("kind", "verdict", "raw", "p_value", "z_score", "score")}
    return [(f"sway.{key}", value) for key, value in kept.items() if value is not None]


def _numbers(row: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Those that were measured."""
    if row["raw"] is not None:
        interval = fmt.ci(row["ci_95"])
        least = f", smallest change it could find {fmt.raw(row['mde'])}" if row["mde"] is not None else ""
        yield "measured", fmt.raw(row["raw"]) + (f", 95% {interval}" if interval != fmt.MISSING else "") + least
    if row["base_value"] is not None and row["ft_value"] is not None:
        yield "values", f"base {fmt.raw(row['base_value'])}, tuned {fmt.raw(row['ft_value'])}"
    if (nulls := row["nulls"]) is not None:
        z = f", this one lies at {fmt.z(row['z_score'])}" if row["z_score"] is not None else ""
        yield "random", f"{nulls['n']} random adapters: mean {fmt.raw(nulls['mean'])}, sd {fmt.raw(nulls['sd'])}{z}"
    if row["p_value"] is not None:
        adjusted = f", over the suite {fmt.p(row['p_adjusted'])}" if row["p_adjusted"] is not None else ""
        yield "p", fmt.p(row["p_value"]) + adjusted
    if row["n_items"]:
        yield "items", str(row["n_items"])


def _wrapped(line: str) -> str:
    """``line`` in lines of at most 78 columns, where it is prose and not a traceback's code."""
    if "\n" in line or len(line) <= WIDTH:
        return line
    indent = line[: len(line) - len(line.lstrip())] + "  "
    return textwrap.fill(line, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
