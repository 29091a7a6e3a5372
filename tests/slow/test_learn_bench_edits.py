"""The bench of learning retrains edited documents with the real commands, on a random base of two layers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


def bench(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    base = str(folder / "base")
    few = ["--documents", "0", "--size", "2x2", "--budget", "1000", "--recall-only", "--arms", "base", "ours"]
    return subprocess.run(
        [sys.executable, ROOT / "bench/learn.py", "--base", base, "--out", str(folder / "out.jsonl"), *few, *options],
        capture_output=True,
        text=True,
    )


def test_an_edit_is_retrained_by_the_commands_asked_about_and_not_measured_twice(tmp_path):
    subprocess.run([sys.executable, ROOT / "tools/tiny_model.py", tmp_path], check=True, capture_output=True)
    first = bench(tmp_path, "--edits", "--targets")
    assert first.returncode == 0, first.stderr
    cells = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    edits = {cell["key"]["edit"]: cell["measured"] for cell in cells if cell["key"]["arm"] == "edit"}
    assert len(edits) == 3
    *changes, deletion = edits.values()
    for change in changes:
        assert (len(change["new_said"]), len(change["others_after"]), len(change["old_said"])) == (2, 6, 8)
        assert change["seconds"] > 0
    assert len(deletion["gone_said"]) == len(deletion["gone_base"]) == 4
    again = bench(tmp_path, "--edits", "--targets")
    assert again.stdout == first.stdout
    assert (tmp_path / "out.jsonl").read_text().count("\n") == len(cells)
