"""How numbers read, the same on every surface."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import Any, Final

from ..suite.gate import DISABLED

CATEGORIES: Final = ("adherence", "attribution", "calibration", "ablation", "baseline")
MISSING: Final = "—"
_METHODS: Final = {
    "holm": "p adjusted by Holm",
    "bh": "p adjusted by Benjamini and Hochberg",
    "none": "p not adjusted for their number",
}


def score(value: float | None) -> str:
    """Two decimals."""
    return MISSING if _absent(value) else f"{value:.2f}"


def raw(value: float | None) -> str:
    """Three decimals with thousands commas; small numbers in scientific notation rather than as zero."""
    if _absent(value):
        return MISSING
    assert value is not None
    return f"{value:.1e}" if 0 < abs(value) < 5e-4 else f"{value:,.3f}"


def z(value: float | None) -> str:
    """Signed, in standard deviations of the nulls."""
    return MISSING if _absent(value) else f"{value:+,.2f}σ"


def p(value: float | None) -> str:
    """Two significant digits."""
    return MISSING if _absent(value) else f"{value:.2g}"


def ci(value: Any) -> str:
    """``[low, high]``."""
    if not isinstance(value, (list, tuple)) or len(value) != 2 or any(_absent(end) for end in value):
        return MISSING
    return f"[{raw(value[0])}, {raw(value[1])}]"


def duration(value: float | None) -> str:
    """Seconds: two decimals below ten, one below a hundred, then whole."""
    if _absent(value):
        return MISSING
    assert value is not None
    return f"{value:.2f}s" if value < 10 else f"{value:.1f}s" if value < 100 else f"{value:,.0f}s"


def label(path: str) -> str:
    """The last three parts of a path, quoted when it holds spaces; a hub id stays as it is."""
    parts = PurePath(path).parts
    short = "/".join(parts[-3:]) if len(parts) > 3 else path
    return f'"{short}"' if any(character.isspace() for character in short) else short


def ordered(categories: Iterable[str]) -> list[str]:
    """The known categories in their order, then the others by name."""
    found = set(categories)
    return [name for name in CATEGORIES if name in found] + sorted(found - set(CATEGORIES))


def components(result: Mapping[str, Any]) -> list[tuple[str, float | None, float, str]]:
    """Category, score, weight and remark, in order."""
    scores, weights = result["score"].get("components", {}), result["score"].get("weights", {})
    rows = []
    for name in ordered(scores):
        weight = weights.get(name, 0.0)
        rows.append((name, scores[name], weight, "" if weight else "(informational, weight=0)"))
    return rows


def family(result: Mapping[str, Any]) -> str | None:
    """How alpha is shared over the suite's tests, or ``None`` when there is nothing to share."""
    tests = sum(probe["p_adjusted"] is not None for probe in result["probes"])
    method = _METHODS.get(result["provenance"].get("multiplicity", ""))
    if tests == 0 or method is None:
        return None
    return f"alpha {result['provenance'].get('alpha', 0.05):g}: {tests} {'test' if tests == 1 else 'tests'}, {method}"


def determinism(result: Mapping[str, Any]) -> str | None:
    """``class (seed=N)``, or ``None`` for results that did not say."""
    found = result["determinism"]
    return f"{found['class']} (seed={found.get('seed', 0)})" if "class" in found else None


def cache(result: Mapping[str, Any]) -> str | None:
    """Cache hits over questions, or ``None`` when nothing was asked."""
    stats = result["backend_stats"]
    hits, total = stats.get("cache_hits", 0), stats.get("cache_hits", 0) + stats.get("cache_misses", 0)
    return f"{hits}/{total} = {hits / total:.0%}" if total else None


def alarming(probe: Mapping[str, Any]) -> bool:
    """Whether somebody must look at it: anything but a pass, and a skip that the suite's author asked for."""
    if probe["verdict"] == "skip":
        return bool(probe["evidence"].get("skip_reason") != DISABLED)
    return bool(probe["verdict"] != "pass")


def _absent(value: Any) -> bool:
    return isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value)
