"""Small products on a GPU, in a process of their own: kernels built for another GPU may end the process that runs them.

``python -m dlm_rocm.trying cuda:0`` prints one line of JSON. :func:`tried` runs that and reads it.
"""

from __future__ import annotations

import importlib
import json
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS = 180.0
"""That all tries together may take; the first kernel of a process is compiled or read from a large file."""
SIZE = 256
"""Rows and columns of the products that are checked."""
LARGE = 2048
"""And of those that are timed, on a GPU."""
ROUNDS = 10
NEAR = 0.02
"""How far a product in bf16 may lie from the same in fp32, as a share of its largest value: bf16 has 8 bits."""


@dataclass(frozen=True)
class Attempt:
    """One thing that was tried."""

    works: bool
    words: str = ""
    """Of the library, where it does not."""
    figure: float | None = None
    """bf16: how many times as fast as fp32."""


@dataclass(frozen=True)
class Tried:
    """All of them on one device."""

    kernels: tuple[str, ...] = ()
    """Architectures that PyTorch was built for."""
    bf16: Attempt | None = None
    flash: Attempt | None = None
    nf4: Attempt | None = None
    trouble: str = ""
    """Why nothing more is known: the process ended, or PyTorch cannot be imported."""


@cache
def tried(device: str = "cuda:0") -> Tried:
    """What runs on ``device``. Takes seconds, once a process."""
    command = [sys.executable, "-m", "dlm_rocm.trying", device]
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return Tried(trouble=f"it gave no answer in {SECONDS:.0f} s")
    return understood(done.returncode, done.stdout, done.stderr)


def understood(code: int, printed: str, complained: str) -> Tried:
    """What the process said before it ended: a line after each try, so that the last one is known when it is killed."""
    found: dict[str, Any] = {}
    for line in printed.splitlines():
        if line.startswith("{"):
            found |= json.loads(line)
    attempts = {name: Attempt(**found[name]) for name in ("bf16", "flash", "nf4") if name in found}
    return Tried(tuple(found.get("kernels", ())), **attempts, trouble=_trouble(code, complained, found))


def _trouble(code: int, complained: str, found: dict[str, Any]) -> str:
    if code == 0:
        return ""
    doing = f" while it tried {found['next']}" if "next" in found else ""
    if code < 0:
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        return f"the process that tried was ended by {name}{doing}"
    last = next((line for line in reversed(complained.splitlines()) if line.strip()), f"exit code {code}")
    return f"the process that tried failed{doing}: {last.strip()}"


def main(device: str) -> None:
    """Try everything and print what came of it."""
    import torch

    _say({"kernels": torch.cuda.get_arch_list(), "next": "bf16"})
    tries: dict[str, Callable[[str], float | None]] = {"bf16": bf16, "flash": flash, "nf4": nf4}
    names = [*tries, ""]
    for name, following in zip(tries, names[1:], strict=True):
        _say({name: attempt(tries[name], device), "next": following})


def _say(found: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(found) + "\n")
    sys.stdout.flush()


def attempt(one: Callable[[str], float | None], device: str) -> dict[str, Any]:
    """Its figure, or the library's own words."""
    try:
        figure = one(device)
    except Exception as error:  # whatever a library says that was built for another GPU
        words = next(iter(str(error).strip().splitlines()), "") or type(error).__name__
        return {"works": False, "words": words}
    return {"works": True, "figure": figure}


def bf16(device: str) -> float | None:
    """A product in bf16 against the processor's in fp32; on a GPU also how much faster than its own in fp32."""
    import torch

    left, right = _numbers(SIZE, 1), _numbers(SIZE, 2)
    product = (left.to(device, torch.bfloat16) @ right.to(device, torch.bfloat16)).float().cpu()
    _compare(product, left @ right)
    if device == "cpu":
        return None
    # fp32 as it is, not in the shorter format that some GPUs put in its place.
    torch.backends.cuda.matmul.allow_tf32 = False
    return round(_seconds(device, torch.float32) / _seconds(device, torch.bfloat16), 1)


def flash(device: str) -> None:
    """PyTorch's FlashAttention kernel against plain products: with it attention needs no table of all pairs."""
    import torch
    from torch.nn.attention import SDPBackend, sdpa_kernel

    query, key, value = (
        _numbers(SIZE, seed).view(1, 4, SIZE, SIZE // 4).to(device, torch.bfloat16) for seed in (1, 2, 3)
    )
    attend = torch.nn.functional.scaled_dot_product_attention
    with sdpa_kernel(SDPBackend.FLASH_ATTENTION):
        fast = attend(query, key, value, is_causal=True)
    with sdpa_kernel(SDPBackend.MATH):
        plain = attend(query, key, value, is_causal=True)
    _compare(fast.float().cpu(), plain.float().cpu())


def nf4(device: str) -> None:
    """Weights in 4 bits: the same codes as on a processor, or the base would be another one here."""
    import torch

    functional: Any = importlib.import_module("bitsandbytes.functional")
    weight = _numbers(SIZE, 4)
    held = [
        functional.quantize_4bit(weight.to(place), quant_type="nf4", compress_statistics=True)
        for place in ("cpu", device)
    ]
    codes = [packed.cpu().flatten() for packed, _ in held]
    if not torch.equal(*codes):
        raise ArithmeticError("it rounds weights to other codes than a processor does")
    widened = [functional.dequantize_4bit(packed, state).float().cpu() for packed, state in held]
    _compare(widened[1], widened[0], NEAR / 10)


def _numbers(size: int, seed: int) -> Any:
    import torch

    return torch.randn(size, size, generator=torch.Generator().manual_seed(seed))


def _compare(found: Any, wanted: Any, near: float = NEAR) -> None:
    off = float((found - wanted).abs().max() / wanted.abs().max())
    if not off <= near:  # NaN too
        raise ArithmeticError(f"it gives wrong products: off by {off:.1%} of the largest value")


def _seconds(device: str, dtype: Any) -> float:
    import torch

    left = torch.ones(LARGE, LARGE, device=device, dtype=dtype)
    left @ left
    torch.cuda.synchronize(device)
    started = time.perf_counter()
    for _ in range(ROUNDS):
        left @ left
    torch.cuda.synchronize(device)
    return time.perf_counter() - started


if __name__ == "__main__":
    main(sys.argv[1])
