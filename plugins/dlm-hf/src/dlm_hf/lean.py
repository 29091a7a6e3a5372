"""Plain LoRA at little more than the cost of its products, and all of an adapter switched off and on at once.

The library's layer forms the update, multiplies it and adds it in steps of their own, each a walk through memory. Here
the second product is added to the base's where it lies. That is only done where a layer is nothing but weight + s B A
and no gradient is wanted; everything else goes the library's way. What adapters hold: :mod:`.adapters`.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from peft.tuners.lora.layer import Linear
from peft.tuners.tuners_utils import BaseTunerLayer
from peft.utils.other import AuxiliaryTrainingWrapper

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from peft import PeftModel


class LeanLinear(Linear):
    """The library's LoRA layer around a linear layer, with a shorter way through it."""

    def forward(self, x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        """What the base gives plus s B A x."""
        if args or kwargs or self.merged or torch.is_grad_enabled() or self.training:
            return self._theirs(x, *args, **kwargs)
        if self.disable_adapters:
            given: torch.Tensor = self.base_layer(x)
            return given
        names = self.active_adapters
        if len(names) != 1 or names[0] not in self.lora_A or names[0] in self.lora_variant:
            return self._theirs(x)
        down, up = self.lora_A[names[0]].weight, self.lora_B[names[0]]
        if up.bias is not None or not x.dtype == down.dtype == self.base_layer.weight.dtype:
            return self._theirs(x)
        result: torch.Tensor = self.base_layer(x)
        inner = torch.nn.functional.linear(x.flatten(0, -2), down)
        result.view(-1, result.shape[-1]).addmm_(inner, up.weight.T, alpha=self.scaling[names[0]])
        return result

    def _theirs(self, x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        result: torch.Tensor = super().forward(x, *args, **kwargs)
        return result


def make_lean(model: torch.nn.Module) -> None:
    """Have the plain LoRA layers of ``model`` computed here."""
    for layer in model.modules():
        if type(layer) is Linear and type(layer.base_layer) is torch.nn.Linear and not layer.fan_in_fan_out:
            layer.__class__ = LeanLinear


class Switch:
    """Everything in ``model`` that an adapter changes, found once."""

    def __init__(self, model: PeftModel) -> None:
        kinds = (BaseTunerLayer, AuxiliaryTrainingWrapper)
        self._layers: Sequence[Any] = [module for module in model.modules() if isinstance(module, kinds)]

    @contextmanager
    def off(self) -> Iterator[None]:
        """The base's own weights alone, for as long as the context lasts."""
        try:
            for layer in self._layers:
                layer.enable_adapters(False)
            yield
        finally:
            for layer in self._layers:
                layer.enable_adapters(True)
