"""The trained updates in the wrong places: each module gets what another module of the same shape had learned.

Unlike a random update (:mod:`.nulls`) such an adapter keeps what training does to every update's inside, its low-rank
structure and the outliers of its rows; only the place is wrong. What still works then is not what was learned.
"""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

from .adapters import ADAPTER
from .nulls import null_adapter, plain_lora

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from peft import PeftModel


@contextmanager
def shuffled_adapter(model: PeftModel, seed: int) -> Iterator[None]:
    """``model`` with its updates permuted among modules of one shape, so that none stays where it was.

    A module that is alone with its shape gets a random update of the same singular values. The draw depends on
    ``seed`` and the modules' names only.

    Raises:
        NotSupported: the adapter is more than plain LoRA.
    """
    groups: dict[object, list[tuple[str, Any]]] = {}
    for name, layer in plain_lora(model, "an adapter with its updates in other places"):
        groups.setdefault(_shape(layer), []).append((name, layer))
    alone = frozenset(group[0][0] for group in groups.values() if len(group) == 1)
    kept: list[tuple[torch.nn.Parameter, torch.Tensor]] = []
    scales: list[tuple[Any, float]] = []
    with null_adapter(model, seed, alone):
        try:
            for group in (group for group in groups.values() if len(group) > 1):
                layers = [layer for _, layer in group]
                kept += [(parameter, parameter.data) for layer in layers for parameter in _factors(layer)]
                scales += [(layer, layer.scaling[ADAPTER]) for layer in layers]
                _move(layers, _cycle(len(group), seed, [name for name, _ in group]))
            yield
        finally:
            for parameter, data in kept:
                parameter.data = data
            for layer, scale in scales:
                layer.scaling[ADAPTER] = scale


def _move(layers: Sequence[Any], source: Sequence[int]) -> None:
    """Give ``layers[i]`` what ``layers[source[i]]`` holds."""
    held = [([parameter.data for parameter in _factors(layer)], layer.scaling[ADAPTER]) for layer in layers]
    for layer, at in zip(layers, source, strict=True):
        tensors, scale = held[at]
        for parameter, data in zip(_factors(layer), tensors, strict=True):
            parameter.data = data
        layer.scaling[ADAPTER] = scale


def _factors(layer: Any) -> list[torch.nn.Parameter]:
    return [layer.lora_A[ADAPTER].weight, *layer.lora_B[ADAPTER].parameters()]


def _shape(layer: Any) -> object:
    return tuple(tuple(parameter.shape) for parameter in _factors(layer))


def _cycle(n: int, seed: int, names: Sequence[str]) -> list[int]:
    """A random permutation of ``range(n)`` that is one cycle, so that nothing keeps its place (Sattolo 1986)."""
    text = "\n".join([f"{seed}:shuffled", *names])
    generator = torch.Generator().manual_seed(int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big"))
    order = list(range(n))
    for last in range(n - 1, 0, -1):
        other = int(torch.randint(0, last, (1,), generator=generator))
        order[last], order[other] = order[other], order[last]
    return order
