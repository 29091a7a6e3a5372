"""What is served: a pack that was made for it, its signatures, and what names their bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dlm.share.packing import PackOptions, pack
from dlm.share.transport import PACK_FILE
from dlm.store.files import disk_errors, sha256

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dlm.share.manifest import PackManifest, Profile


@dataclass(frozen=True)
class File:
    """One file that may be asked for."""

    path: Path
    size: int
    etag: str
    """Quoted, as it stands in a header: the SHA-256 of the bytes, so that another file is never gone on with."""


@dataclass(frozen=True)
class Offering:
    """A document as it was when the server started; what is trained later is not in it."""

    manifest: PackManifest
    digest: str
    """Of the pack, ``sha256:...``, as ``dlm verify`` prints it."""
    files: Mapping[str, File]
    """By what follows ``/v1/ID/pack``: nothing for the pack, ``.sig`` and the like for what lies beside it."""
    notes: tuple[str, ...] = field(default=())

    @property
    def dlm_id(self) -> str:
        """Of the document."""
        return self.manifest.dlm_id

    @property
    def pack(self) -> File:
        """The pack itself."""
        return self.files[""]


def offering(document: Path, spool: Path, home: Path, *, profile: Profile, exports: bool) -> Offering:
    """Pack ``document`` into ``spool``.

    Raises:
        NotTrained: it has no version yet.
        PackRefused: something in it must not be shared.
        DlmError: whatever else keeps ``dlm pack`` from it.
    """
    options = PackOptions(profile=profile, exports=exports, out=spool / PACK_FILE)
    made = pack(document, options, home=home)
    return Offering(made.manifest, made.digest, {"": _file(made.path)}, made.notes)


def _file(path: Path) -> File:
    with disk_errors(path):
        return File(path, path.stat().st_size, f'"{sha256(path)}"')
