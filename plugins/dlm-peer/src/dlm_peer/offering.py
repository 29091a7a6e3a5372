"""What is served: a pack that was made for it, its signatures, and what names their bytes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from dlm.share.packing import pack
from dlm.share.sidecars import beside
from dlm.share.signing import prepare
from dlm.share.signing import sign as signed_by
from dlm.share.transport import PACK_FILE
from dlm.store.files import disk_errors, sha256

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dlm.share.manifest import PackManifest
    from dlm.share.packing import PackOptions
    from dlm.share.pushing import SignWith

_FULL = "profile full: deleted text, older versions and logs are served, too. For others there is --profile share"


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


def offering(document: Path, spool: Path, home: Path, *, packing: PackOptions, sign: SignWith | None) -> Offering:
    """Pack ``document`` into ``spool``, and sign the pack where that is asked for.

    Raises:
        NotTrained: it has no version yet.
        PackRefused: something in it must not be shared.
        SigningFailed: the key cannot be used.
        DlmError: whatever else keeps ``dlm pack`` from it.
    """
    made = pack(document, replace(packing, out=spool / PACK_FILE), home=home)
    if sign is not None:
        wanted = prepare(made.path, signer=sign.signer, key=sign.key, home=home)
        signed_by(wanted, password=sign.password(wanted.private) if wanted.locked else None)
    files = {"": made.path, **beside(made.path)}
    notes = (*made.notes, _FULL) if packing.profile == "full" else made.notes
    return Offering(made.manifest, made.digest, {ending: _file(path) for ending, path in files.items()}, notes)


def _file(path: Path) -> File:
    with disk_errors(path):
        return File(path, path.stat().st_size, f'"{sha256(path)}"')
