"""The exports of a document: those in its store, and those that were put elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import StoreError
from .manifest import read_manifest

if TYPE_CHECKING:
    from ..store.layout import Layout
    from ..store.manifest import Manifest
    from ..store.version import Version
    from .manifest import ExportManifest


@dataclass(frozen=True)
class Listed:
    """One export, there or gone."""

    folder: Path
    manifest: ExportManifest | None
    problem: str = ""
    """Why it has no manifest that can be read."""

    def as_json(self, current: Version | None) -> dict[str, Any]:
        """Plain data for ``--json``; ``current`` is the version that readers use."""
        facts = self.manifest.model_dump(mode="json") if self.manifest else None
        return {
            "folder": str(self.folder),
            "current": is_current(self, current),
            "problem": self.problem or None,
            "manifest": facts,
        }


def is_current(listed: Listed, version: Version | None) -> bool:
    """Whether ``version``, the current one, is what was exported; true where that cannot be told."""
    if listed.manifest is None or version is None:
        return True
    return listed.manifest.adapter_version == version.number


def entry_of(folder: Path, manifest: ExportManifest, layout: Layout) -> dict[str, Any]:
    """What the store's manifest keeps of an export; its folder relative to the store where it lies inside."""
    inside = folder.is_relative_to(layout.root)
    return {
        "folder": folder.relative_to(layout.root).as_posix() if inside else str(folder),
        "target": manifest.target,
        "quant": manifest.quant,
        "form": manifest.form,
        "adapter_version": manifest.adapter_version,
        "certified": manifest.certified,
        "created_at": manifest.created_at,
    }


def exports_of(layout: Layout, manifest: Manifest | None) -> list[Listed]:
    """Every export of the store whose ``manifest`` this is, those in its own folder first; writes nothing."""
    inside = sorted(path for path in layout.exports.iterdir() if _is_place(path)) if layout.exports.is_dir() else []
    recorded = [layout.root / str(entry.get("folder", "")) for entry in (manifest.exports if manifest else ())]
    outside = [folder for folder in recorded if not folder.is_relative_to(layout.root)]
    return [_listed(folder) for folder in (*inside, *dict.fromkeys(outside))]


def _is_place(path: Path) -> bool:
    return path.is_dir() and not path.name.startswith(".")


def _listed(folder: Path) -> Listed:
    try:
        found = read_manifest(folder)
    except StoreError as problem:
        return Listed(folder, None, str(problem))
    return Listed(folder, found, "" if found else "it is gone, or has no manifest")
