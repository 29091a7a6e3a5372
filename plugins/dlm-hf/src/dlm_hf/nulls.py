"""Other adapters out of the one that was trained: random ones of exactly the same size, and weaker or stronger ones.

An adapter adds s B A to a weight. Multiplying rows of B and columns of A by random signs and shuffling them gives
B' = P1 D1 B and A' = A D2 P2: every singular value of the update stays, its direction is random. Such an adapter is
what "training with the same force, to no purpose" looks like. All changes are undone on leaving, also after an error.
"""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

from dlm_sway.errors import NotSupported

from .adapters import ADAPTER, lora_layers

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from peft import PeftModel


@contextmanager
def null_adapter(model: PeftModel, seed: int, only: Container[str] | None = None) -> Iterator[None]:
    """``model`` with every update (or those of the modules ``only``) replaced by a random one, singular values kept.

    The draw depends on ``seed`` and the module's name only, so it is the same on every device and in every order.

    Raises:
        NotSupported: the adapter is more than plain LoRA, so shuffling its factors would leave part of it in place.
    """
    layers = plain_lora(model, "a random adapter of the same size")
    kept: list[tuple[torch.nn.Parameter, torch.Tensor]] = []
    try:
        for name, layer in layers:
            if only is not None and name not in only:
                continue
            generator = torch.Generator().manual_seed(_module_seed(seed, name))
            down, up = layer.lora_A[ADAPTER].weight, layer.lora_B[ADAPTER]
            kept += [(parameter, parameter.data) for parameter in (down, *up.parameters())]
            order, signs = _draw(down.shape[1], generator, down)
            down.data = (down.data * signs)[:, order]
            order, signs = _draw(up.weight.shape[0], generator, up.weight)
            up.weight.data = (up.weight.data * signs[:, None])[order]
            if up.bias is not None:
                up.bias.data = (up.bias.data * signs)[order]
        yield
    finally:
        for parameter, data in kept:
            parameter.data = data


@contextmanager
def scaled_adapter(model: PeftModel, factor: float) -> Iterator[None]:
    """``model`` with every update multiplied by ``factor``: 0 is the base, 1 the adapter as trained.

    Raises:
        NotSupported: the adapter is more than plain LoRA, so its strength is not one number.
    """
    layers = plain_lora(model, "an adapter of another strength")
    kept = [(layer, layer.scaling[ADAPTER]) for _, layer in layers]
    try:
        for layer, scaling in kept:
            layer.scaling[ADAPTER] = scaling * factor
        yield
    finally:
        for layer, scaling in kept:
            layer.scaling[ADAPTER] = scaling


def plain_lora(model: PeftModel, wanted: str) -> list[tuple[str, Any]]:
    """The adapted modules, all of the form weight + s B A.

    Raises:
        NotSupported: anything else was trained too; the message says what, and that ``wanted`` cannot be made of it.
    """
    if reason := _more_than_lora(model):
        raise NotSupported(f"{wanted} cannot be made: {reason}")
    return list(lora_layers(model))


def _more_than_lora(model: PeftModel) -> str | None:
    config: Any = model.peft_config[ADAPTER]
    kind = str(getattr(config.peft_type, "value", config.peft_type))
    if kind != "LORA":
        return f"the adapter is {kind}, not LoRA"
    if config.use_dora:
        return "DoRA also trains a magnitude for every weight, which has no random counterpart of the same size"
    if config.modules_to_save:
        return f"the adapter also holds whole modules ({', '.join(config.modules_to_save)}), trained without LoRA"
    if config.trainable_token_indices:
        return "the adapter also holds trained embeddings"
    layers = dict(lora_layers(model))
    if any(len(layer.lora_embedding_A) for layer in layers.values()):
        return "the adapter also changes the embeddings"
    for name, layer in layers.items():
        if ADAPTER not in layer.lora_A or layer.lora_A[ADAPTER].weight.dim() != 2 or ADAPTER in layer.lora_variant:
            return f"the update of {name} is not of the form B A"
    return f"it holds parameters of experts ({config.target_parameters})" if config.target_parameters else None


def _module_seed(seed: int, name: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}:{name}".encode()).digest()[:7], "big")


def _draw(n: int, generator: torch.Generator, like: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """A random order and random signs, each [n], on the device of ``like``."""
    order = torch.randperm(n, generator=generator)
    signs = torch.randint(0, 2, (n,), generator=generator) * 2 - 1
    return order.to(like.device), signs.to(like)
