"""The report for code scanning: SARIF 2.1.0. What somebody must look at is a result, the rest stands in its properties.

Viewers show every result as an alert, whatever its ``kind``, so an entry that passed is none.
"""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import PurePath, PurePosixPath
from typing import Any, Final
from urllib.parse import quote

from .format import alarming

_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS: Final = {"fail": "error", "error": "error", "inconclusive": "warning", "warn": "warning", "skip": "note"}
_SUITES: Final = (".yaml", ".yml", ".json")


def render(result: dict[str, Any]) -> str:
    """``result`` as a SARIF log with one run."""
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [_run(result)]}
    return json.dumps(log, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _run(result: dict[str, Any]) -> dict[str, Any]:
    kinds = sorted({probe["kind"] for probe in result["probes"]})
    driver = {"name": "sway", "rules": [_rule(kind) for kind in kinds]}
    if result["sway_version"]:
        driver["version"] = result["sway_version"]
    return {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(result)],
        "results": [_result(probe, kinds, result) for probe in result["probes"] if alarming(probe)],
        "properties": {
            "conclusion": result["conclusion"],
            "gate": result["gate"].get("outcome", ""),
            "overall": result["score"]["overall"],
            "status": result["status"],
            "verdicts": {probe["name"]: probe["verdict"] for probe in result["probes"]},
        },
    }


def _invocation(result: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"executionSuccessful": result["status"] == "finished"}
    if isinstance(code := result["gate"].get("exit_code"), int):
        found["exitCode"] = code
    return found


def _rule(kind: str) -> dict[str, Any]:
    text = f"The probe {kind} of sway."
    return {
        "id": kind,
        "name": kind,
        "shortDescription": {"text": text},
        "help": {"text": f"{text} `sway list-probes` says what each probe asks."},
    }


def _result(probe: dict[str, Any], kinds: list[str], result: dict[str, Any]) -> dict[str, Any]:
    name, verdict = probe["name"], probe["verdict"]
    return {
        "ruleId": probe["kind"],
        "ruleIndex": kinds.index(probe["kind"]),
        "level": _LEVELS.get(verdict, "warning"),
        "message": {"text": f"{name}: {verdict}: {probe['message']}".rstrip(": ")},
        "locations": [_location(name, result["spec_path"])],
        # One entry of one suite stays the same alert, whatever its numbers are.
        "partialFingerprints": {"swayEntry/v1": sha256(f"{probe['kind']}\n{name}".encode()).hexdigest()},
        "properties": {"verdict": verdict},
    }


def _location(name: str, spec_path: str) -> dict[str, Any]:
    found: dict[str, Any] = {"logicalLocations": [{"name": name, "kind": "member"}]}
    if spec_path.lower().endswith(_SUITES):
        found["physicalLocation"] = {
            "artifactLocation": {"uri": _uri(spec_path)},
            "region": {"startLine": 1},
        }
    return found


def _uri(path: str) -> str:
    """A relative path stays one: viewers look for it in the repository."""
    pure = PurePath(path)
    if pure.is_absolute():
        return pure.as_uri()
    return quote(str(PurePosixPath(*pure.parts)), safe="/")
