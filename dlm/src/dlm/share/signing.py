"""``dlm sign``: a signature beside a pack, over every byte of its file, and the public key that checks it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..errors import SigningFailed, UsageProblem
from ..store.files import disk_errors, write_atomic
from ..store.layout import home as home_of
from .keys import find, signer_named
from .receiving import receive
from .tape import require_file

if TYPE_CHECKING:
    from ..entries import SignerEntry
    from .signer import Signer

DEFAULT_SIGNER = "oms"


class Signed(NamedTuple):
    """What lies beside the pack now."""

    signature: Path
    public: Path | None
    """The key that checks it; ``None`` of a signature for an identity."""
    fingerprint: str
    signer: str


class ToSign(NamedTuple):
    """A pack and the key for it, found before anybody is asked for a password."""

    pack: Path
    signer: str
    private: Path
    locked: bool
    """The key asks for a password."""


def prepare(pack: Path, *, signer: str = DEFAULT_SIGNER, key: str | None = None, home: Path | None = None) -> ToSign:
    """Find the key, by name or file, that is to sign ``pack``.

    Raises:
        UsageProblem: there is no such key, or no such file.
        SigningFailed: the key cannot be read.
    """
    require_file(pack)
    kind = signer_named(signer)
    private = find(home_of(home), signer, key)
    return ToSign(pack, signer, private, kind.locked(private))


def sign(wanted: ToSign, *, password: str | None = None) -> Signed:
    """Write the signature and the public key beside the pack, in place of those of the same format.

    Raises:
        PackInvalid, PackRefused: it is no pack, or a damaged one, which nobody should vouch for.
        SigningFailed: the password is wrong, or the files cannot be written.
    """
    receive(wanted.pack, None)
    kind, entry = signer_named(wanted.signer), _entry(wanted.signer)
    signature, public = _beside(wanted.pack, entry.suffix), _beside(wanted.pack, entry.public_suffix)
    key = kind.sign(wanted.pack, signature, private=wanted.private, password=password)
    write_atomic(public, key.decode(), SigningFailed)
    kind.verify(wanted.pack, signature.read_bytes(), public=key)
    return Signed(signature, public, kind.fingerprint(key), wanted.signer)


def sign_keyless(pack: Path, *, signer: str = DEFAULT_SIGNER, token: str | None = None) -> Signed:
    """Have the pack signed for the identity of ``token``, of this workflow, or of whoever logs in: needs the network.

    Raises:
        PackInvalid, PackRefused: it is no pack, or a damaged one.
        SigningFailed: nobody vouches for the identity.
        UsageProblem: this format knows keys only.
    """
    receive(pack, None)
    kind: Signer = signer_named(signer)
    entry = _entry(signer)
    signature, public = _beside(pack, entry.suffix), _beside(pack, entry.public_suffix)
    kind.sign_keyless(pack, signature, token=token)
    with disk_errors(public, SigningFailed):
        public.unlink(missing_ok=True)
    return Signed(signature, None, "", signer)


def _entry(signer: str) -> SignerEntry:
    from ..entries import SignerEntry
    from ..plugins import manager

    entry = manager().entry("dlm_signers", signer).entry
    if not isinstance(entry, SignerEntry):
        raise UsageProblem(f"{signer} is offered as something else than a signer")
    return entry


def _beside(pack: Path, ending: str) -> Path:
    return pack.with_name(pack.name + ending)
