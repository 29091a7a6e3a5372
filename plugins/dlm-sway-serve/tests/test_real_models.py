"""The real backend behind the server: the same result as the command line gives."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from dlm_sway.plugins import manager
from dlm_sway_serve import ServeClient
from dlm_sway_serve.settings import Settings

ROOT = Path(__file__).parents[3]
SUITE = """\
version: 1
models:
  base: {kind: hf, base: ./base}
  ft: {kind: hf, base: ./base, adapter: ./adapter}
suite:
  - {name: random, kind: null_adapter, runs: 19}
  - {name: sound, kind: integrity}
  - {name: moved, kind: delta_kl, prompts: [hello, good morning, what is new ?]}
"""


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_run_score_and_the_command_line_agree_on_a_real_model(tmp_path, serving):
    subprocess.run([sys.executable, ROOT / "tools" / "tiny_model.py", tmp_path], check=True, capture_output=True)
    suite, out = tmp_path / "sway.yaml", tmp_path / "result.json"
    suite.write_text(SUITE)
    command = [sys.executable, "-m", "dlm_sway", "run", str(suite), "--no-cache", "--json", str(out)]
    subprocess.run(command, check=True, capture_output=True)
    alone = json.loads(out.read_text())
    with serving(Settings(tmp_path.resolve(), cache=False), manager()) as url, ServeClient(url) as client:
        runs = [client.run(suite) for _ in range(2)]
        (scored,) = client.score(suite, ["moved"])["probes"]
        (loaded,) = client.health()["loaded_models"]
        assert client.stats()["loads"] == 1
    assert (loaded["dtype"], loaded["adapter"]) == ("fp32", str(tmp_path.resolve() / "adapter"))
    for key in ("conclusion", "gate", "score"):
        assert [run[key] for run in runs] == [alone[key]] * 2
    for run in runs:
        assert run["provenance"]["versions"] == alone["provenance"]["versions"]
    for probe in (*runs[0]["probes"], *runs[1]["probes"], *alone["probes"], scored):
        probe.pop("duration_s")
    assert runs[0]["probes"] == runs[1]["probes"] == alone["probes"]
    assert scored == alone["probes"][2]
