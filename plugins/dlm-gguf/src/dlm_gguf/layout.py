"""Which tensor of a base becomes which of the file, and what happens to its rows on the way."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dlm.errors import ExportRefused

from .architectures import architecture_of, tied
from .hyperparameters import rope_tensors, shape_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from .architectures import Architecture
    from .checkpoint import Floats, Weights

    Rows = Callable[[int, int], Floats]

_LAYER = re.compile(r"model\.layers\.(\d+)\.(.+)")
_EXPERT = re.compile(r"(model\.layers\.\d+\.block_sparse_moe\.experts)\.(\d+)\.(w[123])\.weight")
_DERIVED = ("rotary_emb.inv_freq",)
"""Endings of what is computed from the configuration, and was saved all the same."""


@dataclass(frozen=True)
class Tensor:
    """One tensor of the file."""

    name: str
    shape: tuple[int, ...]
    source: str
    """The base's name for it; of experts, of the first."""
    rows: Rows
    """Its rows, ``[stop - start, row]``; a tensor of one dimension is one row."""

    @property
    def height(self) -> int:
        """Rows."""
        return int(np.prod(self.shape[:-1])) if len(self.shape) > 1 else 1


def lay_out(weights: Weights, config: Mapping[str, Any]) -> list[Tensor]:
    """All tensors of the file, in an order that depends on the configuration alone.

    Raises:
        ExportRefused: the base holds a tensor for which this architecture has no place.
    """
    architecture = architecture_of(config)
    if architecture is None:
        raise ExportRefused(f"{config.get('model_type')} is no architecture that can be written")
    names = name_map(architecture, shape_of(config).layers)
    skipped = "lm_head.weight" if tied(config) else None
    wanted = [name for name in weights.shapes if name != skipped and not name.endswith(_DERIVED)]
    tensors = [_constant(name, values) for name, values in rope_tensors(config).items()]
    for name in sorted((name for name in wanted if not _EXPERT.fullmatch(name)), key=_order):
        tensors.append(_one(name, weights, config, architecture, names))
    return tensors + _experts([name for name in wanted if _EXPERT.fullmatch(name)], weights, names)


def name_map(architecture: Architecture, layers: int) -> Any:
    """Names of the file by names of the base."""
    import gguf

    model = next(arch for arch, name in gguf.MODEL_ARCH_NAMES.items() if name == architecture.model)
    return gguf.get_tensor_name_map(model, layers)


def paired(module: str, architecture: Architecture) -> bool:
    """Whether rows of ``module`` turn with their positions, in pairs."""
    return architecture.pairs and module.endswith((".q_proj", ".k_proj"))


def interleaved(heads: int, rows: int) -> NDArray[np.int64]:
    """From which row each row comes: halves of a head become pairs. ``[rows]``"""
    return np.arange(rows).reshape(heads, 2, rows // heads // 2).swapaxes(1, 2).reshape(rows)


def _order(name: str) -> tuple[int, int, str]:
    found = _LAYER.match(name)
    if found is None:
        return (0 if "embed" in name else 2, 0, name)
    return (1, int(found[1]), name)


def _one(name: str, weights: Weights, config: Mapping[str, Any], architecture: Architecture, names: Any) -> Tensor:
    module, _, ending = name.rpartition(".")
    target = names.get_name(module)
    if target is None or ending not in ("weight", "bias") or not _may_have(module, ending, architecture):
        raise ExportRefused(
            f"the base holds {name}, for which llama.cpp's {architecture.model} has no place: its answers would be "
            "others. Serve the version with a target that takes the base as it is: --target vllm"
        )
    shape = weights.shapes[name]
    rows = _reader(weights, name)
    if paired(module, architecture):
        sizes = shape_of(config)
        heads = sizes.heads if module.endswith("q_proj") else sizes.kv_heads
        rows = _picked(rows, interleaved(heads, shape[0]), flat=len(shape) == 1)
    if architecture.norm_offset and module.endswith("norm"):
        rows = _shifted(rows, architecture.norm_offset)
    return Tensor(f"{target}.{ending}", shape, name, rows)


def _may_have(module: str, ending: str, architecture: Architecture) -> bool:
    return ending == "weight" or module.rsplit(".", 1)[-1] in architecture.biases


def _reader(weights: Weights, name: str) -> Rows:
    return lambda start, stop: weights.rows(name, start, stop)


def _shifted(rows: Rows, offset: float) -> Rows:
    return lambda start, stop: rows(start, stop) + np.float32(offset)


def _picked(rows: Rows, order: NDArray[np.int64], *, flat: bool) -> Rows:
    """Rows in another order; of a ``flat`` tensor, its values."""

    def read(start: int, stop: int) -> Floats:
        if flat:
            return rows(0, 1)[:, order]
        wanted = order[start:stop]
        first = int(wanted.min())
        return rows(first, int(wanted.max()) + 1)[wanted - first]

    return read


def _constant(name: str, values: Floats) -> Tensor:
    return Tensor(name, values.shape, name, lambda start, stop: values[None, :])


def _experts(found: Sequence[str], weights: Weights, names: Any) -> list[Tensor]:
    """The experts of a layer, one above the other in one tensor for each of their matrices."""
    stacks: dict[tuple[str, str], dict[int, str]] = {}
    for name in found:
        if match := _EXPERT.fullmatch(name):
            stacks.setdefault((match[1], match[3]), {})[int(match[2])] = name
    return [
        _stack(names.get_name(f"{prefix}.{part}"), [members[at] for at in sorted(members)], weights)
        for (prefix, part), members in sorted(stacks.items(), key=lambda one: _order(one[0][0] + one[0][1]))
    ]


def _stack(target: str, members: Sequence[str], weights: Weights) -> Tensor:
    each, width = weights.shapes[members[0]]

    def read(start: int, stop: int) -> Floats:
        parts = []
        while start < stop:
            member, first = divmod(start, each)
            last = min(each, first + stop - start)
            parts.append(weights.rows(members[member], first, last))
            start += last - first
        return np.concatenate(parts)

    return Tensor(f"{target}.weight", (len(members), each, width), members[0], read)
