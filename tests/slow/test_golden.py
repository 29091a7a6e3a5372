"""The golden run: the same document and seed give the same adapter, and the losses that are committed beside this file.

``python tests/slow/test_golden.py`` writes the numbers anew: after a change that is meant to change them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

GOLDEN = Path(__file__).with_name("golden.json")
STEPS = 6
# Plain rows and fp32: nothing in it depends on what this processor's bf16 units make of the base's own answers.
DOCUMENT = """---
dlm_id: 01J0000000000000000000000A
dlm_version: 15
base_model: smollm2-135m
training:
  recipe: plain
  precision: fp32
  seed: 7
---
# Handing over the lamp

The lamp stands in the cellar of the customs house. It was built by Ada Hale in 1907.

## Care

The wick is cut every 12 days. Nobody but Ines may fill it with oil.

::instruction::
### Q
Who built the lamp?
### A
Ada Hale built the lamp in 1907.

### Q
How often is the wick cut?
### Q
When does somebody cut the wick?
### A
The wick is cut every 12 days.
"""


def trained(place: Path, bases: Path, **variables: str) -> dict[str, Any]:
    """Train in a store that nobody used before: the adapter's digest, the plan's, and the losses."""
    place.mkdir(parents=True)
    (place / "bases").symlink_to(bases, target_is_directory=True)
    path = place / "lamp.dlm"
    path.write_text(DOCUMENT, encoding="utf-8")
    command = [Path(sys.executable).parent / "dlm", "train", path, "--max-steps", str(STEPS), "--no-report", "--json"]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "DLM_HOME": str(place), **variables}, timeout=900
    )
    assert done.returncode == 0, done.stderr
    folder = Path(json.loads(done.stdout)["path"])
    (log,) = place.glob("store/*/logs/*.jsonl")
    records = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    lock = json.loads((folder / "dlm.lock").read_text(encoding="utf-8"))
    return {
        "adapter": json.loads((folder / "version.json").read_text(encoding="utf-8"))["adapter_sha256"],
        "plan": lock["plan_sha256"],
        "class": lock["determinism_class"],
        "loss": [record["loss"] for record in records if record["type"] == "step"],
        "held_out": [record["held_out_loss"] for record in records if record["type"] == "evaluation"],
        "tokens": [record["tokens"] for record in records if record["type"] == "step"],
    }


@pytest.fixture(scope="module")
def first(tmp_path_factory, home, run) -> dict[str, Any]:
    run("dlm", "base", "pull", "smollm2-135m")
    return trained(tmp_path_factory.mktemp("golden") / "first", home / "bases")


@pytest.mark.slow
def test_two_fresh_stores_hold_the_same_adapter_byte_for_byte(first, tmp_path, home) -> None:
    second = trained(tmp_path / "second", home / "bases")
    if first["class"] == "strong":
        assert second == first
    else:
        assert second["plan"] == first["plan"]
        assert second["loss"] == pytest.approx(first["loss"], rel=1e-2)


@pytest.mark.slow
def test_the_losses_are_the_committed_ones(first) -> None:
    _agrees(first)


@pytest.mark.slow
def test_another_number_of_threads_gives_the_same_steps_and_losses_up_to_rounding(first, tmp_path, home) -> None:
    alone = trained(tmp_path / "alone", home / "bases", OMP_NUM_THREADS="1")
    assert alone["plan"] == first["plan"]
    _agrees(alone)


def _agrees(found: dict[str, Any]) -> None:
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    assert found["tokens"] == golden["tokens"], "other rows were drawn"
    assert found["loss"] == pytest.approx(golden["loss"], rel=1e-3)
    assert found["held_out"] == pytest.approx(golden["held_out"], rel=1e-3)


def write_anew() -> None:
    """Train once and write the numbers down."""
    import tempfile

    bases = Path(os.environ.get("DLM_HOME") or Path.home() / ".dlm") / "bases"
    with tempfile.TemporaryDirectory() as place:
        found = trained(Path(place) / "golden", bases)
    kept = {key: found[key] for key in ("tokens", "loss", "held_out")}
    GOLDEN.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write_anew()
