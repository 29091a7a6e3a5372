"""Rows of the refusal matrix about ``adapter: qlora``. The library is asked only where a document wants it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from dlm.hardware.accelerator import Accelerator
from dlm.hardware.refusals import Rule

if TYPE_CHECKING:
    from dlm.hardware.refusals import Case

DEVICES = {"cuda": "cuda", "rocm": "cuda", "mps": "mps", "cpu": "cpu"}
"""How PyTorch calls the tiers."""


def _wanted(case: Case) -> bool:
    return case.adapter == "qlora"


def _why_not(case: Case) -> str:
    from .nf4 import trouble

    return trouble(DEVICES[case.capabilities.device.tier])


def _cannot(case: Case) -> bool:
    return _wanted(case) and bool(_why_not(case))


def _quantised_already(case: Case) -> bool:
    return _wanted(case) and bool(_method(case))


def _method(case: Case) -> str:
    """By what the base's own files are quantised; empty where they are not."""
    if case.base is None:
        return ""
    try:
        said = json.loads((case.base.path / "config.json").read_text("utf-8"))
    except (OSError, ValueError):
        return ""
    found = said.get("quantization_config") if isinstance(said, dict) else None
    return str(found.get("quant_method") or "some method") if isinstance(found, dict) else ""


def _on_processor(case: Case) -> bool:
    return _wanted(case) and case.capabilities.device.tier == "cpu" and not _cannot(case)


QLORA = Accelerator(
    rules=(
        Rule(
            "qlora",
            "refuse",
            _cannot,
            lambda case: f"`adapter: qlora` cannot run here: {_why_not(case)}",
            lambda _: "or write `adapter: lora`",
        ),
        Rule(
            "quantised",
            "refuse",
            _quantised_already,
            lambda case: (
                f"`adapter: qlora` would round the base's weights, and {case.base.key if case.base else 'the base'} "
                f"was quantised already ({_method(case)})"
            ),
            lambda _: "name a base in full precision, or write `adapter: lora`",
        ),
        Rule(
            "qlora-cpu",
            "warn",
            _on_processor,
            lambda _: "on a processor `adapter: qlora` saves memory, not time: weights are widened for every product",
            lambda _: "where the base fits, `adapter: lora` is faster",
        ),
    )
)
