"""Other adapters out of the one that was trained: random ones of exactly the same size, and weaker or stronger ones.

LoRA adds s B A to a weight. Multiplying rows of B and columns of A by random signs and shuffling them gives
B' = P1 D1 B and A' = A D2 P2: every singular value of the update stays, its direction is random. Such an adapter is
what "training with the same force, to no purpose" looks like. The update of a DoRA module, W' - W, is of full rank; the
same is done to it as a whole (:mod:`.decomposed`), and to the way that embeddings have gone, where the adapter holds
some (:mod:`.embeddings`). All changes are undone on leaving, also after an error.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import torch

from dlm_sway.errors import NotSupported

from .adapters import ADAPTER, lora_layers, trained_tokens
from .decomposed import Decomposed, Shuffle
from .drawing import Draws, draw, generator_of
from .embeddings import moved

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping, Sequence

    from peft import PeftModel


@contextmanager
def null_adapter(
    model: PeftModel, seed: int, only: Container[str] | None = None, draws: Draws | None = None
) -> Iterator[None]:
    """``model`` with every update (or those of the modules ``only``) replaced by a random one, singular values kept.

    The draw depends on ``seed`` and the module's name only, so it is the same on every device and in every order.
    ``draws`` remembers them from one time to the next.

    Raises:
        NotSupported: the adapter is more than updates of linear layers and embeddings of tokens, and part of it would
            stay in place.
    """
    layers = updates(model, "a random adapter of the same size")
    layers = [(name, layer) for name, layer in layers if only is None or name in only]
    doras = [(name, layer) for name, layer in layers if isinstance(layer.lora_variant.get(ADAPTER), Decomposed)]
    plain = [(name, layer) for name, layer in layers if ADAPTER not in layer.lora_variant]
    with (
        moved(model, partial(_random_rows, seed, only)),
        _turned_updates(doras, seed),
        _turned_factors(plain, seed, draws or Draws()),
    ):
        yield


@contextmanager
def _turned_updates(layers: Sequence[tuple[str, Any]], seed: int) -> Iterator[None]:
    """DoRA's modules: their whole updates turned."""
    changed: list[Decomposed] = []
    try:
        for name, layer in layers:
            down, up = layer.lora_A[ADAPTER].weight, layer.lora_B[ADAPTER].weight
            generator = generator_of(seed, name)
            inputs, outputs = (_draw(n, generator, down) for n in (down.shape[1], up.shape[0]))
            changed.append(layer.lora_variant[ADAPTER])
            changed[-1].shuffle = Shuffle(*inputs, *outputs)
        yield
    finally:
        for dora in changed:
            dora.shuffle = None


@contextmanager
def _turned_factors(layers: Sequence[tuple[str, Any]], seed: int, draws: Draws) -> Iterator[None]:
    """LoRA's modules: A and B turned, those of one shape together."""
    alike: dict[object, list[tuple[str, Any]]] = {}
    for name, layer in layers:
        down, up = layer.lora_A[ADAPTER].weight, layer.lora_B[ADAPTER]
        alike.setdefault((down.shape, up.weight.shape, down.device, down.dtype), []).append((name, layer))
    kept: list[tuple[torch.nn.Parameter, torch.Tensor]] = []
    try:
        for group in alike.values():
            downs = [layer.lora_A[ADAPTER].weight for _, layer in group]
            ups = [layer.lora_B[ADAPTER] for _, layer in group]
            sizes = (downs[0].shape[1], ups[0].weight.shape[0])
            turn = draws.turn(seed, [name for name, _ in group], *sizes, downs[0].device)
            changing = [*downs, *(parameter for up in ups for parameter in up.parameters())]
            kept += [(parameter, parameter.data) for parameter in changing]
            _replace(downs, turn.of_inputs(torch.stack([down.data for down in downs])))
            _replace([up.weight for up in ups], turn.of_outputs(torch.stack([up.weight.data for up in ups])))
            for up, order, signs in zip(ups, turn.rows, turn.row_signs, strict=True):
                if up.bias is not None:
                    up.bias.data = (up.bias.data * signs.to(up.bias))[order.long()]
        yield
    finally:
        for parameter, data in kept:
            parameter.data = data


def _replace(parameters: Sequence[torch.nn.Parameter], stacked: torch.Tensor) -> None:
    for parameter, data in zip(parameters, stacked, strict=True):
        parameter.data = data


@contextmanager
def scaled_adapter(model: PeftModel, factor: float) -> Iterator[None]:
    """``model`` with every update multiplied by ``factor``: 0 is the base, 1 the adapter as trained.

    Raises:
        NotSupported: the adapter is more than updates of linear layers and embeddings of tokens, so its strength is not
            one number.
    """
    layers = [layer for _, layer in updates(model, "an adapter of another strength")]
    doras = [dora for layer in layers if isinstance(dora := layer.lora_variant.get(ADAPTER), Decomposed)]
    # A DoRA module's norms depend on its scale: what is multiplied is its whole update.
    kept = [(layer, layer.scaling[ADAPTER]) for layer in layers if ADAPTER not in layer.lora_variant]
    before = [dora.factor for dora in doras]
    try:
        for layer, scaling in kept:
            layer.scaling[ADAPTER] = scaling * factor
        for dora in doras:
            dora.factor *= factor
        with moved(model, lambda _, way: factor * way):
            yield
    finally:
        for layer, scaling in kept:
            layer.scaling[ADAPTER] = scaling
        for dora, was in zip(doras, before, strict=True):
            dora.factor = was


def updates(model: PeftModel, wanted: str) -> list[tuple[str, Any]]:
    """The adapted modules, each a linear layer whose update is known as a whole: LoRA's or DoRA's.

    Raises:
        NotSupported: anything else was trained too; the message says what, and that ``wanted`` cannot be made of it.
    """
    layers = list(lora_layers(model))
    if reason := _more_than_updates(model, dict(layers)):
        raise NotSupported(f"{wanted} cannot be made: {reason}")
    return layers


def plain_lora(model: PeftModel, wanted: str) -> list[tuple[str, Any]]:
    """The adapted modules, all of the form weight + s B A.

    Raises:
        NotSupported: anything else was trained too; the message says what, and that ``wanted`` cannot be made of it.
    """
    found = updates(model, wanted)
    if trained_tokens(model.peft_config[ADAPTER]):
        raise NotSupported(f"{wanted} cannot be made: the adapter also holds trained embeddings")
    if any(ADAPTER in layer.lora_variant for _, layer in found):
        raise NotSupported(
            f"{wanted} cannot be made: DoRA rescales a module's own weight, so its update means nothing elsewhere"
        )
    return found


def _more_than_updates(model: PeftModel, layers: Mapping[str, Any]) -> str | None:
    config: Any = model.peft_config[ADAPTER]
    kind = str(getattr(config.peft_type, "value", config.peft_type))
    if kind != "LORA":
        return f"the adapter is {kind}, not LoRA"
    if config.modules_to_save:
        return f"the adapter also holds whole modules ({', '.join(config.modules_to_save)}), trained without LoRA"
    if any(len(layer.lora_embedding_A) for layer in layers.values()):
        return "the adapter also changes the embeddings"
    for name, layer in layers.items():
        if ADAPTER not in layer.lora_A or layer.lora_A[ADAPTER].weight.dim() != 2:
            return f"the update of {name} is not of the form B A"
        if not isinstance(layer.lora_variant.get(ADAPTER), Decomposed | None):
            return f"the update of {name} is that of {type(layer.lora_variant[ADAPTER]).__name__}, not LoRA's or DoRA's"
    return f"it holds parameters of experts ({config.target_parameters})" if config.target_parameters else None


def _random_rows(seed: int, only: Container[str] | None, name: str, way: torch.Tensor) -> torch.Tensor:
    """``way`` shuffled in both directions with random signs."""
    if only is not None and name not in only:
        return way
    generator = generator_of(seed, name)
    columns, column_signs = _draw(way.shape[1], generator, way)
    rows, row_signs = _draw(way.shape[0], generator, way)
    return ((way * column_signs)[:, columns] * row_signs[:, None])[rows]


def _draw(n: int, generator: torch.Generator, like: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """A random order and random signs, each [n], on the device of ``like``."""
    order, signs = draw(n, generator)
    return order.to(like.device), signs.to(like)
