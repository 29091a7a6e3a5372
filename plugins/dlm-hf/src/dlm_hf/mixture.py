"""Several adapters on one base, summed with weights that can change between two passes.

Each part stays whole, whatever its rank, targets or scale: a layer adds every part's update times its weight. PEFT's
``add_weighted_adapter`` makes one adapter of all of them, takes rank-stabilised scales and magnitudes of DoRA for
plain ones, and would have to be called again for other weights.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .adapters import ADAPTER, UnusableAdapter, add_adapter, load_adapter, read_adapter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import torch
    from peft import PeftModel
    from transformers import PreTrainedModel

    from dlm.training.mixing import Mix


class Mixture:
    """The adapters of ``mix`` on ``model``; :attr:`model` is what to ask.

    Raises:
        UnusableAdapter: a part does not fit the base, or is more than updates of weights.
    """

    def __init__(self, model: PreTrainedModel, mix: Mix) -> None:
        from peft.tuners.lora import LoraLayer

        self.mix = mix
        self._names = [_name(number) for number in range(len(mix.parts))]
        for part in mix.parts:
            _require_updates(part.folder)
        self.model: PeftModel = load_adapter(model, mix.parts[0].folder)
        for name, part in zip(self._names[1:], mix.parts[1:], strict=True):
            add_adapter(self.model, part.folder, name)
        self._layers: list[Any] = [module for module in self.model.modules() if isinstance(module, LoraLayer)]
        self._scales = {(id(layer), name): layer.scaling[name] for layer in self._layers for name in layer.scaling}
        self._varied = [(layer, name, variant) for layer in self._layers for name, variant in _variants(layer)]
        self._weights: tuple[float, ...] | None = None
        self.weigh(mix.weights)

    def weigh(self, weights: tuple[float, ...]) -> None:
        """From now on, the parts have these weights. Parts of weight 0 cost nothing."""
        if len(weights) != len(self._names):
            raise ValueError(f"{len(weights)} weights for {len(self._names)} adapters")
        if weights == self._weights:
            return
        by_name = dict(zip(self._names, weights, strict=True))
        active = [name for name, weight in by_name.items() if weight]
        as_trained = len(active) == 1 and by_name[active[0]] == 1
        for layer in self._layers:
            for name in layer.scaling:
                varied = name in layer.lora_variant
                layer.scaling[name] = self._scales[id(layer), name] * (1.0 if varied else by_name[name])
        for layer, name, variant in self._varied:
            layer.lora_variant[name] = variant if as_trained else _Weighted(variant, by_name[name])
        tuner: Any = self.model.base_model
        tuner.set_adapter(active, inference_mode=True)
        self._weights = weights

    @contextmanager
    def off(self) -> Iterator[Any]:
        """The untouched base."""
        with self.model.disable_adapter():
            yield self.model.get_base_model()


class _Weighted:
    """In the place of a layer's variant: a share of what it contributes. A variant such as DoRA rescales the base's own
    product too, so neither its scale nor what other parts added may be touched."""

    def __init__(self, variant: Any, weight: float) -> None:
        self.variant, self.weight = variant, weight

    def forward(
        self, module: Any, active_adapter: str, x: torch.Tensor, result: torch.Tensor, **kwargs: Any
    ) -> torch.Tensor:
        alone: torch.Tensor = module.get_base_layer()(x)
        added: torch.Tensor = self.variant.forward(module, active_adapter=active_adapter, x=x, result=alone, **kwargs)
        return result + self.weight * (added - alone)


def _variants(layer: Any) -> list[tuple[str, Any]]:
    return list(layer.lora_variant.items())


def _name(number: int) -> str:
    # PEFT looks for names inside of parameters' names, and minds those that are part of "lora_".
    return f"part{number:03d}" if number else ADAPTER


def _require_updates(folder: Path) -> None:
    """Refuse what cannot be weighed."""
    config = read_adapter(folder).config
    kind = str(getattr(config.peft_type, "value", config.peft_type))
    what = ""
    if kind != "LORA":
        what = f"it is {kind}, not LoRA"
    elif config.modules_to_save:
        what = f"it holds whole modules ({', '.join(config.modules_to_save)})"
    elif config.trainable_token_indices:
        what = "it holds trained embeddings"
    elif getattr(config, "target_parameters", None):
        what = f"it changes parameters of experts ({', '.join(config.target_parameters)})"
    if what:
        raise UnusableAdapter(f"{folder}: this adapter cannot be part of a mix: {what}; ask it alone")
