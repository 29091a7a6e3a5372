"""Weights that are not numbers never look like a pass."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlm_sway._plugkit.plugins import PluginManager
from dlm_sway.report.document import to_dict
from dlm_sway.suite.preflight import NAME
from dlm_sway.suite.run import run
from dlm_sway.testing import ClosedForm

Write = Callable[..., Path]
ROWS = """\
    - {name: i, kind: integrity}
    - {name: n, kind: null_adapter, runs: 3}
    - {name: a, kind: moved}
    - {name: r, kind: say}
    """


def broken(which: str) -> ClosedForm:
    model = ClosedForm(direction="random", size=4.0)
    table = model._update if which == "adapter" else model._base
    table[:] = np.full_like(table, math.nan)
    return model


@pytest.mark.parametrize(
    ("which", "said"), [("adapter", "the adapted model's outputs"), ("base", "the base model's own")]
)
def test_nan_weights_are_an_error_and_the_gate_fails_even_at_threshold_0(
    which: str, said: str, suite_file: Write, manager: PluginManager
) -> None:
    result = run(suite_file(ROWS), backend=broken(which), threshold=0.0, manager=manager)
    first, *others = result.probes
    assert (first.name, first.verdict, first.kind) == (NAME, "error", "preflight")
    assert said in first.message
    assert first.evidence["preflight_reason"] in first.message
    verdicts = {one.name: one.verdict for one in others}
    assert (verdicts["n"], verdicts["a"], verdicts["r"]) == ("skip", "skip", "pass")
    assert to_dict(result)["gate"]["exit_code"] == 1


def test_reading_the_adapters_file_still_names_the_modules(suite_file: Write, manager: PluginManager) -> None:
    result = run(suite_file(ROWS), backend=broken("adapter"), manager=manager)
    integrity = next(one for one in result.probes if one.kind == "integrity")
    assert integrity.verdict == "fail"
    assert "NaN or infinite, in table" in integrity.message
    assert result.conclusion == "broken"


def test_a_model_that_answers_gets_no_extra_result(suite_file: Write, manager: PluginManager) -> None:
    assert [one.name for one in run(suite_file(ROWS), manager=manager).probes] == ["i", "n", "a", "r"]


def test_a_suite_that_asks_no_model_loads_none(suite_file: Write, manager: PluginManager) -> None:
    result = run(suite_file("- {name: r, kind: say}\n", kind="missing"), manager=manager)
    assert [one.verdict for one in result.probes] == ["pass"]
    facts: Any = result.provenance
    assert facts["backend"] == {"backend": "none"}
