"""Whether an export in a pack is the one that its manifest tells of, so that no certificate is about other files.

Asked when a pack is made and again when one is read. What an export's weights are worth, ``dlm verify-export`` finds
out by asking them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from ..export.manifest import MANIFEST_FILE, ExportManifest
from .members import shown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

EXPORTS = "store/exports/"


def is_manifest(name: str) -> bool:
    """Whether the member ``name`` is the manifest of an export."""
    parts = name.split("/")
    return name.startswith(EXPORTS) and len(parts) == 4 and parts[3] == MANIFEST_FILE


def contradictions(
    manifests: Mapping[str, bytes], members: Mapping[str, str], dlm_id: str, versions: Collection[int] | None
) -> Iterator[str]:
    """What the ``manifests``, by member, say that the ``members``, hex digests by name, do not: of a document with the
    id ``dlm_id``, and of one of these ``versions``, or of any. A file that is told of and missing is none.
    """
    for name, data in manifests.items():
        folder = name.removesuffix(MANIFEST_FILE)
        try:
            export = ExportManifest.model_validate_json(data)
        except (ValidationError, RecursionError):
            yield f"{shown(name)} is no manifest of an export"
            continue
        if export.dlm_id != dlm_id:
            yield f"{shown(folder)} is the export of another document ({shown(export.dlm_id)})"
        if versions is not None and export.adapter_version not in versions:
            yield f"{shown(folder)} is the export of v{export.adapter_version:04d}, which is not inside"
        told = {f"{folder}{one.path}": one.sha256 for one in export.artifacts}
        for file, digest in members.items():
            if file.startswith(folder) and file != name and told.get(file) != digest:
                what = "is not the file that was exported" if file in told else "was put there after the export"
                yield f"{shown(file)} {what}"
