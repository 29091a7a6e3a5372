"""Devices that only this plugin sees, and rows of the refusal matrix for AMD GPUs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlm.hardware.accelerator import Accelerator
from dlm.hardware.capabilities import Device
from dlm.hardware.refusals import Rule

from . import processors

if TYPE_CHECKING:
    from dlm.hardware.refusals import Case


def probe() -> tuple[Device, ...]:
    """The GPUs of this computer, whether or not PyTorch can use them. The doctor leaves out what the backend has."""
    from .asking import as_seen, look

    found = look()
    return tuple(
        Device(
            tier="rocm",
            name=gpu.name,
            memory=gpu.memory,
            memory_free=gpu.memory_free,
            bf16=processors.multiplies_bf16(as_seen(gpu, found)),
            architecture=gpu.architecture,
        )
        for gpu in found.gpus
    )


def _here(case: Case) -> bool:
    return case.capabilities.device.tier == "rocm"


def _without_kernels(case: Case) -> bool:
    kernels, name = _kernels(), case.capabilities.device.architecture
    return _here(case) and bool(kernels and name) and name not in kernels


def _kernels() -> tuple[str, ...]:
    """Architectures that PyTorch was built for. The backend has imported it before a rule is asked."""
    import sys

    torch = sys.modules.get("torch")
    return tuple(torch.cuda.get_arch_list()) if torch is not None else ()


def _kernels_reason(case: Case) -> str:
    device = case.capabilities.device
    return (
        f"this PyTorch has no kernels for {device.name} ({device.architecture}), so the first product on it would end "
        f"the program; it has them for {', '.join(_kernels())}"
    )


def _kernels_way_out(case: Case) -> str:
    from .checking import for_kernels

    return for_kernels(case.capabilities.device.architecture, _kernels())


def _cannot_quantise(case: Case) -> bool:
    return _here(case) and case.adapter == "qlora" and bool(_why_not())


def _why_not() -> str:
    from .trying import tried

    found = tried()
    if found.nf4 is None:
        return found.trouble or "it was not tried"
    return "" if found.nf4.works else found.nf4.words


ROCM = Accelerator(
    probe=probe,
    rules=(
        Rule("rocm-kernels", "refuse", _without_kernels, _kernels_reason, _kernels_way_out),
        Rule(
            "rocm-qlora",
            "refuse",
            _cannot_quantise,
            lambda case: (
                f"`adapter: qlora` cannot run on {case.capabilities.device.name}: 4-bit weights were tried there, and "
                f"{_why_not()}"
            ),
            lambda _: "write `adapter: lora`",
        ),
        Rule(
            "rocm-qlora-new",
            "warn",
            lambda case: _here(case) and case.adapter == "qlora" and not _cannot_quantise(case),
            lambda _: (
                "`adapter: qlora` gave the right 4-bit weights on this AMD GPU, and dlm was never tested with it there"
            ),
            lambda _: "compare the report with one of `adapter: lora`",
        ),
    ),
)
