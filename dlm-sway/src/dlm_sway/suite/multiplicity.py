"""Several tests in one suite: adjusted p-values, and the passes that do not survive them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from .gate import disabled

if TYPE_CHECKING:
    from ..result import ProbeResult, Verdict

Method = Literal["holm", "bh", "none"]
_NAMES = {"holm": "Holm", "bh": "Benjamini and Hochberg"}


def adjusted(results: Sequence[ProbeResult], method: Method, alpha: float) -> list[ProbeResult]:
    """``results`` with adjusted p-values; a pass that rests on chance being ruled out must survive the adjustment.

    The family are the entries that look for an effect that was meant, each with one test. An entry whose test could not
    be made counts with p = 1: otherwise a probe that breaks would make the others look better. An entry that its author
    disabled, or that decided without a test, is not in the family.
    """
    from ..stats.multiplicity import adjust

    family = [result for result in results if _in_family(result)]
    p_values = adjust([1.0 if one.p_value is None else one.p_value for one in family], method)
    found = {id(one): p for one, p in zip(family, p_values, strict=True) if one.p_value is not None}
    return [_adjusted(one, found[id(one)], len(family), method, alpha) if id(one) in found else one for one in results]


def _in_family(result: ProbeResult) -> bool:
    if result.seeks != "change" or disabled(result):
        return False
    return result.p_value is not None or result.verdict in ("error", "skip", "inconclusive")


def _adjusted(result: ProbeResult, p: float, tests: int, method: Method, alpha: float) -> ProbeResult:
    result = replace(result, p_adjusted=p)
    if result.verdict not in ("pass", "warn") or p <= alpha:
        return result
    verdict, why = _fallen(result, tests, alpha)
    message = f"{why} (adjusted p = {p:.2g} over {tests} tests, {_NAMES[method]}): {result.message}"
    return replace(result, verdict=verdict, message=message)


def _fallen(result: ProbeResult, tests: int, alpha: float) -> tuple[Verdict, str]:
    """What becomes of a pass: open, when nothing it could have found would have been enough; else as without it."""
    from ..stats.rank import nulls_needed

    if result.nulls is None:
        return "inconclusive", "not beyond chance, given all tests of the suite"
    if result.nulls.resolution * tests > alpha:
        needed = nulls_needed(alpha, tests)
        return "inconclusive", f"too few random adapters for all tests of the suite: runs: {needed} are needed"
    return "fail", "no more than random adapters of the same size, given all tests of the suite"
