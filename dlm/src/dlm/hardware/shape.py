"""How large a base is, from its ``config.json`` and the headers of its tensor files. Loads no weight."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LONGEST_HEADER = 100_000_000
"""Bytes; the format's own limit."""
_NOT_LINEAR = ("embed", "wte", "wpe", "lm_head", "norm", "conv1d", "rotary")
"""Parts of the names of two-dimensional weights that no linear layer multiplies with, or that LoRA leaves alone."""
_MAIN = (("hidden_size", "n_embd"), ("num_hidden_layers", "n_layer"), ("num_attention_heads", "n_head"))
_CONTEXT = ("max_position_embeddings", "n_positions", "n_ctx")


class Linear(NamedTuple):
    """A linear layer."""

    name: str
    """Last part of its name, as in ``target_modules``."""
    rows: int
    columns: int


@dataclass(frozen=True)
class Shape:
    """The numbers that decide how much memory a base and its training take."""

    hidden: int
    layers: int
    heads: int
    key_heads: int
    head_size: int
    intermediate: int
    vocabulary: int
    context: int | None
    parameters: int
    """Counted in the tensor files; a head that shares the embeddings counts once."""
    linears: tuple[Linear, ...]
    """All of them, layer by layer, but for the output head."""

    def adapted(self, rank: int, targets: str | tuple[str, ...]) -> int:
        """Parameters of a LoRA adapter of ``rank`` on ``targets``."""
        return sum(rank * (one.rows + one.columns) for one in self._chosen(targets))

    def outputs(self, targets: str | tuple[str, ...]) -> int:
        """Outputs of all the layers that an adapter on ``targets`` changes: the sizes that DoRA learns."""
        return sum(one.rows for one in self._chosen(targets))

    def _chosen(self, targets: str | tuple[str, ...]) -> list[Linear]:
        return [one for one in self.linears if isinstance(targets, str) or one.name in targets]


def shape_of(folder: Path) -> Shape | None:
    """The shape of the base in ``folder``; ``None`` when its files do not tell."""
    config = _config(folder)
    tensors = {name: shape for file in sorted(folder.glob("*.safetensors")) for name, shape in _tensors(file).items()}
    hidden, layers, heads = (_number(config, *names) for names in _MAIN)
    vocabulary = _number(config, "vocab_size")
    if not (hidden and layers and heads and vocabulary and tensors):
        return None
    return Shape(
        hidden=hidden,
        layers=layers,
        heads=heads,
        key_heads=_number(config, "num_key_value_heads") or heads,
        head_size=_number(config, "head_dim") or hidden // heads,
        intermediate=_number(config, "intermediate_size", "n_inner", "ffn_dim") or 4 * hidden,
        vocabulary=vocabulary,
        context=_number(config, *_CONTEXT),
        parameters=sum(math.prod(shape) for shape in tensors.values()),
        linears=_linears(tensors),
    )


def context_of(folder: Path) -> int | None:
    """How many tokens the base in ``folder`` can attend to, where its configuration says so."""
    return _number(_config(folder), *_CONTEXT)


def parameters(folder: Path) -> int:
    """Numbers in the tensor files of ``folder``; 0 when there are none that can be read."""
    return sum(math.prod(shape) for file in folder.glob("*.safetensors") for shape in _tensors(file).values())


def _tensors(file: Path) -> dict[str, tuple[int, ...]]:
    """Shapes by name from the header of a safetensors file: 8 bytes of length, then JSON; empty when it is damaged."""
    try:
        with file.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            header = json.loads(stream.read(min(length, LONGEST_HEADER)))
        return {name: tuple(entry["shape"]) for name, entry in header.items() if name != "__metadata__"}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _linears(tensors: Mapping[str, tuple[int, ...]]) -> tuple[Linear, ...]:
    found = []
    for name, shape in tensors.items():
        stem, _, last = name.rpartition(".")
        if last == "weight" and len(shape) == 2 and not any(part in name.lower() for part in _NOT_LINEAR):
            found.append(Linear(stem.rpartition(".")[2], shape[0], shape[1]))
    return tuple(found)


def _config(folder: Path) -> dict[str, Any]:
    try:
        config: Any = json.loads((folder / "config.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(config, dict):
        return {}
    text = config.get("text_config", config)
    return text if isinstance(text, dict) else {}


def _number(config: Mapping[str, Any], *names: str) -> int | None:
    for name in names:
        if isinstance(value := config.get(name), int) and not isinstance(value, bool) and value > 0:
            return value
    return None
