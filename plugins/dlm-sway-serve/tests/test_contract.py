"""The published OpenAPI document, and requests that a machine makes up from it."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from dlm_sway_serve.openapi import document
from dlm_sway_serve.settings import Settings
from dlm_sway_serve.strict import loads

CONTRACTS = Path(__file__).parents[3] / "contracts"
OPERATIONS = [
    (method.upper(), path)
    for path, methods in json.loads((CONTRACTS / "sway-serve.openapi.json").read_text())["paths"].items()
    for method in methods
]
CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance]
PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
JSON = st.recursive(PLAIN, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10)


def test_the_published_document_is_current():
    published = json.loads((CONTRACTS / "sway-serve.openapi.json").read_text())
    assert published == document(), "run: python -m dlm_sway_serve.openapi > contracts/sway-serve.openapi.json"


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_no_made_up_request_breaks_the_server(method, path, root, manager, serving):
    with serving(Settings(root, cache=False), manager) as url:
        operation = schemathesis.openapi.from_url(f"{url}/openapi.json")[path][method]

        @given(case=operation.as_strategy() | operation.as_strategy(schemathesis.GenerationMode.NEGATIVE))
        @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
        def probe(case):
            case.call_and_validate(checks=CHECKS)

        probe()


def places(data, at=()):
    """Every place in ``data``."""
    yield at
    if isinstance(data, (dict, list)):
        for key, item in data.items() if isinstance(data, dict) else enumerate(data):
            yield from places(item, (*at, key))


def test_a_suite_with_anything_in_any_place_is_an_answer_or_a_plain_refusal(root, manager, suite, serving):
    whole = suite(
        "one",
        {"name": "nulls", "kind": "null_adapter", "runs": 3, "placebos": ["two"]},
        {"name": "a", "kind": "moved"},
        defaults={"template": "raw", "score_weights": {"adherence": 1.0}, "seed": 3},
        dlm_source="one/weights",
    )
    with serving(Settings(root, cache=False), manager) as url, httpx.Client(base_url=url, timeout=30) as http:

        @given(place=st.sampled_from([at for at in places(whole) if at]), what=JSON)
        @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
        def probe(place, what):
            changed = copy.deepcopy(whole)
            *way, last = place
            holder = changed
            for key in way:
                holder = holder[key]
            holder[last] = what
            answer = http.post("/run", json={"spec": changed})
            assert answer.status_code in (200, 400, 422), answer.text
            loads(answer.content)

        probe()


@given(JSON)
def test_strict_json_is_read_as_it_was_meant(data):
    assert loads(json.dumps(data).encode()) == data


@given(st.binary(max_size=200) | st.text('[]{}",:0123456789.eE+-tfnulINa\\ud8', max_size=60).map(str.encode))
def test_any_bytes_are_strict_json_or_a_mistake(raw):
    try:
        data = loads(raw)
    except json.JSONDecodeError:
        return
    json.dumps(data, allow_nan=False, ensure_ascii=False).encode()


def test_nothing_heavy_is_loaded_to_offer_the_command():
    code = "import sys, dlm_sway_serve, dlm_sway_serve.plugin; print(*{'fastapi','httpx','uvicorn'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
