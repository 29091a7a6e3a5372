"""Reading a pack under rules about its signatures: what was signed is what is read, byte for byte.

The signatures are judged as soon as the pack has said which document it is of, and before anything is written. Whoever
exchanges the file between the two readings is found out: the digest of what was read has to be the one that was signed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from ..errors import PackInvalid, UsageProblem
from .members import NOT_TOUCHED
from .receiving import Received, receive
from .sidecars import beside
from .standing import Rules, Standing, policy_of
from .trusting import examine, remember
from .witness import Witness

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

    from .manifest import PackManifest


_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class Accepted(NamedTuple):
    """A pack that is whole, and as trustworthy as was asked for."""

    received: Received
    standing: Standing


def digests_asked(given: str | None) -> tuple[str, ...]:
    """The digest that somebody typed, as :func:`accept` takes it.

    Raises:
        UsageProblem: it is none, or a part of one.
    """
    if given is None:
        return ()
    if not _DIGEST.fullmatch(given):
        raise UsageProblem(f"--digest {given}: give all of it, sha256: and 64 digits, as `dlm pack` prints it")
    return (given,)


def accept(
    path: Path,
    folder: Path | None,
    *,
    rules: Rules | None = None,
    sidecars: Mapping[str, Path] | None = None,
    home: Path | None = None,
    look: Callable[[PackManifest], None] | None = None,
    digests: Collection[str] = (),
) -> Accepted:
    """As :func:`.receiving.receive`, under ``rules``; by default the policy of the environment, and the signatures that
    lie beside the pack. Its digest has to be each of ``digests``.

    Raises:
        SignatureInvalid: a signature is wrong, or the rules ask for more than there is.
        PackInvalid, PackRefused, StoreError: as :func:`.receiving.receive`.
    """
    asked = rules or Rules(policy_of())
    signatures = beside(path) if sidecars is None else sidecars
    witness = Witness() if signatures and asked.policy != "off" else None
    judged: list[Standing] = []

    def see(manifest: PackManifest) -> None:
        if look is not None:
            look(manifest)
        judged.append(examine(path, signatures, asked, name=manifest.dlm_id, home=home))

    received = receive(path, folder, see, witness)
    if others := [digest for digest in digests if digest != received.digest]:
        raise PackInvalid(
            f"{path} is another pack than the one that was asked for: it has {received.digest}, and {others[0]} was to "
            f"come. If its maker has made a newer one since, ask for its digest. {NOT_TOUCHED}"
        )
    (standing,) = judged
    if witness is not None and standing.sha256 not in (None, witness.sha256()):
        raise PackInvalid(f"{path} was exchanged while it was read: what was signed is not what came. {NOT_TOUCHED}")
    return Accepted(received, remember(standing, asked, name=received.manifest.dlm_id, home=home))
