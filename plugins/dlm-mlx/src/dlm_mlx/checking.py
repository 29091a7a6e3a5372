"""Proof that a converted adapter acts: mlx-lm itself loads it onto the base."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mlx.core as mx
from mlx.utils import tree_flatten

from .converting import TENSORS, convert
from .errors import Unusable
from .folding import summed
from .loading import load_base
from .placing import PROBE, TOLERANCE, Layers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .converting import Converted


def convert_checked(
    parts: Sequence[tuple[Path, float]], destination: Path, base: Path, *, overwrite: bool = False
) -> tuple[Converted, float]:
    """As :func:`~dlm_mlx.converting.convert`, under the names that the base in the folder ``base`` has in MLX, and only
    when mlx-lm has loaded the result there; with the largest change of a logit that it made.

    Raises:
        Unusable: as there, or the adapter does not fit the base, or does not act on it.
    """
    from .adapter_file import read_adapter

    model = load_base(base, "fp32").model
    layers = Layers(model)
    adapters = [(read_adapter(folder).updates, weight) for folder, weight in parts]
    layers.place(summed(adapters), parts[0][0])

    def renamed(name: str) -> str:
        return layers.name_in_mlx(name) or name

    with tempfile.TemporaryDirectory() as scratch:
        trial = Path(scratch) / "adapter"
        convert(parts, trial, name_in_mlx=renamed)
        moved = check(base, trial)
    return convert(parts, destination, overwrite=overwrite, name_in_mlx=renamed), moved


def check(base: Path, converted: Path) -> float:
    """Load the adapter in the folder ``converted`` with mlx-lm; the largest change of a logit that it makes on a few
    tokens.

    Raises:
        Unusable: mlx-lm refuses it, puts a tensor elsewhere, or the model says the same without it.
    """
    from mlx_lm.tuner.utils import load_adapters

    model = load_base(base, "fp32").model
    without = _logits(model)
    try:
        load_adapters(model, str(converted))
    except (ValueError, KeyError, OSError, RuntimeError) as error:
        raise Unusable(f"{converted}: mlx-lm cannot load this adapter onto {base}: {error}") from error
    model.eval()
    filed: dict[str, Any] = mx.load(str(converted / TENSORS))
    _require_filled(model, filed, converted)
    moved = float(mx.abs(_logits(model) - without).max().item())
    if not moved and any(bool(mx.any(tensor).item()) for name, tensor in filed.items() if name.endswith("lora_b")):
        raise Unusable(f"{converted}: mlx-lm loaded the adapter, and the model says the same without it")
    return moved


def _require_filled(model: Any, filed: dict[str, Any], converted: Path) -> None:
    """Every tensor of the file is in the model, and every other update there is zero."""
    kinds = (".lora_a", ".lora_b", ".m")
    held = {name: tensor for name, tensor in tree_flatten(model.parameters()) if name.endswith(kinds)}
    lost = sorted(filed.keys() - held.keys())
    lost += [name for name in filed if name in held and not _same(held[name], filed[name])]
    lost += [name for name in held.keys() - filed.keys() if name.endswith("lora_b") and bool(mx.any(held[name]).item())]
    if lost:
        raise Unusable(f"{converted}: {len(lost)} tensors are not where they belong ({lost[0]}): mlx-lm misread it")


def _same(one: mx.array, other: mx.array) -> bool:
    if one.shape != other.shape:
        return False
    norm, wanted = (float(mx.linalg.norm(tensor.astype(mx.float32)).item()) for tensor in (one, other))
    return abs(norm - wanted) <= TOLERANCE * wanted


def _logits(model: Any) -> mx.array:
    logits = model(mx.array([list(range(1, PROBE + 1))])).astype(mx.float32)
    mx.eval(logits)
    return logits
