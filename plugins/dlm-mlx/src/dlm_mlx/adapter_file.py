"""A PEFT adapter as numbers: every module's update with its exact scale, or the reason why it is more than that.

Needs neither MLX nor PEFT. What becomes of the updates: :mod:`.folding` and :mod:`.placing`.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from safetensors import SafetensorError, safe_open

from .errors import Unusable

if TYPE_CHECKING:
    from pathlib import Path

    Array = np.ndarray[Any, np.dtype[np.float32]]

CONFIG, WEIGHTS, PICKLE = "adapter_config.json", "adapter_model.safetensors", "adapter_model.bin"
DECOMPOSING: Final = ("pissa", "olora", "corda", "loftq", "lora_ga")
"""Initialisations that subtract the adapter's start from the base's own weights."""
TENSOR: Final = re.compile(
    r"(?:base_model\.model\.)?(?P<module>.+)\.lora_"
    r"(?:(?P<side>[AB])(?:\.default)?\.weight|(?P<size>magnitude_vector)(?:\.default)?(?:\.weight)?)"
)
MORE_THAN_UPDATES: Final = {
    "use_qalora": "it is QA-LoRA, which averages a module's inputs first",
    "use_bdlora": "it is BD-LoRA, whose factors are blocks",
    "alora_invocation_tokens": "it is aLoRA, which acts only after certain tokens",
    "arrow_config": "it routes between adapters (Arrow)",
    "kasa_config": "it is KaSA, which changes the base's own weights",
    "monteclora_config": "it draws its weights at random (MonteCLoRA)",
    "velora_config": "it is VeLoRA",
    "layer_replication": "it repeats layers of the base",
    "lora_bias": "its updates have biases",
    "modules_to_save": "it holds whole modules, trained without LoRA",
    "trainable_token_indices": "it holds trained embeddings of tokens",
    "target_parameters": "it changes parameters of experts",
}
"""Keys of an adapter's configuration which, when set, say that its updates are not LoRA's or DoRA's."""


class Update(NamedTuple):
    """What training added to one linear layer: its output grows by ``weight * scale * (x @ down) @ up``.

    With a ``magnitude`` it is DoRA's: of ``W + scale * (down @ up).T`` every row gets the norm ``magnitude``, and
    ``weight`` times the difference from ``W`` is added.
    """

    down: Array
    """[in, r] float32."""
    up: Array
    """[r, out] float32."""
    scale: float
    magnitude: Array | None = None
    """[out] float32."""
    weight: float = 1.0

    @property
    def rank(self) -> int:
        """r, of the factors as they are saved."""
        return int(self.down.shape[1])


@dataclass(frozen=True)
class Adapter:
    """Every update of one adapter, by the module's name in the base, sorted."""

    folder: Path
    updates: dict[str, Update]
    base: str | None
    """The base that it says it was trained on."""
    revision: str | None
    dropout: float


def read_adapter(folder: Path) -> Adapter:
    """The adapter in ``folder``. Nothing is executed, nothing is fetched.

    Raises:
        Unusable: a file is missing or damaged, or the adapter is more than updates of linear layers.
    """
    config = _read_config(folder)
    reasons = [*_reasons(config)]
    if reasons:
        raise Unusable(
            f"{folder}: this adapter cannot be put on MLX as it was trained: {'; '.join(reasons)}. Use it with PEFT "
            "(dlm prompt --backend hf, sway.yaml: kind: hf), or train it again as LoRA"
        )
    factors = _read_factors(folder)
    updates = {name: _update(folder, config, name, *factors[name]) for name in sorted(factors, key=_natural)}
    return Adapter(
        folder,
        updates,
        config.get("base_model_name_or_path") or None,
        config.get("revision") or None,
        float(config.get("lora_dropout") or 0.0),
    )


def _read_config(folder: Path) -> dict[str, Any]:
    path = folder / CONFIG
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise Unusable(f"{folder}: no {CONFIG}, so this is no adapter: give the folder that PEFT saved") from error
    except (OSError, ValueError) as error:
        raise Unusable(f"{path}: cannot be read as JSON ({error}): train or copy the adapter again") from error
    if isinstance(config, dict) and "peft_type" in config:
        return config
    if isinstance(config, dict) and "fine_tune_type" in config:
        raise Unusable(f"{folder}: this adapter is in MLX's own format already: give the folder that PEFT saved")
    raise Unusable(f"{path}: names no peft_type, so PEFT did not write it: give the folder that PEFT saved")


def _reasons(config: dict[str, Any]) -> list[str]:
    """Why the adapter is more than updates of linear layers; nothing when it is not."""
    if config["peft_type"] != "LORA":
        return [f"it is {config['peft_type']}, not LoRA"]
    found = [reason for key, reason in MORE_THAN_UPDATES.items() if config.get(key) not in (None, False, [], {})]
    if config.get("bias", "none") != "none":
        found.append(f"it trained the base's own biases (bias={config['bias']!r})")
    start = str(config.get("init_lora_weights", "")).lower()
    if start.startswith(DECOMPOSING):
        found.append(
            f"it was started with init_lora_weights={start!r}, which changes the base's own weights (save it again "
            "with path_initial_model_for_weight_conversion, which makes it a plain adapter)"
        )
    return found


def _read_factors(folder: Path) -> dict[str, tuple[Array, Array, Array | None]]:
    """A and B of each module, and DoRA's norms."""
    path = folder / WEIGHTS
    if not path.is_file() and (folder / PICKLE).is_file():
        raise Unusable(
            f"{folder / PICKLE}: a pickle can run any code when it is loaded, so it is not opened: save the adapter "
            "again where it was trained, with save_pretrained(..., safe_serialization=True)"
        )
    if not path.is_file():
        raise Unusable(f"{folder}: no {WEIGHTS}: the adapter was not saved completely; train or copy it again")
    try:
        with safe_open(str(path), framework="pt") as file:  # NumPy has no bf16
            tensors = {key: file.get_tensor(key).float().numpy() for key in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise Unusable(f"{path}: damaged ({error}): train or copy the adapter again") from error
    return _paired(path, tensors)


def _paired(path: Path, tensors: dict[str, Array]) -> dict[str, tuple[Array, Array, Array | None]]:
    sides: dict[str, dict[str, Array]] = {}
    for key, tensor in tensors.items():
        found = TENSOR.fullmatch(key)
        if found is None:
            raise Unusable(f"{path}: {key} {_what_it_is(key)}: use the adapter with PEFT, or train it as LoRA")
        if _is_head(found["module"]):
            raise Unusable(f"{path}: {key} changes the base's head, which may be its embeddings too: train it without")
        sides.setdefault(found["module"], {})[found["side"] or "m"] = tensor
    if not sides:
        raise Unusable(f"{path}: holds no tensor: train or copy the adapter again")
    for name, pair in sides.items():
        shapes = {side: tuple(tensor.shape) for side, tensor in pair.items()}
        if not _belong_together(shapes):
            raise Unusable(f"{path}: {name} has the factors {shapes}, not [r, in] and [out, r]: copy the adapter again")
    return {name: (pair["A"], pair["B"], pair.get("m")) for name, pair in sides.items()}


def _belong_together(shapes: dict[str, tuple[int, ...]]) -> bool:
    """[r, in] and [out, r], and [out] where there are norms."""
    down, up = shapes.get("A", ()), shapes.get("B", ())
    fits = len(down) == len(up) == 2 and down[0] == up[1]
    return fits and shapes.get("m", up[:1]) == up[:1]


def _what_it_is(key: str) -> str:
    if "lora_embedding_" in key or "embed_tokens" in key:
        return "changes the embeddings, which the base's head may share"
    return "is no factor of a linear layer's update"


def _is_head(module: str) -> bool:
    return module.rpartition(".")[2] in ("lm_head", "embed_out")


def _update(folder: Path, config: dict[str, Any], name: str, down: Array, up: Array, magnitude: Array | None) -> Update:
    rank = int(down.shape[0])
    declared = int(_of_pattern(config.get("rank_pattern"), name, config.get("r", rank)))
    if declared != rank:
        raise Unusable(
            f"{folder}: {CONFIG} gives {name} the rank {declared}, and its tensors have {rank}: the two files are not "
            "of one training; copy the adapter again"
        )
    alpha = float(_of_pattern(config.get("alpha_pattern"), name, config.get("lora_alpha", rank)))
    scale = alpha / (math.sqrt(rank) if config.get("use_rslora") else rank)
    if bool(config.get("use_dora")) is (magnitude is None):
        raise Unusable(f"{folder}: {CONFIG} and {WEIGHTS} do not agree on whether {name} is DoRA: copy it again")
    return Update(np.ascontiguousarray(down.T), np.ascontiguousarray(up.T), scale, magnitude)


def _of_pattern(patterns: dict[str, Any] | None, name: str, otherwise: Any) -> Any:
    """The value of the first pattern that ``name`` ends with, as PEFT matches them: regular expressions, anchored."""
    for pattern, value in (patterns or {}).items():
        if re.match(rf"(.*\.)?({pattern})$", name):
            return value
    return otherwise


def _natural(name: str) -> list[tuple[int, str]]:
    """Orders layer 2 before layer 10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in name.split(".")]
