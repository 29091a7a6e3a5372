"""The tries run for real on the processor, and a process that dies is understood."""

from __future__ import annotations

import json
import sys

import pytest

from dlm_rocm import trying
from dlm_rocm.trying import Attempt, tried, understood


def test_everything_is_tried_in_a_process_of_its_own():
    found = tried("cpu")
    assert found.trouble == ""
    assert found.bf16 == Attempt(True)
    assert found.nf4 is not None
    assert found.nf4.works
    assert found.flash is not None


def test_a_device_that_is_not_there_is_said_in_the_library_s_words():
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    found = tried("cuda:7")
    assert found.bf16 is not None
    assert not found.bf16.works
    assert found.bf16.words


def test_wrong_products_are_noticed(monkeypatch):
    import torch

    real = torch.nn.functional.scaled_dot_product_attention
    calls = []

    def off(*given, **options):
        calls.append(given)
        return real(*given, **options) * (1.0 if len(calls) % 2 else 1.2)

    monkeypatch.setattr(torch.nn.functional, "scaled_dot_product_attention", off)
    monkeypatch.setattr("torch.nn.attention.sdpa_kernel", lambda _: __import__("contextlib").nullcontext())
    found = trying.attempt(trying.flash, "cpu")
    assert not found["works"]
    assert "wrong products" in found["words"]


def test_other_codes_than_the_processor_s_are_noticed(monkeypatch):
    import importlib

    functional = importlib.import_module("bitsandbytes.functional")
    real = functional.quantize_4bit

    def other(weight, **options):
        return real(-weight if weight.device.type == "meta" else weight.flip(0), **options)

    calls = iter([real, other])
    monkeypatch.setattr(functional, "quantize_4bit", lambda *given, **options: next(calls)(*given, **options))
    assert "other codes" in trying.attempt(trying.nf4, "cpu")["words"]


def test_a_killed_process_leaves_what_it_had_found_and_what_it_was_at():
    lines = [
        {"kernels": ["gfx1100"], "next": "bf16"},
        {"bf16": {"works": True, "figure": 2.5}, "next": "flash"},
    ]
    found = understood(-11, "\n".join(map(json.dumps, lines)), "Memory access fault by GPU node-1")
    assert found.bf16 == Attempt(True, figure=2.5)
    assert found.flash is None
    assert found.trouble == "the process that tried was ended by SIGSEGV while it tried flash"


def test_a_process_that_fails_says_its_last_line():
    found = understood(1, "", "Traceback ...\nModuleNotFoundError: No module named 'torch'\n")
    assert found.trouble == "the process that tried failed: ModuleNotFoundError: No module named 'torch'"


def test_a_process_that_hangs_is_left(monkeypatch):
    monkeypatch.setattr(trying, "SECONDS", 0.01)
    trying.tried.cache_clear()
    try:
        assert "no answer" in trying.tried("cpu").trouble
    finally:
        trying.tried.cache_clear()


def test_describing_loads_nothing_heavy():
    import subprocess

    code = (
        "import sys, dlm_rocm.for_dlm, dlm_rocm.refusing, dlm_rocm.checking;"
        "print([name for name in ('torch', 'transformers', 'bitsandbytes', 'pydantic') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
