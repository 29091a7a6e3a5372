"""An adapter as a GGUF file of its own, which llama.cpp adds to a base while it computes.

The format has one number for all scales, ``alpha``; a tensor's own scale is alpha by its rank. Scales of ranks, of
rank-stabilised adapters and of a mix are therefore in the second factor, and alpha is chosen so that nothing is left
to be multiplied. A mix is one adapter whose factors lie beside each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dlm.errors import ExportRefused

from . import about as abouts
from .architectures import architecture_of
from .container import write_file
from .hyperparameters import shape_of
from .layout import Tensor, interleaved, name_map, paired
from .merging import EMBEDDING, HEAD
from .quantising import Held

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from .about import About
    from .checkpoint import Floats
    from .merging import Adapter

ALPHA = 1.0


def require_plain(adapters: Sequence[tuple[Adapter, float]]) -> None:
    """Refuse what is no sum of a base's weight and a product of two factors.

    Raises:
        ExportRefused: says what it is.
    """
    for adapter, _ in adapters:
        if adapter.decomposed:
            what = "is DoRA, which also rescales the base's own weights"
        elif outside := [name for name in (EMBEDDING, HEAD) if name in adapter.updates]:
            what = f"changes {outside[0]}, which llama.cpp leaves alone or shares with the embeddings"
        elif not adapter.only_updates:
            what = "holds trained embeddings or whole modules"
        else:
            continue
        raise ExportRefused(
            f"{adapter.folder}: the adapter {what}: a GGUF adapter has no place for that. Export it merged: --merged"
        )


def write_adapter(
    adapters: Sequence[tuple[Adapter, float]], config: Mapping[str, Any], about: About, path: Path
) -> dict[str, Any]:
    """Write ``adapters``, each times its weight, as one adapter for bases with ``config``; facts for the manifest.

    Raises:
        ExportRefused: it has no form as a GGUF adapter.
        ExportFailed: it cannot be written.
    """
    import gguf

    require_plain(adapters)
    tensors = _tensors(adapters, config)
    architecture = architecture_of(config)
    if architecture is None or not tensors:
        raise ExportRefused("there is nothing that a GGUF adapter could hold: export --merged")
    writer = gguf.GGUFWriter(None, architecture.model)
    writer.add_type("adapter")
    abouts.describe(writer, about)
    writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
    writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, ALPHA)
    write_file(writer, [Held(tensor, "F32") for tensor in tensors], path)
    return {"tensors": {"F32": len(tensors)}}


def _tensors(adapters: Sequence[tuple[Adapter, float]], config: Mapping[str, Any]) -> list[Tensor]:
    architecture = architecture_of(config)
    if architecture is None:
        return []
    sizes = shape_of(config)
    names = name_map(architecture, sizes.layers)
    found: list[Tensor] = []
    for name in sorted({name for adapter, _ in adapters for name in adapter.updates}):
        module = name.removesuffix(".weight")
        a, b = _factors(name, adapters)
        if paired(module, architecture):
            b = b[interleaved(sizes.heads if module.endswith("q_proj") else sizes.kv_heads, len(b))]
        target = names.get_name(module)
        if target is None:
            raise ExportRefused(f"the adapter changes {name}, for which llama.cpp's {architecture.model} has no place")
        found += [_plain(f"{target}.weight.lora_a", a), _plain(f"{target}.weight.lora_b", b)]
    return found


def _factors(name: str, adapters: Sequence[tuple[Adapter, float]]) -> tuple[Floats, Floats]:
    """Of all adapters that change ``name``, beside each other: ``[rank, in]`` and ``[out, rank]``."""
    taking_part = [
        (adapter.updates[name], weight) for adapter, weight in adapters if weight and name in adapter.updates
    ]
    a = np.concatenate([update.a for update, _ in taking_part])
    b = np.concatenate([update.b * np.float32(weight) for update, weight in taking_part], axis=1)
    # llama.cpp multiplies by alpha / rank.
    return a, np.ascontiguousarray(b * np.float32(len(a) / ALPHA))


def _plain(name: str, values: Floats) -> Tensor:
    return Tensor(name, values.shape, name, lambda start, stop: values[start:stop])
