"""What the verdicts mean together, in one word."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ..result import ProbeResult


ASKED_MODEL: Final = "asked_model"
"""``false`` in the evidence of a guard that only read files."""


def conclude(results: Sequence[ProbeResult]) -> str:
    """``broken``, ``harmed``, ``learned``, ``changed``, ``not learned``, ``no change``, ``intact`` or, else,
    ``could not tell``.

    The worst that is established wins: an adapter that is not properly on its base (``broken``), then damage
    (``harmed``). Then the strongest claim that holds: answers became likelier than random adapters make them
    (``learned``, category attribution), or the model moved at all (``changed``, category adherence). The last two need
    every probe that looked for a change to have looked and failed: ``no change`` when nothing lies above the numeric
    noise, ``not learned`` when the model did move, but too little or no more than at random. ``intact`` answers a
    suite that asks about damage alone, as one does of a copy in fewer bits: every guard was asked and passed.
    """
    if any(r.kind == "integrity" and r.verdict == "fail" and not changes_nothing(r) for r in results):
        return "broken"
    if any(_shows_harm(r) for r in results):
        return "harmed"
    seeking = [r for r in results if r.seeks == "change" and r.verdict != "skip"]
    attribution = [r.verdict for r in seeking if r.category == "attribution"]
    if "pass" in attribution and "fail" not in attribution:
        return "learned"
    if any(r.verdict == "pass" for r in seeking):
        return "changed"
    if any(changes_nothing(r) for r in results):
        return "no change"
    if seeking and all(r.verdict == "fail" for r in seeking):
        return "not learned" if any(_moved(r) for r in seeking) else "no change"
    return "intact" if _guarded(results) else "could not tell"


def deciding(conclusion: str, results: Sequence[ProbeResult]) -> list[ProbeResult]:
    """The results that ``conclusion`` rests on."""
    if conclusion == "broken":
        return [r for r in results if r.kind == "integrity" and r.verdict == "fail"]
    if conclusion == "harmed":
        return [r for r in results if _shows_harm(r)]
    if conclusion in ("learned", "changed"):
        seeking = [r for r in results if r.seeks == "change" and r.verdict in ("pass", "fail")]
        return [r for r in seeking if conclusion == "changed" or r.category == "attribution"]
    if conclusion == "intact":
        return [r for r in results if r.seeks == "harm" and r.verdict == "pass"]
    wanted = "fail" if conclusion in ("no change", "not learned") else "inconclusive"
    return [r for r in results if r.verdict == wanted]


def changes_nothing(result: ProbeResult) -> bool:
    """Whether the adapter is sound but empty: every update is zero, and nothing else is wrong with it.

    That is not broken: training simply did not move it.
    """
    adapter = result.evidence.get("adapter", {})
    failed = [finding for finding in result.evidence.get("findings", ()) if finding["level"] == "fail"]
    empty = adapter.get("modules", 0) > 0 and adapter.get("modules") == adapter.get("zero_updates")
    return result.kind == "integrity" and empty and len(failed) == 1


def _shows_harm(result: ProbeResult) -> bool:
    """Whether the model was asked, and is worse than its base. What files say about a training is no damage yet."""
    failed = result.seeks == "harm" and result.verdict == "fail" and result.kind != "integrity"
    return failed and bool(result.evidence.get(ASKED_MODEL, True))


def _guarded(results: Sequence[ProbeResult]) -> bool:
    """Whether the suite looks for damage alone, the model was asked, and every guard passed. Two whole models have no
    adapter whose files ``integrity`` could read: that it is skipped takes nothing away."""
    guards = [r for r in results if r.seeks == "harm" and (r.kind, r.verdict) != ("integrity", "skip")]
    asked = [r for r in guards if r.kind != "integrity" and r.evidence.get(ASKED_MODEL, True)]
    alone = not any(r.seeks == "change" for r in results)
    return alone and bool(asked) and all(r.verdict == "pass" for r in guards)


def _moved(result: ProbeResult) -> bool:
    """Whether its number lies above the numeric noise, where that was measured."""
    return result.raw is not None and abs(result.raw) > (result.noise_floor or 0.0)
