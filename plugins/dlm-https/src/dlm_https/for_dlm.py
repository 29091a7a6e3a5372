"""What dlm is offered: the transports named ``https`` and ``http``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlm.entries import TransportEntry
from dlm.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterator


@hookimpl
def dlm_transports() -> Iterator[TransportEntry]:
    yield TransportEntry(
        name="https",
        target="dlm_https.transport:Https",
        summary="A web server, with downloads and uploads that go on where they broke off.",
        address="https://host/name.dlm.pack",
        settings={"method": "PUT or POST, for a server that takes files in another way. Default: PUT."},
        requires=("httpx",),
    )
    yield TransportEntry(
        name="http",
        target="dlm_https.transport:Https",
        summary="A web server on this very machine. Any other is refused: nobody would know who answers.",
        address="http://127.0.0.1:8000/name.dlm.pack",
        settings={"method": "PUT or POST, for a server that takes files in another way. Default: PUT."},
        requires=("httpx",),
    )
