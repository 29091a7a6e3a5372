"""The golden documents in ``contracts/`` are read exactly as the JSON beside them says."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from dlm.document import Pair, parse, probes, read, records
from dlm.document.formats import Triple
from dlm.document.mapping import read_mapping
from dlm.document.schema import schema
from dlm.errors import DocumentError

CONTRACTS = Path(__file__).parents[3] / "contracts"
GOLDEN = sorted((CONTRACTS / "golden" / "document").glob("*.dlm"))


def as_data(path: Path) -> dict[str, Any]:
    """What the JSON beside a golden document holds."""
    try:
        document = parse(path.read_bytes().decode(), path.name)
    except DocumentError as error:
        return {"findings": [list(finding)[1:] for finding in error.findings]}
    return {
        "title": document.title,
        "digest": document.digest,
        "frontmatter": document.frontmatter.model_dump(mode="json", exclude_unset=True),
        "sections": [
            {
                "type": section.type,
                "id": section.id,
                "line": section.line,
                "adapter": section.adapter,
                "attributes": dict(section.attributes),
                "provenance": dict(section.provenance),
                "weight": section.weight,
                "content": section.content,
                "pairs": [_pair(item) for item in section.body if isinstance(item, Pair)],
                "triples": [asdict(item) for item in section.body if isinstance(item, Triple)],
            }
            for section in document.sections
        ],
        "records": [
            {
                "kind": r.kind,
                "group": r.group,
                "title": r.title,
                "text": r.text,
                "weight": r.weight,
                "messages": [list(m) for m in r.messages],
            }
            for r in records(document)
        ],
        "probes": [{"id": probe.id, "section_id": probe.section_id} for probe in probes(document)],
    }


def _pair(pair: Pair) -> dict[str, Any]:
    before = [list(turns) for turns in pair.before]
    data = {"id": pair.id, "questions": list(pair.questions), "answer": pair.answer, "before": before}
    return data | {"probe": pair.probe, "line": pair.line}


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.name)
def test_a_golden_document_is_read_as_its_json_says(path: Path) -> None:
    assert as_data(path) == json.loads(path.with_suffix(".json").read_text("utf-8"))


def test_line_ends_a_byte_order_mark_and_trailing_blanks_change_nothing_but_bytes() -> None:
    plain, crlf = (CONTRACTS / "golden" / "document" / name for name in ("plain.dlm", "crlf.dlm"))
    assert plain.read_bytes() != crlf.read_bytes()
    assert b"\r\n" in crlf.read_bytes()
    assert b"  \t\r\n" in crlf.read_bytes()
    assert read(plain).digest == read(crlf).digest
    assert [section.id for section in read(plain).sections] == [section.id for section in read(crlf).sections]
    assert [probe.id for probe in probes(read(plain))] == [probe.id for probe in probes(read(crlf))]


@pytest.mark.parametrize("name", ["broken", "broken-adapters"])
def test_every_mistake_of_a_broken_document_is_found_in_one_pass_and_placed(name: str) -> None:
    found = as_data(CONTRACTS / "golden" / "document" / f"{name}.dlm")["findings"]
    text = (CONTRACTS / "golden" / "document" / f"{name}.dlm").read_text("utf-8").split("\n")
    assert all(col <= len(text[line - 1]) + 1 for line, col, *_ in found)
    assert all(fix for *_, fix in found)
    assert len(found) >= {"broken": 54, "broken-adapters": 9}[name]


def test_the_json_schema_in_contracts_is_the_models() -> None:
    stored = json.loads((CONTRACTS / "dlm-frontmatter.schema.json").read_text("utf-8"))
    assert stored == json.loads(schema()), "run: python -m dlm.document.schema > contracts/dlm-frontmatter.schema.json"


@pytest.mark.parametrize("name", ["plain", "code", "routed", "conversation", *(f"version-{n}" for n in range(2, 16))])
def test_the_json_schema_accepts_the_golden_frontmatter(name: str) -> None:
    text = (CONTRACTS / "golden" / "document" / f"{name}.dlm").read_text("utf-8").split("---\n")[1]
    found = read_mapping(text, 2, lambda *finding: pytest.fail(str(finding)))
    assert found is not None
    jsonschema.validate(found[0], json.loads(schema()))


def test_the_json_schema_rejects_what_the_reader_rejects() -> None:
    base = {"dlm_id": "01M81FN4JAC853MSGR8B0PH69S", "base_model": "x"}
    for wrong in ({"dlm_id": "z"}, {"training": {"lora_r": 0}}, {"nope": 1}, {"training": {"micro_batch_size": 0}}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(base | wrong, json.loads(schema()))


def test_the_example_in_the_reference_is_a_document() -> None:
    page = (CONTRACTS.parent / "docs" / "reference" / "document.md").read_text("utf-8")
    example = parse(page.split("\n```\n")[1])
    assert (example.title, len(list(records(example))), len(probes(example))) == ("Heron manual", 4, 1)
