"""Verdicts as one exit code. Fails closed: what could not be run is never a pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from ..result import ProbeResult

DISABLED: Final = "disabled"
"""``evidence["skip_reason"]`` of an entry that its author switched off: the only skip a gate accepts."""


class Gate(NamedTuple):
    """What the gate decided, and why."""

    outcome: Literal["pass", "fail", "could not tell"]
    exit_code: Literal[0, 1, 4]
    reasons: tuple[str, ...]
    """Of the decision, gravest first."""


def decide(results: Sequence[ProbeResult], score: dict[str, Any], threshold: float) -> Gate:
    """The gate over a finished suite: an order of questions, each of which can end it, and none can buy off another.

    1. Did everything run, and was no harm done? An error or a failed guard fails (1).
    2. Were the effects that were meant there? A failed one fails (1).
    3. Is the score high enough? One below ``threshold`` fails (1).
    4. Is anything open? An inconclusive entry, a skip that nobody asked for, or nothing decided at all: could not
       tell (4).

    So a high score never makes up for harm, and an entry that breaks or is skipped never helps.
    """
    grave = [r for r in results if r.verdict == "error"]
    grave += [r for r in results if r.verdict == "fail" and r.seeks == "harm"]
    missed = [r for r in results if r.verdict == "fail" and r.seeks != "harm"]
    failed = [_reason(r) for r in (*grave, *missed)]
    overall = score["overall"]
    if overall is not None and overall < threshold:
        failed.append(f"overall score {overall:.2f} is below the threshold {threshold:.2f}")
    if failed:
        return Gate("fail", 1, tuple(failed))
    undecided = [_reason(r) for r in results if _undecided(r)]
    if not undecided and all(r.score is None for r in results):
        undecided.append("no probe decided anything")
    return Gate("could not tell", 4, tuple(undecided)) if undecided else Gate("pass", 0, ())


def disabled(result: ProbeResult) -> bool:
    """Whether the entry was switched off by its author."""
    return result.verdict == "skip" and result.evidence.get("skip_reason") == DISABLED


def _undecided(result: ProbeResult) -> bool:
    return result.verdict == "inconclusive" or (result.verdict == "skip" and not disabled(result))


def _reason(result: ProbeResult) -> str:
    return f"{result.name}: {result.verdict}: {result.message}"
