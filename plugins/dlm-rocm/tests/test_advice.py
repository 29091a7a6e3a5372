"""What the doctor says about AMD GPUs, row by row, and what is refused."""

from __future__ import annotations

import dataclasses
import sys
from types import SimpleNamespace

import pytest

from dlm.hardware.capabilities import Device, processor_only
from dlm.hardware.refusals import Case, objections
from dlm.testing import only_plugins
from dlm.training.recipe import Recipe
from dlm_hf.hardware import ROCM_BF16
from dlm_rocm import for_dlm, processors, refusing
from dlm_rocm.asking import Found
from dlm_rocm.checking import remarks
from dlm_rocm.reading import Gpu
from dlm_rocm.trying import Attempt, Tried

CARD = Gpu("Radeon RX 7900 XTX", "gfx1100", 24 * 10**9)
SMALL = Gpu("AMD Radeon Graphics", "gfx1036")
HERE = Found((CARD,), "amd-smi", True, "2.9.0+rocm6.4", "6.4.43484")
FINE = Tried(("gfx90a", "gfx1030", "gfx1100"), Attempt(True, figure=3.4), Attempt(True), Attempt(True))


def never() -> Tried:
    raise AssertionError("nothing can be tried here")


def said(found, results=None):
    return [
        (one.level, f"{one.what}: {one.way_out}") for one in remarks(found, (lambda: results) if results else never)
    ]


def test_a_computer_without_amd_hears_nothing():
    assert said(Found(torch="2.13.0+cpu")) == []


def test_a_gpu_that_does_everything_is_fine():
    levels = said(HERE, FINE)
    assert [level for level, _ in levels] == ["ok", "ok"]
    assert "3.4 times as fast as fp32" in levels[0][1]


def test_another_pytorch_is_named_with_where_to_get_the_right_one():
    ((level, what),) = said(dataclasses.replace(HERE, torch="2.13.0+cpu", hip=""))
    assert level == "note"
    assert "Radeon RX 7900 XTX (gfx1100) is not used: PyTorch 2.13.0+cpu is not built for it" in what
    assert "pytorch.org" in what


def test_a_processor_s_own_graphics_are_no_reason_to_change_pytorch():
    assert said(Found((SMALL,), "kernel", True, "2.13.0+cu126")) == []


def test_without_permission_the_command_that_gives_it_is_said_and_nothing_is_tried():
    ((level, what),) = said(dataclasses.replace(HERE, openable=False))
    assert level == "note"
    assert "usermod -aG render,video" in what


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("gfx1031", "HSA_OVERRIDE_GFX_VERSION=10.3.0"),
        ("gfx1103", "HSA_OVERRIDE_GFX_VERSION=11.0.0"),
        ("gfx1151", "install a PyTorch build for gfx1151"),
        ("gfx1010", "install a PyTorch build for gfx1010"),
    ],
)
def test_a_gpu_without_kernels_may_pretend_only_to_be_what_it_is(name, wanted):
    ((level, what),) = said(dataclasses.replace(HERE, gpus=(Gpu("some card", name),)), FINE)
    assert level == "fail"
    assert wanted in what


def test_a_pretence_that_is_set_and_right_is_believed():
    found = dataclasses.replace(HERE, gpus=(Gpu("some card", "gfx1031"),), override="10.3.0")
    assert all(level == "ok" for level, _ in said(found, FINE))


@pytest.mark.parametrize("value", ["10.3.0", "9.0.0", "gfx1030", "11"])
def test_a_pretence_that_cannot_be_right_fails(value):
    found = dataclasses.replace(HERE, override=value)
    level, what = said(found, dataclasses.replace(FINE, kernels=()))[0]
    assert level == "fail"
    assert f"HSA_OVERRIDE_GFX_VERSION={value}" in what


def test_the_slow_gpu_in_front_is_pointed_out_unless_somebody_chose():
    both = dataclasses.replace(HERE, gpus=(SMALL, CARD))
    results = dataclasses.replace(FINE, kernels=())
    assert "HIP_VISIBLE_DEVICES=1 to train on Radeon RX 7900 XTX" in said(both, results)[0][1]
    assert "trained" not in str(said(dataclasses.replace(both, hidden=("HIP_VISIBLE_DEVICES=0",)), results))
    assert all(level == "ok" for level, _ in said(dataclasses.replace(HERE, gpus=(CARD, SMALL)), results))


def test_a_process_that_was_killed_is_a_failure_and_what_came_before_still_counts():
    results = Tried(("gfx1100",), Attempt(True, figure=2.0), trouble="the process that tried was ended by SIGSEGV")
    found = said(HERE, results)
    assert found[0][0] == "fail"
    assert "SIGSEGV" in found[0][1]
    assert found[1][0] == "ok"


def test_4_bit_weights_that_end_the_process_stand_only_in_qlora_s_way():
    results = dataclasses.replace(FINE, nf4=None, trouble="the process that tried was ended by SIGSEGV")
    assert [level for level, _ in said(HERE, results)] == ["note", "ok", "ok"]
    assert "`adapter: qlora` is refused there" in said(HERE, results)[0][1]


def test_wrong_and_slow_bf16_and_no_flashattention_are_told_apart():
    wrong = said(HERE, dataclasses.replace(FINE, bf16=Attempt(False, "off by 40.0%")))[0]
    slow = said(HERE, dataclasses.replace(FINE, bf16=Attempt(True, figure=0.6)))[0]
    none = said(HERE, dataclasses.replace(FINE, flash=Attempt(False, "No available kernel")))[1]
    assert (wrong[0], slow[0], none[0]) == ("fail", "note", "note")
    assert "precision: fp32" in wrong[1]
    assert "TORCH_ROCM_AOTRITON_ENABLE_EXPERIMENTAL=1" in none[1]


@pytest.fixture
def refused(monkeypatch):
    def ask(adapter, results, name="gfx1100", tier="rocm"):
        monkeypatch.setattr("dlm_rocm.trying.tried", lambda: results)
        monkeypatch.setattr(refusing, "_kernels", lambda: results.kernels)
        capabilities = dataclasses.replace(
            processor_only(), devices=(Device(tier, "some card", None, None, bf16=True, architecture=name),)
        )
        with only_plugins(for_dlm) as plugins:
            found = objections(Case(capabilities, Recipe(adapter=adapter)), plugins)
        return {one.name: (one.severity, str(one)) for one in found if one.name.startswith("rocm")}

    return ask


def test_qlora_is_refused_where_the_codes_differ(refused):
    results = dataclasses.replace(FINE, nf4=Attempt(False, "it rounds weights to other codes than a processor does"))
    severity, what = refused("qlora", results)["rocm-qlora"]
    assert severity == "refuse"
    assert "other codes than a processor" in what
    assert "adapter: lora" in what
    assert refused("lora", results) == {}


def test_qlora_is_refused_where_the_try_ended_the_process(refused):
    assert "SIGSEGV" in refused("qlora", Tried(FINE.kernels, trouble="it was ended by SIGSEGV"))["rocm-qlora"][1]


def test_qlora_that_works_is_allowed_with_a_warning_that_nobody_tested_it(refused):
    assert refused("qlora", FINE)["rocm-qlora-new"][0] == "warn"


def test_a_gpu_without_kernels_is_refused_before_it_ends_the_program(refused):
    severity, what = refused("lora", FINE, "gfx1031")["rocm-kernels"]
    assert severity == "refuse"
    assert "HSA_OVERRIDE_GFX_VERSION=10.3.0" in what
    assert "gfx90a, gfx1030, gfx1100" in what


def test_other_devices_are_nobody_s_business_here(refused):
    for tier in ("cuda", "mps", "cpu"):
        assert refused("qlora", Tried(("sm_90",)), "sm_80", tier) == {}


def test_the_backend_and_the_plugin_agree_who_multiplies_bf16():
    assert set(processors.BF16) == set(ROCM_BF16)


def test_rules_do_not_import_pytorch_themselves(monkeypatch):
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    assert refusing._kernels() == ()
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=SimpleNamespace(get_arch_list=lambda: ["gfx942"])))
    assert refusing._kernels() == ("gfx942",)
