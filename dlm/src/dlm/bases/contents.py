"""What a folder must hold to be a base, and the digest that names what it holds."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, NamedTuple

from ..errors import BaseModelError
from ..store.files import sha256

if TYPE_CHECKING:
    from pathlib import Path

_CONFIGS = ("config.json", "generation_config.json")
_VOLATILE = ("transformers_version", "_name_or_path", "name_or_path")
"""Say who wrote the file, not what the model does; an upgrade of a library must not look like another base."""
_NAMED = ("config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja")


class Measured(NamedTuple):
    """The files that decide what a base says."""

    digest: str
    """``sha256:...``"""
    files: dict[str, str]
    """SHA-256 by name."""
    sizes: dict[str, int]
    """Bytes by name."""


def require_base(folder: Path) -> None:
    """Check that ``folder`` can be loaded as a base.

    Raises:
        BaseModelError: it is missing, or files in it are; names them all.
    """
    if not folder.is_dir():
        raise BaseModelError(f"{folder} is not a folder: base_model: path:DIR needs one that holds a model")
    missing = [name for name in ("config.json", "tokenizer.json") if not (folder / name).is_file()]
    if not any(folder.glob("*.safetensors")):
        missing.append("*.safetensors")
    if missing:
        raise BaseModelError(
            f"{folder} holds no base that dlm can load: {', '.join(missing)} missing. Save the model and its tokenizer "
            "there with save_pretrained (safetensors), or name another base"
        )


def deciding_files(folder: Path) -> list[Path]:
    """The files that decide the model's output, by name."""
    named = [folder / name for name in _NAMED]
    return sorted([path for path in named if path.is_file()] + list(folder.glob("*.safetensors")))


def measure(folder: Path) -> Measured:
    """Hash what decides the output: about a second for each gigabyte."""
    files = {path.name: sha256(path) for path in deciding_files(folder)}
    parts = {path.name: _meaning(path, files[path.name]) for path in deciding_files(folder)}
    total = hashlib.sha256()
    for name, part in sorted(parts.items()):
        if part is not None:
            total.update(f"{name}\0{part}\n".encode())
    sizes = {path.name: path.stat().st_size for path in deciding_files(folder)}
    return Measured(f"sha256:{total.hexdigest()}", files, sizes)


def _meaning(path: Path, raw: str) -> str | None:
    """Hash of what a file says about the model; ``None`` when it says nothing."""
    if path.name in _CONFIGS:
        settings = {key: value for key, value in _settings(path).items() if key not in _VOLATILE}
    elif path.name == "tokenizer_config.json":
        # The tokenizer itself is in tokenizer.json; older models keep their chat template here.
        if (template := _settings(path).get("chat_template")) is None:
            return None
        settings = {"chat_template": template}
    else:
        return raw
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()


def _settings(path: Path) -> dict[str, object]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise BaseModelError(f"{path} cannot be read ({problem}): copy the model there again") from problem
    if not isinstance(found, dict):
        raise BaseModelError(f"{path} is not a JSON object: copy the model there again")
    return found
