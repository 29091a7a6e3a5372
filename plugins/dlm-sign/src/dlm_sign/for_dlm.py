"""What dlm is offered: the signers ``oms`` and ``minisign``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlm.entries import SignerEntry
from dlm.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterator


@hookimpl
def dlm_signers() -> Iterator[SignerEntry]:
    yield SignerEntry(
        name="oms",
        target="dlm_sign.oms:Oms",
        summary="OpenSSF Model Signing, which `model_signing verify` checks.",
    )
    yield SignerEntry(
        name="minisign",
        target="dlm_sign.mini:Minisign",
        summary="A minisign signature, which `minisign -V` checks.",
        suffix=".minisig",
        public_suffix=".minisig.pub",
    )
