"""Encryption, under the room's deadline. uvicorn would wait for as long as asyncio does, and cannot be told otherwise.

uvicorn accepts connections without TLS and hands each to a :class:`Gate`, which makes the TLS connection itself and
then puts uvicorn's own protocol behind it. So the plain connection under it stays in our hands and can be cut.
"""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from .room import Room


def gate(room: Room, context: ssl.SSLContext, seconds: float, buffer: int) -> type[asyncio.Protocol]:
    """What ``uvicorn.Config(http=...)`` takes."""

    class Gate(asyncio.Protocol):
        """Stands in for uvicorn's protocol until the other side is known to speak TLS."""

        def __init__(self, **given: Any) -> None:
            self._inner = H11Protocol(**given)
            self._entering: asyncio.Task[None] | None = None
            self._early = bytearray()
            self._lost = False

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.Transport)
            self._plain, self._client = transport, room.enter(transport)
            _keep_little(transport, buffer)
            transport.pause_reading()
            self._entering = asyncio.ensure_future(self._enter(transport))

        async def _enter(self, plain: asyncio.Transport) -> None:
            loop = asyncio.get_running_loop()
            try:
                private = await loop.start_tls(
                    plain,
                    self,
                    context,
                    server_side=True,
                    ssl_handshake_timeout=seconds,
                    ssl_shutdown_timeout=seconds,
                )
            except OSError:  # of ssl.SSLError too: no TLS, or gone, or too late
                room.send_away(self._client)
                return
            if self._lost or private is None or private.is_closing():
                room.send_away(self._client)
                return
            private.set_write_buffer_limits(high=buffer)
            watched = _Watched(self._inner, lambda: room.left(self._client, plain))
            private.set_protocol(watched)
            watched.connection_made(private)
            if self._early:
                watched.data_received(bytes(self._early))

        def data_received(self, data: bytes) -> None:
            self._early += data  # with the last packet of the handshake

        def connection_lost(self, exc: Exception | None) -> None:
            self._lost = True
            room.left(self._client, self._plain)

    return Gate


def _keep_little(transport: asyncio.Transport, size: int) -> None:
    """Have the operating system hold no more than ``size`` bytes that it has not sent: it would take megabytes from us
    at once and then nothing for as long as a slow client needs for them, which looks like one that has stopped."""
    option = getattr(socket, "TCP_NOTSENT_LOWAT", None)
    if option is not None:
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, option, size)


class _Watched(asyncio.Protocol):
    """uvicorn's protocol; ``left`` is called when the connection ends."""

    def __init__(self, inner: H11Protocol, left: Callable[[], None]) -> None:
        self._inner, self._left = inner, left

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._inner.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        self._inner.data_received(data)

    def eof_received(self) -> None:
        self._inner.eof_received()

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._left()
        self._inner.connection_lost(exc)
