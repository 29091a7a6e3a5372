"""What adapters learned, added to the base's weights: LoRA with its patterns, rank-stabilised, DoRA, trained rows of
tokens, whole modules, and a mix of several. In ``float32``, a block of rows at a time, as PEFT does with whole weights.

Every tensor of an adapter is used or refused; none is left out silently.
"""

from __future__ import annotations

import json
import math
import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from dlm.errors import ExportFailed, ExportRefused

from .checkpoint import Checkpoint

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from dlm.training.mixing import Mix

    from .checkpoint import Floats, Weights

CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"
EMBEDDING = "model.embed_tokens.weight"
HEAD = "lm_head.weight"
_PREFIX = "base_model.model."
_PARTS = {
    ".lora_A.weight": "a",
    ".lora_B.weight": "b",
    ".lora_embedding_A": "embedding_a",
    ".lora_embedding_B": "embedding_b",
    ".lora_magnitude_vector": "magnitude",
    ".lora_magnitude_vector.weight": "magnitude",
    ".token_adapter.trainable_tokens_delta": "tokens",
    ".trainable_tokens_delta": "tokens",
}


@dataclass(frozen=True)
class Update:
    """What an adapter does to one weight of the base."""

    a: Floats
    """``[rank, in]``"""
    b: Floats
    """``[out, rank]``, its scale multiplied in."""
    magnitude: Floats | None = None
    """DoRA's, ``[out]``."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the weight that it changes."""
        return len(self.b), self.a.shape[1]

    def change(self, rows: Floats, start: int) -> Floats:
        """What is to be added to ``rows`` of the base, the first of which is number ``start``."""
        stop = start + len(rows)
        delta: Floats = self.b[start:stop] @ self.a
        if self.magnitude is None:
            return delta
        moved = rows + delta
        norms = np.linalg.norm(moved, axis=1)
        turned: Floats = moved * (self.magnitude[start:stop] / norms)[:, None] - rows
        return turned


@dataclass(frozen=True)
class Adapter:
    """One adapter, by names of the base's tensors."""

    folder: Path
    updates: Mapping[str, Update]
    rows: Mapping[str, tuple[tuple[int, ...], Floats]] = field(default_factory=dict)
    """Rows that are replaced, by the number of the token."""
    replaced: Mapping[str, str] = field(default_factory=dict)
    """Tensors that are replaced whole, before updates: their keys in :attr:`file`."""
    file: Checkpoint = field(default_factory=lambda: Checkpoint([]))
    ties: bool = False
    """Whether what it does to the embedding, it does to a head that is the same matrix."""

    @property
    def only_updates(self) -> bool:
        """Whether it adds to weights and does nothing else."""
        return not self.rows and not self.replaced

    @property
    def decomposed(self) -> bool:
        """Whether it is DoRA, anywhere."""
        return any(update.magnitude is not None for update in self.updates.values())


class Merged:
    """``base`` with what ``adapters`` add, each times its weight.

    Raises:
        ExportRefused: an adapter changes a tensor that ``base`` has not, or has in another shape.
    """

    def __init__(self, base: Weights, adapters: Sequence[tuple[Adapter, float]]) -> None:
        self._base = base
        self._adapters = adapters
        self.shapes = base.shapes
        for adapter, _ in adapters:
            _require_fit(adapter, base.shapes)
        if len(adapters) > 1 and any(not adapter.only_updates for adapter, _ in adapters):
            raise ExportRefused(
                "an adapter of this mix holds trained embeddings or whole modules, which have no weighted sum: export "
                "one of them alone with --adapter NAME"
            )

    def rows(self, name: str, start: int, stop: int) -> Floats:
        """As :meth:`.checkpoint.Weights.rows`."""
        found = self._untouched(name, start, stop)
        added = [
            adapter.updates[name].change(found, start) * np.float32(weight)
            for adapter, weight in self._adapters
            if weight and name in adapter.updates
        ]
        for one in added:
            found += one
        for adapter, _ in self._adapters:
            tokens, values = adapter.rows.get(name, ((), None))
            for at, token in enumerate(tokens):
                if values is not None and start <= token < stop:
                    found[token - start] = values[at]
        return found

    def _untouched(self, name: str, start: int, stop: int) -> Floats:
        """The base's rows, or those that an adapter brings in their place."""
        for adapter, _ in self._adapters:
            if name in adapter.replaced:
                return adapter.file.rows(adapter.replaced[name], start, stop)
        return self._base.rows(name, start, stop)


def read_parts(adapter: Path | Mix) -> list[tuple[Adapter, float]]:
    """The adapter in a folder, or all of a mix that have a weight.

    Raises:
        ExportRefused, ExportFailed: as :func:`read_adapter`.
    """
    from dlm.training.mixing import Mix

    if isinstance(adapter, Mix):
        return [(read_adapter(part.folder), part.weight) for part in adapter.parts if part.weight]
    return [(read_adapter(adapter), 1.0)]


def read_adapter(folder: Path) -> Adapter:
    """The adapter that PEFT saved in ``folder``, without its weights that replace whole modules.

    Raises:
        ExportRefused: it does something that has no counterpart in merged weights; says what.
        ExportFailed: a file is missing or damaged.
    """
    config = _config(folder / CONFIG)
    file = Checkpoint([folder / WEIGHTS])
    parts: dict[str, dict[str, Floats]] = defaultdict(dict)
    replaced: dict[str, str] = {}
    for key in sorted(file.shapes):
        module, part = _split(key)
        if part is None:
            replaced[module] = key
        else:
            parts[module][part] = file.whole(key)
    updates, rows = {}, {}
    for module, found in parts.items():
        tokens = found.pop("tokens", None)
        if tokens is not None:
            rows[f"{module}.weight"] = (_tokens(config, module, folder), tokens)
        if found:
            updates[f"{module}.weight"] = _update(module, found, config, folder)
    _require_known(replaced, config, folder)
    return Adapter(folder, updates, rows, replaced, file, bool(config.get("ensure_weight_tying")))


def _config(path: Path) -> dict[str, Any]:
    try:
        config: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise ExportFailed(f"{path} cannot be read ({problem}): train the version again") from problem
    refused = {
        "it is no LoRA adapter": config.get("peft_type") != "LORA",
        "its layers are transposed (fan_in_fan_out)": config.get("fan_in_fan_out"),
        "it trained biases": config.get("bias", "none") != "none" or config.get("lora_bias"),
        "it repeats layers": config.get("layer_replication"),
        "it changes parameters of experts": config.get("target_parameters"),
        "it answers only after certain tokens (aLoRA)": config.get("alora_invocation_tokens"),
        "its update is held in blocks (bdLoRA or QA-LoRA)": config.get("use_bdlora") or config.get("use_qalora"),
    }
    if reasons := [what for what, holds in refused.items() if holds]:
        raise ExportRefused(
            f"{path.parent}: this adapter cannot be exported to GGUF: {'; '.join(reasons)}. Train with "
            "`training.adapter: lora` in the document"
        )
    return config


def _split(key: str) -> tuple[str, str | None]:
    """The base's module and the part of its update; or the base's tensor, and ``None`` for one that is replaced."""
    name = key.removeprefix(_PREFIX)
    for ending, part in _PARTS.items():
        if name.endswith(ending):
            return name.removesuffix(ending), part
    return name.replace(".base_layer.", "."), None


def _update(module: str, found: Mapping[str, Floats], config: Mapping[str, Any], folder: Path) -> Update:
    """A module's factors with the scale in the second one, as PEFT computes it."""
    if found.keys() >= {"embedding_a", "embedding_b"}:
        # Of an embedding the update is transposed: tokens are rows.
        a, b = found["embedding_b"].T, found["embedding_a"].T
    elif found.keys() >= {"a", "b"}:
        a, b = found["a"], found["b"]
    else:
        raise ExportFailed(f"{folder / WEIGHTS} holds half of the update of {module}: train the version again")
    scale = np.float32(_scale(module, len(a), config))
    magnitude = found.get("magnitude")
    return Update(np.ascontiguousarray(a), np.ascontiguousarray(b) * scale, magnitude)


def _scale(module: str, rank: int, config: Mapping[str, Any]) -> float:
    alpha = float(config["lora_alpha"])
    for pattern, own in (config.get("alpha_pattern") or {}).items():
        if re.match(rf"(.*\.)?({pattern})$", module):
            alpha = float(own)
            break
    return alpha / (math.sqrt(rank) if config.get("use_rslora") else rank)


def _tokens(config: Mapping[str, Any], module: str, folder: Path) -> tuple[int, ...]:
    wanted = config.get("trainable_token_indices") or ()
    if isinstance(wanted, dict):
        wanted = next((tokens for name, tokens in wanted.items() if f".{module}".endswith(f".{name}")), ())
    if not wanted:
        raise ExportFailed(f"{folder / CONFIG} does not say which tokens {WEIGHTS} holds: train the version again")
    return tuple(int(token) for token in wanted)


def _require_known(replaced: Mapping[str, str], config: Mapping[str, Any], folder: Path) -> None:
    """Refuse tensors that are neither an update nor of a module that the adapter says it saves."""
    saved = [*(config.get("modules_to_save") or ()), "embed_tokens", "lm_head"]
    strange = [name for name in replaced if name.removesuffix(".weight").rsplit(".", 1)[-1] not in saved]
    if strange:
        raise ExportRefused(
            f"{folder / WEIGHTS} holds {len(strange)} tensors that no merge accounts for, such as {strange[0]}: train "
            "with `training.adapter: lora`"
        )


def _require_fit(adapter: Adapter, shapes: Mapping[str, tuple[int, ...]]) -> None:
    expected: dict[str, tuple[int, ...]] = {
        name: (len(update.b), update.a.shape[1]) for name, update in adapter.updates.items()
    }
    expected |= {name: adapter.file.shapes[key] for name, key in adapter.replaced.items()}
    wrong = [name for name, shape in expected.items() if shapes.get(name) != shape]
    wrong += [name for name in adapter.rows if name not in shapes]
    if wrong:
        raise ExportRefused(
            f"{adapter.folder}: the adapter does not fit this base: {len(wrong)} of its tensors have no place there, "
            f"such as {wrong[0]}. Export with the base it was trained on, or train again"
        )
    if HEAD not in shapes and EMBEDDING in (*adapter.updates, *adapter.replaced) and not adapter.ties:
        raise ExportRefused(
            f"{adapter.folder}: the adapter changes the embedding alone, and in this base the head is the same matrix: "
            "merged, both would change. Train with `training.adapter: lora`, which leaves embeddings alone"
        )
