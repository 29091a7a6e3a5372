"""The report for CI: one test case a probe.

It is valid for readers of Ant's dialect as well as Jenkins': hence the time without a zone, the host, and the two empty
elements at the end.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CHILD: Final = {"fail": "failure", "error": "error", "inconclusive": "error", "skip": "skipped"}
"""What a verdict becomes. ``inconclusive`` is an error to CI: the question was asked and has no answer."""


def render(result: dict[str, Any]) -> str:
    """``result`` as a JUnit test suite, without an XML declaration."""
    children = [_CHILD.get(probe["verdict"]) for probe in result["probes"]]
    suite = Element(
        "testsuite",
        name="sway",
        tests=str(len(children)),
        failures=str(children.count("failure")),
        errors=str(children.count("error")),
        skipped=str(children.count("skipped")),
        time=f"{result['wall_seconds']:.3f}",
        timestamp=_timestamp(result["started_at"]),
        hostname="localhost",
    )
    _properties(suite, result)
    for probe, child in zip(result["probes"], children, strict=True):
        case = SubElement(
            suite,
            "testcase",
            classname=_token(probe["kind"]),
            name=_token(probe["name"]),
            time=f"{probe['duration_s']:.3f}",
        )
        if child is not None:
            SubElement(case, child, message=_clean(probe["message"]), type=probe["verdict"])
    SubElement(suite, "system-out")
    SubElement(suite, "system-err")
    indent(suite)
    return tostring(suite, encoding="unicode") + "\n"


def _properties(suite: Element, result: dict[str, Any]) -> None:
    score = result["score"]
    values = {"overall": _number(score["overall"]), "band": score["band"], "conclusion": result["conclusion"]}
    values |= {"gate": result["gate"].get("outcome", ""), "status": result["status"]}
    values |= {f"component.{name}": _number(value) for name, value in score.get("components", {}).items()}
    properties = SubElement(suite, "properties")
    for name, value in values.items():
        SubElement(properties, "property", name=_token(name), value=_clean(value))


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _timestamp(text: str) -> str:
    """Seconds in UTC, without a zone; a result that says no time has the epoch."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = datetime.fromtimestamp(0, UTC)
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S") if at.tzinfo else f"{at:%Y-%m-%dT%H:%M:%S}"


def _token(text: str) -> str:
    """A name, without what the schemas forbid in one: breaks, and spaces around it."""
    return " ".join(_clean(text).split()) or "-"


def _clean(text: str) -> str:
    """``text`` without the characters XML has no way to write."""
    return _NOT_XML.sub("�", text)
