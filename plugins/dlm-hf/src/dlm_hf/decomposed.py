"""DoRA: the size of every output of a linear layer is learned beside the direction of its weights.

A module's weight W becomes W' = diag(m / ||W + s B A||) (W + s B A), norms of rows; the norms take no part in the
gradient. The library forms B A and the sum anew for every pass. Here the norms follow from W A^T and A A^T, and are
kept for as long as A and B are the same, so a pass costs little more than LoRA's.

Everything else that is said of a DoRA module is said of its whole update W' - W: it can be made weaker or stronger, or
turned into a random one of the same singular values, without changing a weight.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from peft.tuners.lora.variants import DoraLinearVariant
from peft.utils.integrations import dequantize_module_weight

if TYPE_CHECKING:
    from collections.abc import Iterable

MAGNITUDE = "lora_magnitude_vector"
"""In the names of the parameters that hold m."""
POWER_STEPS = 100


class Shuffle(NamedTuple):
    """Makes U D V of an update D, with U and V orthogonal: permutations with random signs."""

    columns: torch.Tensor
    """[in], where each input goes."""
    column_signs: torch.Tensor
    rows: torch.Tensor
    """[out], where each output comes from."""
    row_signs: torch.Tensor

    def inputs(self, x: torch.Tensor) -> torch.Tensor:
        """``x`` [..., in] as the update sees it."""
        return x[..., self.columns] * self.column_signs.to(x)

    def outputs(self, y: torch.Tensor) -> torch.Tensor:
        """``y`` [..., out] of the update, as it leaves."""
        return (y * self.row_signs.to(y))[..., self.rows]


class Decomposed(DoraLinearVariant):
    """The update of one linear layer. Attributes may be changed for a while, to look at another update."""

    def __init__(self) -> None:
        self.factor = 1.0
        """Of the whole update: 0 is the base."""
        self.shuffle: Shuffle | None = None
        self._norms: tuple[Any, torch.Tensor] = ((), torch.empty(0))
        self._base_squares: torch.Tensor | None = None

    def forward(  # type: ignore[override]
        self, module: Any, active_adapter: str, x: torch.Tensor, result: torch.Tensor, **_: Any
    ) -> torch.Tensor:
        """What the layer gives, from what its base gives: ``result``."""
        if module.training and not isinstance(module.lora_dropout[active_adapter], torch.nn.Identity):
            # The update then sees other inputs than the base, and the base's product is needed for them as well.
            theirs: torch.Tensor = DoraLinearVariant.forward(module, active_adapter, x, result)
            return theirs
        if self.shuffle is None and self.factor == 1.0:
            return self._tuned(module, active_adapter, x, result)
        seen, base = x, result
        if self.shuffle is not None:
            seen = self.shuffle.inputs(x)
            base = module.get_base_layer()(seen)
        update = self._tuned(module, active_adapter, seen, base) - base
        if self.shuffle is not None:
            update = self.shuffle.outputs(update)
        return result + self.factor * update

    def weight_update(self, module: Any, adapter: str) -> torch.Tensor:
        """W' - W as it is applied now, [out, in] float32 on the CPU."""
        weight = base_weight(module).detach().float()
        down, up = module.lora_A[adapter].weight.float(), module.lora_B[adapter].weight.float()
        changed = weight + module.scaling[adapter] * (up @ down)
        scale = module.lora_magnitude_vector[adapter].weight.float() / torch.linalg.vector_norm(changed, dim=1)
        update: torch.Tensor = self.factor * (scale[:, None] * changed - weight).detach()
        if (shuffle := self.shuffle) is not None:
            update = (update * shuffle.row_signs[:, None].to(update))[shuffle.rows]
            update = (update * shuffle.column_signs.to(update))[:, torch.argsort(shuffle.columns)]
        return update.cpu()

    def begin(self, module: Any, adapter: str) -> None:
        """Have the update be none: m = ||W||, in fp32, so that m / ||W|| is 1 to the last bit while B is zero."""
        magnitude = module.lora_magnitude_vector[adapter].weight
        magnitude.data = self._squares(module).sqrt().to(magnitude.device)

    def _tuned(self, module: Any, adapter: str, x: torch.Tensor, base: torch.Tensor) -> torch.Tensor:
        added = module.lora_B[adapter](module.lora_A[adapter](x)) * module.scaling[adapter]
        tuned: torch.Tensor = base + added.to(base.dtype)
        bias = module.get_base_layer().bias
        changed = tuned if bias is None else tuned - bias
        # m / norm lies near 1, where half precision is coarse; its distance from 1 is not.
        more = module.lora_magnitude_vector[adapter].weight.float() / self._norms_of(module, adapter) - 1.0
        resized: torch.Tensor = tuned + changed * more.to(base.dtype)
        return resized

    @torch.no_grad()
    def _norms_of(self, module: Any, adapter: str) -> torch.Tensor:
        """||W + s B A|| of each row, [out] float32."""
        down, up, scaling = module.lora_A[adapter].weight, module.lora_B[adapter].weight, module.scaling[adapter]
        now = (scaling, *((one.data_ptr(), one._version, one.dtype) for one in (down, up)))
        if self._norms[0] != now:
            weight = base_weight(module)
            wide, tall = down.float(), up.float()
            crossed = (weight @ down.to(weight.dtype).T).float()
            squares = self._squares(module) + 2 * scaling * (tall * crossed).sum(1)
            squares += scaling**2 * ((tall @ (wide @ wide.T)) * tall).sum(1)
            self._norms = (now, squares.clamp_min(0.0).sqrt())
        return self._norms[1]

    @torch.no_grad()
    def _squares(self, module: Any) -> torch.Tensor:
        """||W||^2 of each row; the base never changes."""
        if self._base_squares is None:
            self._base_squares = torch.linalg.vector_norm(base_weight(module), dim=1, dtype=torch.float32).square()
        return self._base_squares


def decompose(layers: Iterable[Any], adapter: str, *, fresh: bool = False) -> None:
    """Have the DoRA modules among ``layers`` computed here. ``fresh`` ones have only been put on."""
    for layer in layers:
        variants = getattr(layer, "lora_variant", {})
        if type(variants.get(adapter)) is DoraLinearVariant and not getattr(layer, "fan_in_fan_out", False):
            layer.lora_variant[adapter] = own = Decomposed()
            if fresh:
                own.begin(layer, adapter)


def in_precision(model: torch.nn.Module, dtype: torch.dtype) -> None:
    """Have the products of ``model`` made in ``dtype``, adapters included. Magnitudes stay as they are: they lie near
    the norms of the rows, and what was learned is the difference. So do the tables of positions, and weights that are
    held in fewer bits."""
    for name, parameter in model.named_parameters():
        if parameter.is_floating_point() and MAGNITUDE not in name:
            parameter.data = parameter.data.to(dtype)


def base_weight(layer: Any) -> torch.Tensor:
    """The weight under ``layer``, in full where it is held in fewer bits."""
    weight: torch.Tensor = dequantize_module_weight(layer.get_base_layer())
    return weight


def largest_singular_value(matrix: torch.Tensor) -> float:
    """By power iteration from a fixed start: within a per cent or so, and never too large."""
    vector = torch.randn(matrix.shape[1], generator=torch.Generator().manual_seed(0))
    found = 0.0
    for _ in range(POWER_STEPS):
        image = matrix @ (vector / vector.norm().clamp_min(1e-30))
        found = float(image.norm())
        vector = matrix.T @ image
    return found
