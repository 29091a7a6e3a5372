"""The files beside a pack that belong to it, signatures and the keys that made them: small, and a stranger's."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..errors import SignatureInvalid
from .transport import SIDECARS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from ..entries import SignerEntry

LARGEST = 2**20
"""Bytes that a signature or a key may have."""
SIGNERS = {".sig": ("oms", ".pub"), ".minisig": ("minisign", ".minisig.pub")}
"""Who reads which ending, and where its key lies, so that a signature is not overlooked where no plugin reads it."""


class Signature(NamedTuple):
    """A signature beside a pack."""

    path: Path
    signer: str
    """The name of the entry that reads it."""
    public: Path | None


def beside(pack: Path) -> dict[str, Path]:
    """What lies beside ``pack``, by ending."""
    endings = dict.fromkeys([*SIDECARS, *(end for one in _offered() for end in (one.suffix, one.public_suffix))])
    places = {ending: pack.with_name(pack.name + ending) for ending in endings}
    return {ending: place for ending, place in places.items() if place.is_file()}


def signatures(sidecars: Mapping[str, Path]) -> Iterator[Signature]:
    """The signatures among ``sidecars``: those that dlm knows of first."""
    readers = SIGNERS | {one.suffix: (one.name, one.public_suffix) for one in _offered()}
    for ending, (name, public) in readers.items():
        if ending in sidecars:
            yield Signature(sidecars[ending], name, sidecars.get(public))


def _offered() -> list[SignerEntry]:
    from ..entries import SignerEntry
    from ..plugins import manager

    offers = [offer.entry for found in manager().offers("dlm_signers").values() for offer in found]
    return [entry for entry in offers if isinstance(entry, SignerEntry)]


def read_small(path: Path) -> bytes:
    """The content of a sidecar.

    Raises:
        SignatureInvalid: it cannot be read, or is larger than any signature or key.
    """
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as problem:
        raise SignatureInvalid(f"cannot read {path}: {problem.strerror or problem}") from problem
    if len(data) > LARGEST:
        raise SignatureInvalid(f"{path} is larger than {LARGEST // 2**20} MB, as no signature and no key is")
    return data
