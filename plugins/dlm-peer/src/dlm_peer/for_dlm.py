"""``dlm serve``, and ``dlm pull peer://...``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlm.entries import CommandEntry, TransportEntry
from dlm.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable


@hookimpl
def dlm_commands() -> Iterable[CommandEntry]:
    """Offer the ``serve`` subcommand."""
    return [
        CommandEntry(
            name="serve", target="dlm_peer.command:serve", summary="Serve a trained document to whoever has a ticket."
        )
    ]


@hookimpl
def dlm_transports() -> Iterable[TransportEntry]:
    """Pull from another machine's ``dlm serve``."""
    return [
        TransportEntry(
            name="peer",
            target="dlm_peer.transport:Peer",
            summary="Takes what another machine serves with `dlm serve`.",
            sends=False,
            address="peer://host:port/ID?token=...&cert=...",
            requires=("httpx", "dlm_https"),
        )
    ]
