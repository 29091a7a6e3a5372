"""The result JSON as data: written from a :class:`SuiteResult`, read back from files of any schema-1 writer.

Every report is made from this data, so a saved result prints like a fresh one, without the plugins that
made it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..errors import TargetError
from ..spec.models import DEFAULT_WEIGHTS
from ..suite.gate import decide
from .shape import faults

if TYPE_CHECKING:
    from ..result import ProbeResult, SuiteResult

SCHEMA_VERSION: Final = 1
EPOCH: Final = "1970-01-01T00:00:00+00:00"
_LIFTED: Final = (
    "adapter_id",
    "backend_stats",
    "base_model_id",
    "determinism",
    "spec_path",
    "sway_version",
)
"""Provenance that stands at the top of the JSON, where earlier versions put it."""


_LARGEST: Final = 2**1000
"""An integer from here on is as good as infinite: arithmetic on numbers cannot hold it."""


def to_dict(result: SuiteResult) -> dict[str, Any]:
    """The result as the JSON's data: no NaN, no tuples, nothing that ``json`` could not write."""
    gate = decide(result.probes, result.score, result.provenance["threshold"])
    document = {
        "schema_version": SCHEMA_VERSION,
        "conclusion": result.conclusion,
        "summary": result.summary,
        "gate": {**gate._asdict(), "threshold": result.provenance["threshold"]},
        "score": result.score,
        "probes": [_probe(probe) for probe in result.probes],
        "null_stats": {p.name: _null_stats(p) for p in result.probes if p.nulls is not None},
        "status": result.status,
        "started_at": result.started_at,
        "finished_at": result.finished_at,
        "wall_seconds": result.wall_seconds,
        **{key: result.provenance.get(key) for key in _LIFTED},
        "provenance": {key: value for key, value in result.provenance.items() if key not in _LIFTED},
    }
    plain: dict[str, Any] = _plain(document)
    return plain


def read(path: Path) -> dict[str, Any]:
    """A saved result, with what its writer left out filled in.

    Raises:
        TargetError: the file cannot be read, or is not a sway result.
    """
    try:
        data = json.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise TargetError(f"{path}: {error.strerror}: check the path of the result file") from error
    except (ValueError, RecursionError) as error:
        raise TargetError(f"{path}: not JSON: {error}: write results with `sway run SPEC --json FILE`") from error
    return completed(data, str(path))


def completed(data: Any, source: str) -> dict[str, Any]:
    """``data`` with defaults for everything but each probe's name, kind and verdict.

    Unknown keys and unknown probes are kept as they are.

    Raises:
        TargetError: it is not a result, a probe lacks one of those three, or a value is of another type.
    """
    if not isinstance(data, dict) or not isinstance(data.get("probes"), list):
        raise TargetError(f"{source}: not a sway result: it has no list `probes`")
    if data.get("schema_version", SCHEMA_VERSION) != SCHEMA_VERSION:
        raise TargetError(
            f"{source}: schema_version {data['schema_version']!r} is not {SCHEMA_VERSION}: upgrade dlm-sway to read it"
        )
    found = {**_DEFAULTS, **_given(_plain(data))}
    found["probes"] = [_completed_probe(probe, index, source) for index, probe in enumerate(data["probes"])]
    if isinstance(found["score"], Mapping):
        found["score"] = {**_DEFAULTS["score"], **_given(found["score"])}
    if wrong := list(faults(found)):
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        raise TargetError(f"{source}: {wrong[0]}{more}: write results with `sway run SPEC --json FILE`")
    return found


_DEFAULTS: Final[dict[str, Any]] = {
    "schema_version": SCHEMA_VERSION,
    "adapter_id": "",
    "backend_stats": {},
    "base_model_id": "",
    "conclusion": "",
    "determinism": {},
    "finished_at": EPOCH,
    "gate": {},
    "null_stats": {},
    "provenance": {},
    "score": {"overall": None, "band": "", "components": {}, "weights": DEFAULT_WEIGHTS, "findings": []},
    "spec_path": "",
    "started_at": EPOCH,
    "status": "finished",
    "summary": [],
    "sway_version": "",
    "wall_seconds": 0.0,
}

_PROBE_DEFAULTS: Final[dict[str, Any]] = {
    "base_value": None,
    "category": "",
    "ci_95": None,
    "duration_s": 0.0,
    "evidence": {},
    "ft_value": None,
    "mde": None,
    "message": "",
    "n_items": 0,
    "noise_floor": None,
    "nulls": None,
    "p_adjusted": None,
    "p_value": None,
    "raw": None,
    "score": None,
    "seeks": None,
    "weight": 1.0,
    "z_score": None,
}


def _completed_probe(probe: Any, index: int, source: str) -> dict[str, Any]:
    if not isinstance(probe, Mapping):
        raise TargetError(f"{source}: probes[{index}] is not a mapping")
    for key in ("name", "kind", "verdict"):
        if not isinstance(probe.get(key), str):
            raise TargetError(f"{source}: probes[{index}] has no {key}")
    return {**_PROBE_DEFAULTS, **_given(_plain(probe))}


def _given(data: Mapping[str, Any]) -> dict[str, Any]:
    """``data`` without its nulls, whose place the defaults take."""
    return {key: value for key, value in data.items() if value is not None}


def _probe(probe: ProbeResult) -> dict[str, Any]:
    data = asdict(probe)
    if probe.ci_95 is not None and not all(map(math.isfinite, probe.ci_95)):
        data["ci_95"] = None
    # Readers of earlier versions look for the weight here.
    data["evidence"] = {"weight": probe.weight, **data["evidence"]}
    return data


def _null_stats(probe: ProbeResult) -> dict[str, Any]:
    nulls = probe.nulls
    assert nulls is not None
    return {
        "mean": nulls.mean,
        "std": nulls.sd,
        "n": float(nulls.n),
        "degenerate": float(nulls.n <= 1 or nulls.sd == 0),
    }


def _plain(value: Any) -> Any:
    """``value`` as strict JSON: NaN and infinities become null, numpy numbers numbers, tuples and sets lists.

    Anything else a plugin may have put into its evidence becomes its text: one odd object must not lose a whole run.
    """
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return value if abs(value) < _LARGEST else None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted((_plain(item) for item in value), key=str)
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    if hasattr(value, "tolist"):  # numpy scalars and arrays, without importing numpy
        return _plain(value.tolist())
    return str(value)
