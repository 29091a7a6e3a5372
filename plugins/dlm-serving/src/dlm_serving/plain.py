"""One plain LoRA out of any: a version's adapter, or a mix of several, with one rank and one scale for all modules.

Servers read an adapter's ``r`` and ``lora_alpha`` and nothing else that scales it, so patterns of ranks and of alphas
would be left out without a word. Here every module's scale, and its weight in a mix, is multiplied into ``lora_B``, and
ranks are filled up with zeros: the update of the weights stays what it was. A mix stacks the ranks of its parts.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dlm.errors import ExportFailed, ExportRefused
from dlm.store.encoding import canonical
from dlm.store.files import disk_errors
from dlm.store.version import ADAPTER_FILE, CONFIG_FILE
from dlm.training.mixing import Mix

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np

_KEY = re.compile(r"base_model\.model\.(?P<module>.+)\.lora_(?P<side>[AB])\.weight")
_SETTLED = {"lora_dropout": 0.0, "rank_pattern": {}, "alpha_pattern": {}, "use_rslora": False, "inference_mode": True}


@dataclass(frozen=True)
class Plain:
    """The update ``B @ A`` of each module's weights, nothing left to multiply by."""

    config: Mapping[str, Any]
    """``adapter_config.json`` of what it was made from."""
    modules: Mapping[str, tuple[np.ndarray, np.ndarray]]
    """``A`` of shape ``(rank, in)`` and ``B`` of shape ``(out, rank)``, by the module's name; one rank for all."""

    @property
    def rank(self) -> int:
        """Of every module."""
        return max(len(down) for down, _ in self.modules.values())


def config_of(folder: Path) -> dict[str, Any]:
    """``adapter_config.json`` of the adapter in ``folder``.

    Raises:
        ExportFailed: it is missing or damaged.
    """
    path = folder / CONFIG_FILE
    try:
        config = json.loads(path.read_bytes())
    except (OSError, ValueError) as problem:
        raise ExportFailed(f"{path} cannot be read ({problem}): train again with `dlm train DOC`") from problem
    if not isinstance(config, dict):
        raise ExportFailed(f"{path} is not a JSON object: train again with `dlm train DOC`")
    return config


def folders_of(adapter: Path | Mix) -> tuple[Path, ...]:
    """Of an adapter, or of every part of a mix."""
    return tuple(part.folder for part in adapter.parts) if isinstance(adapter, Mix) else (adapter,)


def obstacle(config: Mapping[str, Any]) -> str | None:
    """Why an adapter of this configuration is more than updates of layers' weights; ``None`` for a LoRA that is not."""
    kind = str(config.get("peft_type"))
    targets = config.get("target_modules") or ()
    ends = [name for name in ("embed_tokens", "lm_head") if not isinstance(targets, str) and name in targets]
    reasons = (
        (kind != "LORA", f"it is {kind}, not LoRA"),
        (config.get("use_dora"), "it is DoRA, whose magnitudes depend on the base's own weights"),
        (config.get("modules_to_save"), "it holds whole modules"),
        (config.get("trainable_token_indices"), "it holds trained embeddings of tokens"),
        (config.get("target_parameters"), "it changes parameters of experts"),
        (config.get("bias", "none") != "none" or config.get("lora_bias"), "it holds biases"),
        (ends, f"it changes {' and '.join(ends)}"),
    )
    return next((why for holds, why in reasons if holds), None)


def scale(config: Mapping[str, Any], module: str, rank: int) -> float:
    """What PEFT multiplies ``B @ A`` of ``module`` by."""
    alpha = _pattern(config.get("alpha_pattern"), module, config["lora_alpha"])
    return float(alpha) / (math.sqrt(rank) if config.get("use_rslora") else rank)


def is_uniform(config: Mapping[str, Any]) -> bool:
    """Whether ``r`` and ``lora_alpha`` are all that scales it, so that its files can be served as they are."""
    return not (config.get("rank_pattern") or config.get("alpha_pattern"))


def read_plain(adapter: Path | Mix) -> Plain:
    """The adapter in a folder, or a mix of several.

    Raises:
        ExportRefused: it is more than updates of weights; says what.
        ExportFailed: its files are damaged.
    """
    import numpy as np

    parts = [(part.folder, part.weight) for part in adapter.parts if part.weight] if isinstance(adapter, Mix) else []
    stacks: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
    for folder, weight in parts or [(folder, 1.0) for folder in folders_of(adapter)[:1]]:
        for module, pair in _read(folder, weight).items():
            stacks.setdefault(module, []).append(pair)
    stacked = {
        module: (np.concatenate([down for down, _ in pairs]), np.concatenate([up for _, up in pairs], axis=1))
        for module, pairs in sorted(stacks.items())
    }
    rank = max(len(down) for down, _ in stacked.values())
    modules = {module: _filled(down, up, rank) for module, (down, up) in stacked.items()}
    return Plain(config_of(folders_of(adapter)[0]), modules)


def write_plain(plain: Plain, folder: Path, base: str, revision: str | None) -> None:
    """Write ``plain`` into the existing ``folder`` in PEFT layout, for ``base`` as others know it.

    Raises:
        ExportFailed: the disk is full or closed to us.
    """
    from safetensors.numpy import save_file

    sides = {"A": 0, "B": 1}
    tensors = {
        f"base_model.model.{module}.lora_{side}.weight": pair[at]
        for module, pair in plain.modules.items()
        for side, at in sides.items()
    }
    own = {"r": plain.rank, "lora_alpha": plain.rank, "target_modules": _targets(plain.modules), **_SETTLED}
    write_config({**plain.config, **own}, folder, base, revision)
    with disk_errors(folder / ADAPTER_FILE, ExportFailed):
        save_file(tensors, folder / ADAPTER_FILE, metadata={"format": "pt"})


def write_config(config: Mapping[str, Any], folder: Path, base: str, revision: str | None) -> None:
    """Write ``adapter_config.json`` into ``folder``, for ``base`` as others know it: what training wrote there may be a
    folder of this machine.

    Raises:
        ExportFailed: the disk is full or closed to us.
    """
    path = folder / CONFIG_FILE
    named = {**config, "base_model_name_or_path": base, "revision": revision, "inference_mode": True}
    with disk_errors(path, ExportFailed):
        path.write_text(canonical(named), encoding="utf-8")


def copy_or_write(adapter: Path | Mix, folder: Path, base: str, revision: str | None) -> int:
    """Put ``adapter`` into the new ``folder``: tensors byte for byte where that is what servers need. Its rank.

    Raises:
        ExportRefused, ExportFailed: as :func:`read_plain`.
    """
    import shutil

    with disk_errors(folder, ExportFailed):
        folder.mkdir(parents=True)
    if not isinstance(adapter, Mix) and is_uniform(config := config_of(adapter)):
        _refuse(adapter, config)
        write_config(config, folder, base, revision)
        with disk_errors(folder / ADAPTER_FILE, ExportFailed):
            shutil.copyfile(adapter / ADAPTER_FILE, folder / ADAPTER_FILE)
        return int(config["r"])
    plain = read_plain(adapter)
    write_plain(plain, folder, base, revision)
    return plain.rank


def _read(folder: Path, weight: float) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Pairs by module, the scale and ``weight`` multiplied in."""
    import numpy as np
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    config = config_of(folder)
    _refuse(folder, config)
    try:
        tensors = load_file(folder / ADAPTER_FILE)
    except (OSError, SafetensorError) as problem:
        raise ExportFailed(f"{folder / ADAPTER_FILE} cannot be read ({problem}): go back with `dlm use`") from problem
    sides: dict[str, dict[str, np.ndarray]] = {}
    for key, tensor in tensors.items():
        if (found := _KEY.fullmatch(key)) is None:
            raise ExportRefused(f"{folder}: holds the tensor {key}, which is no update of a layer's weights")
        sides.setdefault(found["module"], {})[found["side"]] = tensor.astype(np.float32)
    if lone := sorted(module for module, pair in sides.items() if len(pair) != 2):
        raise ExportFailed(f"{folder / ADAPTER_FILE}: lora_A or lora_B of {lone[0]} is missing: go back with `dlm use`")
    return {
        module: (pair["A"], np.float32(weight * scale(config, module, len(pair["A"]))) * pair["B"])
        for module, pair in sides.items()
    }


def _refuse(folder: Path, config: Mapping[str, Any]) -> None:
    if (why := obstacle(config)) is not None:
        raise ExportRefused(f"the adapter in {folder} cannot be served by itself: {why}. Export it with --merged")


def _filled(down: np.ndarray, up: np.ndarray, rank: int) -> tuple[np.ndarray, np.ndarray]:
    import numpy as np

    missing = rank - len(down)
    return np.pad(down, ((0, missing), (0, 0))), np.pad(up, ((0, 0), (0, missing)))


def _pattern(patterns: Any, module: str, default: Any) -> Any:
    """As PEFT looks patterns up: the first that matches the end of the module's name."""
    for pattern, value in (patterns or {}).items():
        if re.match(rf"(.*\.)?({pattern})$", module):
            return value
    return default


def _targets(modules: Mapping[str, Any]) -> list[str]:
    return sorted({module.rpartition(".")[2] for module in modules})
