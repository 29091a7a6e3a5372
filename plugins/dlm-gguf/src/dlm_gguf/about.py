"""What a file says of itself: names, licence, where its base came from. No path of the machine that wrote it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gguf import GGUFWriter

_STRIPPING = "Phi-3"
"""A name with which llama.cpp lets special tokens swallow spaces behind them; there is no key for it."""
_STRIPS = re.compile(r"phi-?3", re.IGNORECASE)


@dataclass(frozen=True)
class About:
    """Everything that a reader of the file may want to know, and that does not change an answer."""

    name: str
    """Of the model, for people."""
    base: str
    """The base's key or name."""
    repository: str | None = None
    """Where the base is published, such as ``org/name``."""
    revision: str | None = None
    licence: str | None = None
    licence_url: str | None = None
    document: str | None = None
    """Its id."""
    version: str | None = None
    adapter: str | None = None
    """Name, or the mix as it was asked for."""


def describe(writer: GGUFWriter, about: About, values: int | None = None, *, strips_right: bool = False) -> None:
    """Add the general keys to ``writer``; ``values`` is how many numbers the model holds."""
    writer.add_name(_safe_name(about.name, strips_right=strips_right))
    writer.add_basename(about.base)
    if values is not None:
        writer.add_size_label(_size_label(values))
    if about.licence is not None:
        writer.add_license(about.licence)
    if about.licence_url is not None:
        writer.add_license_link(about.licence_url)
    writer.add_base_model_count(1)
    writer.add_base_model_name(0, about.base)
    if about.revision is not None:
        writer.add_base_model_version(0, about.revision)
    if about.repository is not None:
        writer.add_base_model_repo_url(0, f"https://huggingface.co/{about.repository}")
    for key, value in (("document_id", about.document), ("version", about.version), ("adapter", about.adapter)):
        if value is not None:
            writer.add_string(f"dlm.{key}", value)


def _safe_name(name: str, *, strips_right: bool) -> str:
    """A name that llama.cpp draws the right conclusion from."""
    if not strips_right:
        return _STRIPS.sub("Phi 3", name)
    return name if _STRIPS.search(name) else f"{name} ({_STRIPPING})"


def _size_label(values: int) -> str:
    return f"{values / 1e9:.1f}B" if values >= 1e9 else f"{round(values / 1e6)}M"
