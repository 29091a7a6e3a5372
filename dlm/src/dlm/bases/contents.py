"""What a folder must hold to be a base, and the digest that names what it holds."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, NamedTuple

from ..errors import BaseModelError
from ..store.files import sha256

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

_CONFIGS = ("config.json", "generation_config.json")
VOLATILE = ("transformers_version", "_name_or_path", "name_or_path")
"""Say who wrote the file, not what the model does; an upgrade of a library must not look like another base."""
_TOKENIZER = "tokenizer_config.json"
_NAMED = (*_CONFIGS, "tokenizer.json", _TOKENIZER, "chat_template.jinja")
WEIGHTS = ".safetensors"


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
    return sorted([path for path in named if path.is_file()] + list(folder.glob(f"*{WEIGHTS}")))


def measure(folder: Path) -> Measured:
    """Hash what decides the output: about a second for each gigabyte."""
    files = {path.name: sha256(path) for path in deciding_files(folder)}
    digest = digest_of(files, lambda name: _read(folder / name), str(folder))
    sizes = {path.name: path.stat().st_size for path in deciding_files(folder)}
    return Measured(digest, files, sizes)


def decides(name: str) -> bool:
    """Whether a file of this name is one of :func:`deciding_files`."""
    return name in _NAMED or name.endswith(WEIGHTS)


def is_settings(name: str) -> bool:
    """Whether of a file of this name the digest takes what it says, and not its bytes."""
    return name in (*_CONFIGS, _TOKENIZER)


def digest_of(files: Mapping[str, str], read: Callable[[str], bytes], place: str) -> str:
    """The digest of a base with these ``files``, SHA-256 by name; ``read`` gives the bytes of one of the settings.

    Raises:
        BaseModelError: settings are no JSON object; ``place`` says where.
    """
    total = hashlib.sha256()
    for name, raw in sorted(files.items()):
        part = _meaning(name, read, place) if is_settings(name) else raw
        if part is not None:
            total.update(f"{name}\0{part}\n".encode())
    return f"sha256:{total.hexdigest()}"


def _meaning(name: str, read: Callable[[str], bytes], place: str) -> str | None:
    """Hash of what settings say about the model; ``None`` when they say nothing."""
    settings = _settings(read(name), f"{place}/{name}")
    if name in _CONFIGS:
        settings = {key: value for key, value in settings.items() if key not in VOLATILE}
    else:
        # The tokenizer itself is in tokenizer.json; older models keep their chat template here.
        if (template := settings.get("chat_template")) is None:
            return None
        settings = {"chat_template": template}
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as problem:
        raise BaseModelError(f"{path} cannot be read ({problem}): copy the model there again") from problem


def _settings(data: bytes, place: str) -> dict[str, object]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as problem:
        raise BaseModelError(f"{place} cannot be read ({problem}): copy the model there again") from problem
    if not isinstance(found, dict):
        raise BaseModelError(f"{place} is not a JSON object: copy the model there again")
    return found
