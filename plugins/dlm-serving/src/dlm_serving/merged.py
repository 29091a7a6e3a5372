"""A base with what adapters add to it, as a folder that transformers, vLLM and mlx-lm load: merged in blocks of rows,
written in the types that the base has, without PyTorch."""

from __future__ import annotations

import json
import shutil
from math import prod
from typing import TYPE_CHECKING, Any, Final

from dlm.errors import ExportFailed
from dlm.export.quants import header
from dlm.store.encoding import canonical
from dlm.store.files import disk_errors

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import numpy as np

    from dlm.training.mixing import Mix
    from dlm_gguf.merging import Merged

MODEL: Final = "model.safetensors"
_BLOCK = 2**22
"""Numbers that are merged at once."""
_WIDTH = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2}
_BESIDE = ("generation_config.json", "tokenizer.json", "special_tokens_map.json", "vocab.json", "merges.txt")
_TOKENIZER, _TEMPLATE = "tokenizer_config.json", "chat_template.jinja"
_OF_MACHINE = ("_name_or_path", "name_or_path", "_model_name_or_path", "is_local", "local_files_only")


def require_fit(base: Path, adapter: Path | Mix) -> None:
    """Refuse early what :func:`write_merged` would refuse.

    Raises:
        ExportRefused: the adapter changes what this base has not, or does what no merged weights can.
        ExportFailed: files are damaged.
    """
    from dlm_gguf.checkpoint import of_folder
    from dlm_gguf.merging import Merged, read_parts

    Merged(of_folder(base), read_parts(adapter))


def write_merged(
    base: Path, adapter: Path | Mix, folder: Path, template: str | None, config: Mapping[str, Any] | None = None
) -> dict[str, int]:
    """Write the model into the new ``folder``; how many of its tensors have which type. ``config`` is added to the
    base's own configuration; without a ``template`` its tokenizer keeps its own.

    Raises:
        ExportRefused, ExportFailed: as :func:`require_fit`.
    """
    from dlm_gguf.checkpoint import of_folder
    from dlm_gguf.merging import Merged, read_parts

    kinds = _kinds(base)
    weights = Merged(of_folder(base), read_parts(adapter))
    with disk_errors(folder, ExportFailed):
        folder.mkdir(parents=True)
        _write_tensors(folder / MODEL, weights, kinds)
        _write_json(base / "config.json", folder, dict(config or {}))
        for name in _BESIDE:
            if (base / name).is_file():
                shutil.copyfile(base / name, folder / name)
        for path in base.glob("*.model"):
            shutil.copyfile(path, folder / path.name)
        _write_tokenizer(base, folder, template)
    counted = sorted(set(kinds.values()))
    return {kind: list(kinds.values()).count(kind) for kind in counted}


def _kinds(base: Path) -> dict[str, str]:
    """The type of every tensor, by name."""
    return {
        name: str(facts["dtype"])
        for path in sorted(base.glob("*.safetensors"))
        for name, facts in header(path).items()
        if name != "__metadata__"
    }


def _write_tensors(path: Path, weights: Merged, kinds: Mapping[str, str]) -> None:
    described: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    at = 0
    for name in sorted(kinds):
        size = prod(weights.shapes[name]) * _WIDTH[kinds[name]]
        shape = list(weights.shapes[name])
        described[name] = {"dtype": kinds[name], "shape": shape, "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(described, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for name in sorted(kinds):
            for block in _blocks(weights, name):
                file.write(_narrowed(block, kinds[name]).tobytes())


def _blocks(weights: Merged, name: str) -> Iterator[np.ndarray[Any, Any]]:
    shape = weights.shapes[name]
    rows = shape[0] if len(shape) > 1 else 1
    step = max(1, _BLOCK // max(1, prod(shape) // max(1, rows)))
    for start in range(0, rows, step):
        yield weights.rows(name, start, min(rows, start + step))


def _narrowed(block: np.ndarray[Any, Any], kind: str) -> np.ndarray[Any, Any]:
    """Rounded to the nearest number of the type; of two equally near, to the even one."""
    if kind != "BF16":
        return block.astype({"F64": "<f8", "F32": "<f4", "F16": "<f2"}[kind])
    import numpy as np

    bits = np.ascontiguousarray(block, dtype=np.float32).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype("<u2")


def _write_tokenizer(base: Path, folder: Path, template: str | None) -> None:
    if (base / _TOKENIZER).is_file():
        _write_json(base / _TOKENIZER, folder, {}, () if template is None else ("chat_template",))
    if template is not None:
        (folder / _TEMPLATE).write_text(template, encoding="utf-8", newline="")
    elif (base / _TEMPLATE).is_file():
        shutil.copyfile(base / _TEMPLATE, folder / _TEMPLATE)


def _write_json(source: Path, folder: Path, more: Mapping[str, Any], without: tuple[str, ...] = ()) -> None:
    """A copy of ``source`` that names no folder of this machine."""
    found = json.loads(source.read_bytes())
    kept = {key: value for key, value in found.items() if key not in (*_OF_MACHINE, *without)}
    (folder / source.name).write_text(canonical({**kept, **more}), encoding="utf-8")
