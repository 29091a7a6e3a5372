"""A PEFT adapter, or a mix of several, written as mlx-lm loads it: ``adapters.safetensors``, ``adapter_config.json``.

Needs no MLX, so an adapter can be converted on a machine that MLX does not run on.
"""

from __future__ import annotations

import json
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from safetensors.numpy import save_file

from .adapter_file import CONFIG, read_adapter
from .errors import Unusable
from .folding import alike, summed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from .adapter_file import Update

    Rename = Callable[[str], str]

TENSORS: Final = "adapters.safetensors"
LAYER: Final = re.compile(r".*?\blayers\.\d+\.(?P<key>.+)")


@dataclass(frozen=True)
class Converted:
    """What was written."""

    folder: Path
    modules: int
    rank: int
    scale: float
    folded: int
    """Modules whose own rank or scale was another, and went into the factors."""


def convert(
    parts: Sequence[tuple[Path, float]],
    destination: Path,
    *,
    overwrite: bool = False,
    name_in_mlx: Rename = lambda name: name,
) -> Converted:
    """Write the weighted sum of the adapters in ``parts`` (each a folder and a weight) into ``destination``.

    ``name_in_mlx`` gives the name that a module of the base has in MLX, where that is another one. The folder appears
    complete or not at all.

    Raises:
        Unusable: an adapter is more than updates of linear layers, or ``destination`` is in the way.
    """
    _require_free(destination, [folder for folder, _ in parts], overwrite)
    adapters = [read_adapter(folder) for folder, _ in parts]
    given = summed([(adapter.updates, weight) for adapter, (_, weight) in zip(adapters, parts, strict=True)])
    if not given:
        raise Unusable("every adapter of this mix has the weight 0, so nothing is left to convert: leave the mix out")
    updates = alike({name_in_mlx(name): update for name, update in given.items()})
    one = next(iter(updates.values()))
    config = {
        "fine_tune_type": "lora" if one.magnitude is None else "dora",
        "num_layers": -1,  # all: a number counts from the last layer, and would miss the first ones
        "lora_parameters": {
            "rank": one.rank,
            "scale": one.scale,
            "dropout": adapters[0].dropout,
            "keys": _keys(updates),
        },
        "model": adapters[0].base,
    }
    _write(destination, updates, config)
    folded = sum((update.rank, update.scale) != (one.rank, one.scale) for update in given.values())
    return Converted(destination, len(updates), one.rank, one.scale, folded)


def _keys(updates: Mapping[str, Update]) -> list[str]:
    """Names inside a layer, which is how mlx-lm finds the modules."""
    found = {name: LAYER.fullmatch(name) for name in updates}
    outside = [name for name, match in found.items() if match is None]
    if outside:
        raise Unusable(f"{outside[0]} lies in no layer, and mlx-lm adapts modules of layers only: train without it")
    return list(dict.fromkeys(match["key"] for match in found.values() if match))


def _require_free(destination: Path, sources: Sequence[Path], overwrite: bool) -> None:
    if any(destination.resolve() == source.resolve() for source in sources):
        raise Unusable(f"{destination}: this is the adapter that is converted: name another folder")
    if not destination.exists() or (destination.is_dir() and not any(destination.iterdir())):
        return
    if not overwrite:
        raise Unusable(f"{destination} exists: give --overwrite to replace it, or name another folder")
    strangers = (
        sorted({path.name for path in destination.iterdir()} - {CONFIG, TENSORS}) if destination.is_dir() else []
    )
    if strangers or not destination.is_dir():
        what = f"holds {strangers[0]}" if strangers else "is a file"
        raise Unusable(f"{destination} {what}, which is no part of a converted adapter: name another folder")


def _write(destination: Path, updates: Mapping[str, Update], config: Mapping[str, Any]) -> None:
    tensors: dict[str, Any] = {}
    for name, one in updates.items():
        tensors |= {f"{name}.lora_a": one.down, f"{name}.lora_b": one.up}
        tensors |= {} if one.magnitude is None else {f"{name}.m": one.magnitude}
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=destination.parent, prefix=f".{destination.name}-") as scratch:
            made = Path(scratch) / "new"
            made.mkdir()
            save_file({key: tensors[key] for key in sorted(tensors)}, str(made / TENSORS), metadata={"format": "mlx"})
            (made / CONFIG).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
            _swap(made, destination, Path(scratch) / "old")
    except OSError as error:
        raise Unusable(f"{destination} cannot be written: {error.strerror or error}") from error


def _swap(made: Path, destination: Path, old: Path) -> None:
    """Put ``made`` in place of ``destination``, which comes back when that fails."""
    if not destination.exists():
        made.replace(destination)
        return
    destination.replace(old)
    try:
        made.replace(destination)
    except OSError:
        old.replace(destination)
        raise
