"""What an adapter holds, measured against the base it is put on. No forward pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from dlm_sway.scoring.types import ModuleUpdate

from .adapters import ADAPTER, lora_layers
from .decomposed import Decomposed, base_weight, largest_singular_value

if TYPE_CHECKING:
    from peft import PeftModel


def module_updates(model: PeftModel) -> tuple[ModuleUpdate, ...]:
    """Size and shape of the update in every LoRA module, in the order of the model.

    Of a DoRA module it is the whole update, which also changes the sizes of rows: its rank is that of its directions.
    Values that are not finite are counted, and left out of the norms. Other kinds of adapter have no such factors: the
    tuple is empty.
    """
    updates = []
    for name, layer in lora_layers(model):
        factors = _factors(layer)
        if factors is None:
            continue
        norm, largest = _sizes(layer, *factors)
        updates.append(
            ModuleUpdate(
                name=name,
                rank=int(factors[0].shape[0]),
                update_norm=norm,
                weight_norm=float(torch.linalg.vector_norm(base_weight(layer), dtype=torch.float32)),
                stable_rank=(norm / largest) ** 2 if largest > 0 else 0.0,
                non_finite=sum(int((~torch.isfinite(one)).sum()) for one in _trained(layer, *factors[:2])),
            )
        )
    return tuple(updates)


def _sizes(layer: Any, down: torch.Tensor, up: torch.Tensor, scaling: float) -> tuple[float, float]:
    """Frobenius norm and largest singular value of the update."""
    if isinstance(dora := layer.lora_variant.get(ADAPTER), Decomposed):
        update = dora.weight_update(layer, ADAPTER).nan_to_num(0.0, 0.0, 0.0)
        return float(update.norm()), largest_singular_value(update)
    values = singular_values(down.nan_to_num(0.0, 0.0, 0.0), up.nan_to_num(0.0, 0.0, 0.0)) * abs(scaling)
    return float(values.norm()), float(values.max())


def _trained(layer: Any, down: torch.Tensor, up: torch.Tensor) -> list[torch.Tensor]:
    magnitude = layer.lora_magnitude_vector
    return [down, up, *([magnitude[ADAPTER].weight] if ADAPTER in magnitude else [])]


def singular_values(down: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
    """Singular values of ``up @ down`` ([out, r] and [r, in]), largest first, [min(r, in, out)] float64.

    The product is never formed: with up = Q1 R1 and down^T = Q2 R2 the values are those of the small R1 R2^T.
    """
    r1 = torch.linalg.qr(up.double(), mode="r").R
    r2 = torch.linalg.qr(down.double().T, mode="r").R
    values: torch.Tensor = torch.linalg.svdvals(r1 @ r2.T)
    return values


def _factors(layer: Any) -> tuple[torch.Tensor, torch.Tensor, float] | None:
    """A [r, in], B [out, r] and the factor s (rsLoRA, rank and alpha patterns included), on the CPU."""
    if ADAPTER in layer.lora_embedding_A:
        down, up = layer.lora_embedding_A[ADAPTER], layer.lora_embedding_B[ADAPTER]
    elif ADAPTER in layer.lora_A and not hasattr(layer, "parameter_name"):
        down, up = layer.lora_A[ADAPTER].weight, layer.lora_B[ADAPTER].weight
    else:
        return None  # stacked factors of an expert parameter
    return down.detach().cpu().flatten(1), up.detach().cpu().flatten(1), float(layer.scaling[ADAPTER])
