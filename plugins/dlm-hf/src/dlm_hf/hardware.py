"""What PyTorch finds here: devices, the precision it trains in, and how far its results can be had again."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

import torch

from dlm.hardware.capabilities import Capabilities, Determinism, Device, Lacking, cpu_device
from dlm.hardware.machine import Machine, machine

from .model import NAMES, cpu_has_bf16, pick_device, pick_dtype

LIBRARIES = ("torch", "transformers", "peft", "tokenizers", "safetensors", "accelerate", "bitsandbytes")
ROCM_BF16 = ("gfx90a", "gfx94", "gfx95", "gfx11", "gfx12")
"""Beginnings of the names of AMD processors with bf16 products."""


def capabilities() -> Capabilities:
    """This machine, as training here would use it."""
    here = machine()
    devices = (*_accelerators(here), _processor(here))
    chosen = pick_device()
    return Capabilities(
        machine=here,
        devices=devices,
        precision=NAMES[pick_dtype("auto", chosen, scoring=False)],
        threads=torch.get_num_threads(),
        determinism=_determinism(devices[0]),
        libraries=_libraries(),
        lacking=tuple(_lacking(devices)),
    )


def _accelerators(here: Machine) -> list[Device]:
    if torch.cuda.is_available():
        return [_gpu(index) for index in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        return [Device("mps", f"GPU of {here.processor}", None, here.memory_free, bf16=False)]
    return []


def _gpu(index: int) -> Device:
    total, free = _gpu_memory(index)
    found = torch.cuda.get_device_properties(index)
    if torch.version.hip:
        architecture = str(getattr(found, "gcnArchName", "")).partition(":")[0]
        return Device("rocm", found.name, total, free, architecture.startswith(ROCM_BF16), architecture)
    return Device("cuda", found.name, total, free, found.major >= 8, f"sm_{found.major}{found.minor}")


def _gpu_memory(index: int) -> tuple[int | None, int | None]:
    """Bytes in all and bytes free; a GPU that others have filled, or taken for themselves, does not even say."""
    try:
        free, total = torch.cuda.mem_get_info(index)
    except RuntimeError:
        return torch.cuda.get_device_properties(index).total_memory, 0
    return total, free


def _processor(here: Machine) -> Device:
    # The library knows better than the system's list of flags which units its own products use.
    found = cpu_device(here)
    return Device(found.tier, found.name, None, found.memory_free, cpu_has_bf16())


def _determinism(device: Device) -> Determinism:
    if device.tier == "cpu":
        threads = torch.get_num_threads()
        return Determinism(
            "strict",
            f"on a processor of this kind the same libraries and {threads} thread{'s' if threads != 1 else ''} give "
            "the same bytes; another number of threads adds up in another order",
        )
    if device.tier == "mps":
        return Determinism("loose", "Metal promises no order of its sums, and its kernels change with the system")
    return Determinism(
        "best_effort",
        "sums run in no fixed order in some GPU kernels: the same document and seed give the same adapter up to "
        "rounding",
    )


def _libraries() -> dict[str, str]:
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _lacking(devices: tuple[Device, ...]) -> list[Lacking]:
    built = torch.version.cuda or torch.version.hip
    if devices[0].tier == "cpu" and not built:
        return [
            Lacking(
                "this PyTorch is built for processors only",
                "where there is a GPU, install a build for it: https://pytorch.org/get-started/locally/",
            )
        ]
    if devices[0].tier == "cpu":
        return [
            Lacking(
                f"this PyTorch is built for {'ROCm' if torch.version.hip else 'CUDA'} {built}, and finds no GPU",
                "if there is one, check its driver (`nvidia-smi`, `rocm-smi`) and CUDA_VISIBLE_DEVICES",
            )
        ]
    return []
