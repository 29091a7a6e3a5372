"""A base in MLX: its weights, precision and context. Adapters on it: :mod:`.placing`."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import mlx.core as mx
import mlx.nn as nn

from .agreement import readable, require_agreement
from .configuring import overrides
from .errors import Unusable

if TYPE_CHECKING:
    from pathlib import Path

DTYPES: Final = {"bf16": mx.bfloat16, "fp16": mx.float16, "fp32": mx.float32}
LIBRARIES: Final = ("mlx", "mlx-lm", "transformers")


@dataclass(frozen=True)
class Loaded:
    """A base that answers ``model(ids)`` with logits."""

    model: Any
    precision: str
    """``bf16``, ``fp16`` or ``fp32``: of products. Weights may be quantised."""
    quantised: bool
    """By MLX itself, as its own conversions are."""
    context: int | None
    """How many tokens it can attend to, where its configuration says so."""
    vocabulary: int
    """Entries of a next-token distribution."""

    @property
    def dtype(self) -> mx.Dtype:
        """Of :attr:`precision`."""
        return DTYPES[self.precision]


def device() -> str:
    """``gpu`` on Apple silicon, else ``cpu``."""
    return "gpu" if mx.default_device() == mx.Device(mx.gpu) else "cpu"


def pick_precision(precision: str, *, scoring: bool) -> str:
    """``auto``: bf16 for answers on a GPU, fp32 on a CPU, which is faster there. Scoring is fp32 everywhere, where
    small divergences still mean something."""
    if precision != "auto":
        return precision
    return "bf16" if device() == "gpu" and not scoring else "fp32"


def load_base(folder: Path, precision: str) -> Loaded:
    """The model in ``folder``, a Hugging Face or an MLX one; reads local files and runs no code of theirs.

    Raises:
        Unusable: mlx-lm knows no such architecture or computes another model, or a file is missing or damaged.
    """
    from mlx_lm.utils import load_config, load_model

    try:
        with contextlib.redirect_stdout(io.StringIO()):
            model, config = load_model(folder, lazy=True, model_config=overrides(load_config(folder)))
        quantised = any(isinstance(module, nn.QuantizedLinear) for module in model.modules())
        model.set_dtype(DTYPES[precision])
        mx.eval(model.eval().parameters())
    except Exception as error:  # damaged files surface as whatever the library that reads them raises
        line = next(iter(str(error).strip().splitlines()), "no message")
        raise Unusable(
            f"{folder}: mlx-lm cannot load this base: {type(error).__name__}: {line}: check that the folder holds a "
            "base's config.json and safetensors, complete"
        ) from error
    require_agreement(folder, config, model, precision, quantised=quantised)
    return Loaded(model, precision, quantised, readable(config), int(model(mx.array([[0]])).shape[-1]))


def library_versions() -> dict[str, str]:
    """Versions that can change a number."""
    from importlib.metadata import version

    return {name: version(name) for name in LIBRARIES}
