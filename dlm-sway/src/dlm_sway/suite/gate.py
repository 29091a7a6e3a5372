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


def decide(results: Sequence[ProbeResult], score: dict[str, Any], threshold: float) -> Gate:
    """The gate over a finished suite.

    Fails (1) when a probe failed or could not run, or the overall score is below ``threshold``. Cannot tell (4) when
    nothing failed, but a probe was inconclusive or was skipped without being disabled, or nothing was decided at all.
    """
    failed = [f"{r.name}: {r.verdict}: {r.message}" for r in results if r.verdict in ("fail", "error")]
    overall = score["overall"]
    if overall is not None and overall < threshold:
        failed.append(f"overall score {overall:.2f} is below the threshold {threshold:.2f}")
    if failed:
        return Gate("fail", 1, tuple(failed))
    undecided = [f"{r.name}: {r.verdict}: {r.message}" for r in results if _undecided(r)]
    if not undecided and all(r.score is None for r in results):
        undecided.append("no probe decided anything")
    return Gate("could not tell", 4, tuple(undecided)) if undecided else Gate("pass", 0, ())


def _undecided(result: ProbeResult) -> bool:
    if result.verdict == "skip":
        return result.evidence.get("skip_reason") != DISABLED
    return result.verdict == "inconclusive"
