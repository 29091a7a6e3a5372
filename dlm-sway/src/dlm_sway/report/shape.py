"""What a saved result must look like before a report is made of it: the type of every value that a writer reads.

Keys that nobody here knows are left alone, so that a result with other probes and more facts is still shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple


class Kind(NamedTuple):
    """What a value may be, and how a person calls it."""

    types: tuple[type, ...]
    words: str


_TEXT: Final = Kind((str,), "text")
_NUMBER: Final = Kind((int, float), "a number")
_MAYBE: Final = Kind((int, float, type(None)), "a number or null")
_MAPPING: Final = Kind((dict,), "a mapping")
_TEXTS: Final = Kind((list,), "a list of texts")
_NUMBERS: Final = Kind((dict,), "a mapping to numbers or null")

_RESULT: Final = {
    **dict.fromkeys(
        ("adapter_id", "base_model_id", "conclusion", "finished_at", "spec_path", "started_at", "status"), _TEXT
    ),
    **dict.fromkeys(("backend_stats", "determinism", "gate", "null_stats", "provenance", "score"), _MAPPING),
    "summary": _TEXTS,
    "sway_version": _TEXT,
    "wall_seconds": _NUMBER,
}
_SCORE: Final = {"overall": _MAYBE, "band": _TEXT, "components": _NUMBERS, "weights": _NUMBERS, "findings": _TEXTS}
_GATE: Final = {"outcome": _TEXT, "threshold": _MAYBE, "reasons": _TEXTS, "exit_code": _NUMBER}
_STATS: Final = {"cache_hits": _NUMBER, "cache_misses": _NUMBER}
_PROVENANCE: Final = {"notes": _TEXTS, "multiplicity": _TEXT, "alpha": _NUMBER}
_PROBE: Final = {
    **dict.fromkeys(("category", "kind", "message", "name", "verdict"), _TEXT),
    **dict.fromkeys(
        ("base_value", "ft_value", "mde", "noise_floor", "p_adjusted", "p_value", "raw", "score", "z_score"), _MAYBE
    ),
    **dict.fromkeys(("duration_s", "n_items", "weight"), _NUMBER),
    "evidence": _MAPPING,
    "nulls": Kind((dict, type(None)), "a mapping or null"),
    "seeks": Kind((str, type(None)), "text or null"),
}
_NULLS: Final = {"n": _NUMBER, "largest": _MAYBE}


def faults(result: Mapping[str, Any]) -> Iterator[str]:
    """Every value of a result, its gaps filled in, that is not what it should be: where, and what it is instead."""
    yield from _wrong(result, _RESULT, "")
    for key, kinds in (("score", _SCORE), ("gate", _GATE), ("backend_stats", _STATS), ("provenance", _PROVENANCE)):
        if isinstance(result[key], dict):
            yield from _wrong(result[key], kinds, f"{key}.")
    for index, probe in enumerate(result["probes"]):
        yield from _wrong(probe, _PROBE, f"probes[{index}].")
        if isinstance(probe["nulls"], dict):
            yield from _wrong({"n": None, **probe["nulls"]}, _NULLS, f"probes[{index}].nulls.")


def _wrong(data: Mapping[str, Any], kinds: Mapping[str, Kind], where: str) -> Iterator[str]:
    for key, kind in kinds.items():
        if key in data and not _fits(data[key], kind):
            yield f"{where}{key} is {_short(data[key])}, not {kind.words}"


def _fits(value: Any, kind: Kind) -> bool:
    if kind is _TEXTS:
        return isinstance(value, list) and all(isinstance(one, str) for one in value)
    if kind is _NUMBERS:
        return isinstance(value, dict) and all(_fits(one, _MAYBE) for one in value.values())
    return isinstance(value, kind.types) and not isinstance(value, bool)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
