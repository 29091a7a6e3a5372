"""A base in NF4: 4 bits a weight, on a scale that suits normally distributed weights; see Dettmers et al. 2023.

Linear layers are rounded as they are read; embeddings, norms and the output head stay as they are. Products are made
in the training's own precision, from weights that are widened for each of them.
"""

from __future__ import annotations

import gc
import importlib
from functools import cache
from typing import TYPE_CHECKING, Any

from dlm_hf.heap import trim
from dlm_hf.quantising import CannotQuantise, Quantiser

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

INSTALL = "pip install 'dlm[qlora]'"
SAMPLE = 64
"""Rows and columns of the matrix with which a device is tried."""


class NF4(Quantiser):
    """The quantiser named ``nf4``."""

    def load(self, read: Callable[..., Any], dtype: torch.dtype, device: torch.device) -> Any:
        if why := trouble(str(device)):
            raise CannotQuantise(why)
        import torch
        from transformers import BitsAndBytesConfig

        config = BitsAndBytesConfig(  # type: ignore[no-untyped-call]
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=dtype,
        )
        # Rounded from full precision whatever the products are made in: other codes would be another base.
        model = read(quantization_config=config, device_map={"": device}, dtype=torch.float32)
        _settle(model, dtype)
        return model


@cache
def trouble(device: str) -> str:
    """Why weights cannot be held in 4 bits on ``device``, and what to do; empty where they can. Tries it."""
    try:
        library: Any = importlib.import_module("bitsandbytes")
    except ImportError as error:
        return f"bitsandbytes cannot be imported ({_line(error)}): {INSTALL}"
    if device.startswith("mps"):
        return "bitsandbytes has no 4-bit products for Apple's GPUs: train on another machine, or with `adapter: lora`"
    try:
        _multiply(library, device)
    except Exception as error:  # whatever a library says that was built for other drivers or other devices
        return (
            f"bitsandbytes {library.__version__} cannot multiply 4-bit weights on {device} ({_line(error)}): "
            "`python -m bitsandbytes` says what it finds"
        )
    return ""


def _multiply(library: Any, device: str) -> None:
    import torch

    weight = torch.linspace(-1, 1, SAMPLE * SAMPLE).view(SAMPLE, SAMPLE)
    held, state = library.functional.quantize_4bit(weight.to(device), quant_type="nf4", compress_statistics=True)
    seen = torch.eye(SAMPLE, device=device)
    product = library.matmul_4bit(seen, held.t(), quant_state=state).cpu().T
    # A step of NF4's scale is a seventh of the largest weight of a block.
    if float((product - weight).abs().max()) > 0.2:
        raise ArithmeticError("it gives wrong products")


def _settle(model: Any, dtype: torch.dtype) -> None:
    """Have weights widened to ``dtype``, and all others held in it; let go of the file that they were read from.

    On some processors the library would lay weights out anew at the first question, which rounds their scales once
    more: what is asked then would be another model than what was trained.
    """
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False
        if (state := getattr(getattr(module, "weight", None), "quant_state", None)) is not None:
            state.dtype = dtype
    for parameter in model.parameters():
        if parameter.is_floating_point():
            parameter.data = parameter.data.to(dtype, copy=True)
    model.config.dtype = dtype
    gc.collect()
    trim()


def _line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
