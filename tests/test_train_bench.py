"""What the bench of training speed makes of its measurements; the loops themselves take minutes."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

FILE = Path(__file__).parent.parent / "bench" / "train_vs_trl.py"


@pytest.fixture(scope="module")
def bench():
    spec = importlib.util.spec_from_file_location("train_vs_trl", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def measured(rate, peak=1500, **more):
    return {"precision": "bf16", "tokens": 1000, "seconds": 9.5, "tokens_per_sec": rate, "peak_mb": peak, **more}


def test_the_first_step_is_not_timed(bench):
    found = bench._rates([10.0, 12.0, 15.0], [900, 40, 60])
    assert (found["tokens"], found["seconds"], found["tokens_per_sec"]) == (100, 5.0, 20.0)
    with pytest.raises(SystemExit, match="--steps 2"):
        bench._rates([10.0], [900])


def test_the_floor_is_compared_with_what_dlm_computes_and_trl_with_its_rows(bench):
    found = {
        "dlm": measured(400.0, peak=1700, computed_per_sec=290.0),
        "trl": measured(130.0, peak=1600),
        "trl-equal": measured(300.0),
        "floor": measured(350.0),
    }
    assert bench.ratios(found) == {"trl": 3.08, "trl-equal": 1.33, "floor": 0.83}
    table = bench.table(found)
    assert "3.08 x, met 3.0" in table
    assert "1.33 x, missed 1.5" in table
    assert "0.83 x, met 0.8" in table
    assert "dlm 1,700 MB, TRL 1,600 MB (missed" in table
    assert max(map(len, table.splitlines())) <= 80
