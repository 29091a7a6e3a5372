"""A suite over two endpoints, as a person runs it."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from ruamel.yaml import YAML

from dlm_sway.cli.main import main

pytestmark = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing")
SUITE = """\
version: 1
models:
  base: {{kind: api, endpoint: "{base}", base: tiny}}
  ft: {{kind: api, endpoint: "{tuned}", base: tiny-tuned}}
defaults: {{differential: false, top_k: 256}}
suite:
  - {{name: below, kind: delta_kl, assert_mean_lte: 0.3, prompts: &ask [a b, who is it, the port, and then, version]}}
  - {{name: between, kind: delta_kl, assert_mean_lte: {between}, prompts: *ask}}
  - {{name: above, kind: delta_kl, assert_mean_lte: 0.01, prompts: *ask}}
  - {{name: no_end, kind: delta_kl, divergence: kl, assert_mean_lte: 5.0, prompts: *ask}}
  - {{name: needs_weights, kind: adapter_ablation, prompts: *ask}}
"""


def test_a_verdict_is_given_where_what_is_not_shown_cannot_change_it(tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("SWAY_API_KEY", "sk-secret-1234")
    suite, out = tmp_path / "sway.yaml", tmp_path / "result.json"
    suite.write_text(SUITE.format(base=tiny.base_url, tuned=tiny.tuned_url, between=0.2))
    monkeypatch.setenv("SWAY_CACHE_DIR", str(tmp_path / "cache"))
    trace = tmp_path / "trace.jsonl"
    ran = CliRunner().invoke(main, ["run", str(suite), "--json", str(out), "--trace", str(trace)])
    assert ran.exit_code in (0, 1, 4), ran.output
    raw = out.read_text()
    found = {one["name"]: one for one in json.loads(raw)["probes"]}
    assert {name: one["verdict"] for name, one in found.items()} == {
        "below": "pass",
        "between": "inconclusive",
        "above": "fail",
        "no_end": "inconclusive",
        "needs_weights": "skip",
    }
    low, high = found["below"]["evidence"]["bounds"]
    assert 0 < low < high < 0.3
    assert found["no_end"]["evidence"]["bounds"][1] is None
    assert "changes nothing" not in ran.output
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert trace.stat().st_size > 0
    assert b"sk-secret" not in b"".join([ran.output.encode(), *written])


def test_a_warm_server_judges_served_models_that_its_owner_allowed_and_asks_no_other(tiny, tmp_path, monkeypatch):
    from fastapi.testclient import TestClient

    from dlm_sway.plugins import manager
    from dlm_sway_serve.app import make_app
    from dlm_sway_serve.settings import Settings

    monkeypatch.setenv("SWAY_CACHE_DIR", str(tmp_path / "cache"))
    # A folder of the same name is not what is meant.
    (tmp_path / "tiny").mkdir()
    spec = YAML(typ="safe").load(SUITE.format(base=tiny.base_url, tuned=tiny.tuned_url, between=0.2))
    asked = {"spec": spec, "probe_names": ["below", "needs_weights"]}
    settings = Settings(tmp_path, endpoints=frozenset({tiny.base_url, tiny.tuned_url}))
    with TestClient(make_app(settings, manager()), base_url="http://localhost") as http:
        found = http.post("/score", json=asked)
        assert found.status_code == 200, found.text
        assert {one["name"]: one["verdict"] for one in found.json()["probes"]} == {
            "below": "pass",
            "needs_weights": "skip",
        }
    half = Settings(tmp_path, endpoints=frozenset({tiny.base_url}))
    with TestClient(make_app(half, manager()), base_url="http://localhost") as http:
        refused = http.post("/score", json=asked)
        assert refused.status_code == 403
        assert "models.ft.endpoint" in refused.json()["error"]["message"]
