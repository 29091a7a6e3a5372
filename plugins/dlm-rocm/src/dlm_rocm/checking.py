"""What the doctor says about AMD GPUs: nothing where there are none, and no PyTorch for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlm.hardware.accelerator import Remark

from . import processors
from .asking import OVERRIDE, as_seen, look
from .trying import tried

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from dlm.document import Document

    from .asking import Found
    from .reading import Gpu
    from .trying import Tried

GET_TORCH = "install the build for ROCm: https://pytorch.org/get-started/locally/"
EXPERIMENTAL = "TORCH_ROCM_AOTRITON_ENABLE_EXPERIMENTAL=1"
"""Lets PyTorch use attention kernels on GPUs that they are not released for."""


def check(_home: Path, _document: Document | None) -> Iterator[Remark]:
    """The target of the entry. Tries the GPU where PyTorch is built for it, which takes seconds."""
    yield from remarks(look(), tried)


def remarks(found: Found, try_out: Callable[[], Tried]) -> Iterator[Remark]:
    """Everything worth saying about ``found``; ``try_out`` is called where something can run at all."""
    if not found.gpus:
        if found.hip and found.openable is False:
            yield _no_permission("an AMD GPU")
        return
    yield from _override(found)
    if not found.hip:
        yield from _without_rocm(found)
    elif found.openable is False:
        yield _no_permission(found.gpus[0].name)
    else:
        yield from _order(found)
        yield from _trial(found, try_out())


def _without_rocm(found: Found) -> Iterator[Remark]:
    worth = [gpu for gpu in found.gpus if processors.worth_it(gpu.architecture)]
    if worth and found.torch:
        yield Remark("note", f"{_called(worth[0])} is not used: PyTorch {found.torch} is not built for it", GET_TORCH)
    elif worth:
        yield Remark("note", f"{_called(worth[0])} is not used: there is no PyTorch here", GET_TORCH)


def _no_permission(name: str) -> Remark:
    return Remark(
        "note",
        f"{name} cannot be used: you may not open /dev/kfd",
        "run `sudo usermod -aG render,video $USER` and log in again; in a container add "
        "--device=/dev/kfd --device=/dev/dri",
    )


def _override(found: Found) -> Iterator[Remark]:
    if not found.override:
        return
    pretended = processors.behind(found.override)
    if not pretended:
        what = f"{OVERRIDE}={found.override} is no version of an architecture"
        yield Remark("fail", what, f"remove it, or write three numbers: {OVERRIDE}=10.3.0")
        return
    for gpu in found.gpus:
        if gpu.architecture and not processors.may_pretend(gpu.architecture, pretended):
            yield Remark(
                "fail",
                f"{OVERRIDE}={found.override} lets {_called(gpu)} run kernels of {pretended}, which has other "
                "instructions: programs end or give wrong numbers",
                f"`unset {OVERRIDE}`, or leave that GPU out with HIP_VISIBLE_DEVICES",
            )


def _order(found: Found) -> Iterator[Remark]:
    """The first one trains, and where a processor has graphics of its own that is often the slow one."""
    names = [gpu.architecture for gpu in found.gpus]
    better = next((at for at, name in enumerate(names) if name and processors.worth_it(name)), None)
    if better and not processors.worth_it(names[0]) and not found.hidden:
        yield Remark(
            "note",
            f"training takes the first GPU, {_called(found.gpus[0])}, which is part of the processor",
            f"set HIP_VISIBLE_DEVICES={better} to train on {found.gpus[better].name}",
        )


def _trial(found: Found, results: Tried) -> Iterator[Remark]:
    gpu = found.gpus[0]
    seen = as_seen(gpu, found)
    if results.kernels and seen and seen not in results.kernels:
        what = f"PyTorch {found.torch} has no kernels for {_called(gpu)}"
        yield Remark("fail", what, for_kernels(seen, results.kernels))
        return
    if results.trouble:
        yield _trouble(found, results)
    if (attempt := results.bf16) is not None:
        yield _bf16(gpu, attempt.works, attempt.words, attempt.figure)
    if (attempt := results.flash) is not None:
        yield _flash(attempt.works, attempt.words)


def _trouble(found: Found, results: Tried) -> Remark:
    called = _called(found.gpus[0])
    if results.bf16 is not None and results.flash is not None:
        what = f"4-bit weights were tried on {called}, and {results.trouble}"
        return Remark("note", what, "`adapter: qlora` is refused there, `adapter: lora` is not")
    hidden = f"; {', '.join(found.hidden)} is set" if found.hidden else ""
    return Remark("fail", f"{called} was tried, and {results.trouble}{hidden}", _look_again(found))


def _bf16(gpu: Gpu, works: bool, words: str, faster: float | None) -> Remark:
    if not works:
        return Remark("fail", f"bf16 on {gpu.name}: {words}", "write training.precision: fp32, or update ROCm")
    if faster is not None and faster < 1:
        return Remark(
            "note",
            f"bf16 on {gpu.name} gives right products, {faster:.1f} times as fast as fp32",
            "training.precision: fp32 is faster where the base fits",
        )
    return Remark(
        "ok", f"bf16 on {gpu.name} gives right products{f', {faster:.1f} times as fast as fp32' if faster else ''}"
    )


def _flash(works: bool, words: str) -> Remark:
    if works:
        return Remark("ok", "PyTorch's FlashAttention kernel gives right products")
    what = f"no FlashAttention ({words}): attention keeps a table of all pairs of tokens"
    return Remark("note", what, f"try {EXPERIMENTAL}, or lower training.sequence_len")


def for_kernels(name: str, kernels: tuple[str, ...]) -> str:
    """What to do where PyTorch was not built for ``name``."""
    other = processors.stand_in(name, kernels)
    if other:
        version = processors.version(other)
        return (
            f"it runs those of {other}: set {OVERRIDE}={version}, on Linux and with ROCm up to 7.2; with a later one "
            f"install a build for {name}"
        )
    return f"install a PyTorch build for {name}, or train on the processor: HIP_VISIBLE_DEVICES=-1"


def _look_again(found: Found) -> str:
    if found.override:
        return f"try again without it: `unset {OVERRIDE}`"
    return "see what `rocminfo` says, and whether PyTorch was built for the ROCm of this computer"


def _called(gpu: Gpu) -> str:
    return gpu.name if gpu.architecture in gpu.name else f"{gpu.name} ({gpu.architecture})"
