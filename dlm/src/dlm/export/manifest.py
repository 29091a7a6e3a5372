"""``export_manifest.json``: what lies in an export, what it was made of, and what its certificate says.

No path of the machine that made it is inside, so the folder can be moved and given away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ..errors import ExportFailed, StoreError
from ..store.encoding import canonical, jsonable
from ..store.files import disk_errors, sha256, sync_tree, write_atomic
from ..store.models import read_model

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA_VERSION: Literal[1] = 1
MANIFEST_FILE = "export_manifest.json"
Form = Literal["merged", "adapter"]
Certified = Literal["passed", "lossy", "unknown", "not measured"]


class _Part(BaseModel):
    # Keys of newer versions survive a read.
    model_config = ConfigDict(frozen=True, extra="allow")


class Artifact(_Part):
    """One file of the export."""

    path: str
    """Relative to the folder, with ``/``."""
    sha256: str
    size_bytes: int = Field(ge=0)


class ExportedAdapter(_Part):
    """One adapter that went in."""

    name: str | None = None
    """``None`` for one without a name."""
    sha256: str | None = None
    weight: float = 1.0
    trained_on: str = "full"
    """How the base's weights were held when it was trained: ``full``, or the kind of quantisation."""


class ExportManifest(_Part):
    """The whole file."""

    schema_version: Literal[1] = SCHEMA_VERSION
    dlm_id: str
    target: str
    quant: str | None = None
    form: Form
    merged: bool
    dequantized: bool = False
    """An adapter trained on quantised weights was merged into the full ones, because somebody asked for it."""
    template: bool = True
    """The conversation template went in."""
    name: str | None = None
    """What the model is called where it is served."""
    ollama_name: str | None = None
    created_at: str
    created_by: str
    llama_cpp_tag: str | None = None
    base_model: str
    base_model_hf_id: str | None = None
    base_model_revision: str | None = None
    base_digest: str
    base_licence: str | None = None
    adapter_version: int = Field(ge=1)
    adapters: tuple[ExportedAdapter, ...]
    every_adapter: bool = False
    """All of the version's named adapters are inside, each for itself."""
    document_digest: str | None = None
    """Of the document that the version was trained from."""
    tool_versions: dict[str, str] = {}
    facts: dict[str, Any] = {}
    """What the target says of what it wrote."""
    certificate: dict[str, Any] | None = None
    """The verdict and the main figures; ``None`` where none was measured."""
    certified: Certified = "not measured"
    """``lossy``: below the floor, and kept because somebody asked for it. ``unknown``: it could not be measured."""
    artifacts: tuple[Artifact, ...] = ()

    @property
    def bytes(self) -> int:
        """Of all artifacts."""
        return sum(artifact.size_bytes for artifact in self.artifacts)


def artifacts_of(folder: Path) -> tuple[Artifact, ...]:
    """Every file below ``folder`` but the manifest, by name.

    Raises:
        ExportFailed: something there is no plain file.
    """
    found = []
    with disk_errors(folder, ExportFailed):
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder).as_posix()
            if path.is_symlink() or not (path.is_dir() or path.is_file()):
                raise ExportFailed(f"the export holds {name}, which is no plain file: that is a mistake of its target")
            if path.is_file() and name != MANIFEST_FILE:
                found.append(Artifact(path=name, sha256=sha256(path), size_bytes=path.stat().st_size))
    return tuple(found)


def write_manifest(folder: Path, manifest: ExportManifest) -> None:
    """Write ``manifest`` into ``folder`` as the last file, everything there durable.

    Raises:
        ExportFailed: the disk is full or closed to us.
    """
    with disk_errors(folder, ExportFailed):
        sync_tree(folder)
    write_atomic(folder / MANIFEST_FILE, canonical(jsonable(manifest.model_dump(mode="json"))), ExportFailed)


def read_manifest(folder: Path) -> ExportManifest | None:
    """The manifest in ``folder``; ``None`` when it has none.

    Raises:
        StoreError: it is damaged, or of a newer dlm.
    """
    return read_model(folder / MANIFEST_FILE, ExportManifest, SCHEMA_VERSION, _damaged)


def is_export(folder: Path) -> bool:
    """Whether an export that can be read lies in ``folder``."""
    try:
        return read_manifest(folder) is not None
    except StoreError:
        return False


def schema() -> str:
    """Text of ``contracts/export-manifest.schema.json``."""
    return canonical({"$schema": "https://json-schema.org/draft/2020-12/schema", **ExportManifest.model_json_schema()})


def _damaged(path: Path, what: str) -> str:
    return f"{path} is damaged ({what}): make the export again with `dlm export DOC --target TARGET`"
