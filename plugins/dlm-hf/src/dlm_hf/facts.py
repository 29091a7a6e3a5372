"""What the files of a base and of an adapter say about themselves, for reports. Reads small files and digests only."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def base_facts(folder: Path) -> dict[str, str]:
    """``key``, ``digest``, ``revision`` and ``source`` from the ``base.json`` that dlm writes, where there is one.

    Of a base in the hub's cache, the revision is the name of its folder.
    """
    said = _json(folder / "base.json")
    facts = {name: str(said[name]) for name in ("key", "digest", "revision", "source") if said.get(name)}
    return {"revision": folder.name} if folder.parent.name == "snapshots" and not facts else facts


def adapter_facts(folder: Path) -> dict[str, str]:
    """Digest of the adapter's tensors, and what dlm's ``version.json`` says about where they come from."""
    with (folder / "adapter_model.safetensors").open("rb") as file:
        facts = {"sha256": hashlib.file_digest(file, "sha256").hexdigest()}
    said = _version(folder)
    return facts | {
        name: str(said[name])
        for name in ("dlm_id", "version", "run_id", "document_digest", "base_quantisation")
        if name in said
    }


def declared_digest(folder: Path) -> str | None:
    """Digest of the base that the adapter was trained on, where dlm trained it."""
    base = _version(folder).get("base")
    digest = base.get("digest") if isinstance(base, dict) else None
    return str(digest) if digest else None


def declared_quantisation(folder: Path | None) -> str | None:
    """How the base's weights were held when dlm trained the adapter; ``None`` for weights as they are."""
    found = _version(folder).get("base_quantisation") if folder else None
    return str(found) if found else None


def _version(folder: Path) -> dict[str, Any]:
    """What dlm's ``version.json`` says of the adapter, beside it or above ``adapters/NAME``."""
    said = _json(folder / "version.json")
    if said or folder.parent.name != "adapters":
        return said
    said = _json(folder.parent.parent / "version.json")
    named = said.get("adapters")
    own = named.get(folder.name) if isinstance(named, dict) else None
    return {**said, **own} if isinstance(own, dict) else {}


def _json(path: Path) -> dict[str, Any]:
    """A JSON object, or nothing: these files are extra knowledge, and other tools do not write them."""
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}
