"""Sway's face: a ``.dlm`` path is something to test."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlm_sway.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dlm_sway.sections import SectionData
    from dlm_sway.suite.target import Target


@hookimpl
def dlm_sway_resolve_target(ref: str) -> Target | None:
    """The document's trained model, if ``ref`` names a document, or one of its adapters: ``DOC.dlm#name``."""
    if ".dlm" not in ref.lower():
        return None
    from .target import parted, resolve

    return resolve(ref) if parted(ref) else None


@hookimpl
def dlm_sway_read_sections(path: Path) -> Sequence[SectionData] | None:
    """The document's sections, if ``path`` names a document, or those that train one of its adapters."""
    if ".dlm" not in path.name.lower():
        return None
    from .sections import read
    from .target import parted

    found = parted(str(path))
    return read(*found) if found else None
