"""What PyTorch says of GPUs, as recorded on machines that have some."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from dlm.hardware.estimate import Estimate, Part
from dlm.hardware.refusals import Case, objections
from dlm.plugins import manager
from dlm.training.plan import Plan, Row
from dlm.training.recipe import Recipe
from dlm_hf.hardware import capabilities

H200 = SimpleNamespace(name="NVIDIA H200", major=9, minor=0, total_memory=150_123_053_056)
"""``torch.cuda.get_device_properties``; of these 150 GB, 149.5 are free of a GPU that does nothing."""
T4 = SimpleNamespace(name="Tesla T4", major=7, minor=5, total_memory=15_655_829_504)
IDLE, BUSY = 149_534_343_168, 1_200_000_000


@pytest.fixture
def gpus(monkeypatch):
    """``gpus((properties, free), ...)``: what the driver tells of each; ``free`` may be the error that it gives."""

    def go(*found) -> None:
        def free(index):
            if isinstance(found[index][1], Exception):
                raise found[index][1]
            return found[index][1], found[index][0].total_memory

        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: len(found))
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: found[0][0].major >= 8)
        monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: found[index][0])
        monkeypatch.setattr(torch.cuda, "mem_get_info", free)

    return go


def test_the_memory_of_a_gpu_is_what_its_driver_says_is_free(gpus):
    gpus((H200, IDLE), (T4, BUSY))
    found = capabilities()
    first, second, processor = found.devices
    assert (first.tier, first.architecture, first.bf16) == ("cuda", "sm_90", True)
    assert (first.memory, first.memory_free) == (150_123_053_056, IDLE)
    assert (second.architecture, second.bf16, second.memory_free) == ("sm_75", False, BUSY)
    assert processor.tier == "cpu"
    assert (found.memory_free, found.precision, found.determinism.level) == (IDLE, "bf16", "best_effort")


def test_a_gpu_that_others_have_taken_has_no_memory_free(gpus):
    gpus((T4, torch.AcceleratorError("CUDA error: CUDA-capable device(s) is/are busy or unavailable")))
    found = capabilities()
    assert (found.devices[0].memory, found.memory_free, found.precision) == (15_655_829_504, 0, "fp32")


@pytest.mark.parametrize(
    ("free", "peak", "least", "said"),
    [(IDLE, 40e9, 20e9, []), (BUSY, 1.1e9, 1e9, []), (BUSY, 2e9, 1e9, ["passes"]), (BUSY, 4e9, 3e9, ["memory"])],
)
def test_a_plan_is_held_against_what_the_gpu_has_free(gpus, free, peak, least, said):
    gpus((H200, free))
    estimate = Estimate((Part("layers", int(peak), "so many"),), int(least), 4, 300, 100)
    plan = Plan(Recipe(), (), (Row(0, 100, 50),), (), ((0,),), 0, 0, 1, 0)
    case = Case(capabilities(), Recipe(), plan=plan, estimate=estimate)
    assert [one.name for one in objections(case, manager()) if one.name in ("memory", "passes")] == said
