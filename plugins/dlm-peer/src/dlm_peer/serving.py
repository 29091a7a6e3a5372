"""The process: an address, an end that waits for downloads, and no longer a life than its tickets have."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn

from dlm.errors import UsageProblem

from .app import make_app
from .gate import gate

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator
    from types import FrameType

    from .app import Desk
    from .room import Room


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """A socket that listens at ``host``, or on every address where this machine has no such address of its own.

    Raises:
        UsageProblem: the port cannot be had.
    """
    listener = _bound(host, port)
    with listener:
        yield listener


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        reason = error.strerror or os.strerror(error.errno or 0)
        raise UsageProblem(f"cannot listen at {host}:{port}: {reason}. Choose another port with --port") from error


def run(desk: Desk, listener: socket.socket, context: ssl.SSLContext) -> int | None:
    """Serve until a signal, or until no ticket is valid any more. The signal that ended it, if one did.

    Downloads that go on are finished, for some seconds; a second signal ends them at once.
    """
    patience = desk.patience
    config = uvicorn.Config(
        make_app(desk),
        http=gate(desk.room, context, patience.arriving, patience.buffer),
        loop="asyncio",
        lifespan="off",
        ws="none",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        h11_max_incomplete_event_size=patience.headers,
        timeout_graceful_shutdown=desk.settings.grace,
    )
    server = _Server(config)
    server.room = desk.room
    with _handling(server):
        return asyncio.run(_serve(server, desk, listener))


class _Server(uvicorn.Server):
    room: Room
    ended_by: int | None = None

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Nobody but downloads is waited for."""
        self.room.close(arriving=True)
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A first signal asks, a second one insists, whichever they are."""
        self.ended_by = self.ended_by or sig
        if self.should_exit:
            self.force_exit = True
        super().handle_exit(sig, frame)


async def _serve(server: _Server, desk: Desk, listener: socket.socket) -> int | None:
    watching = asyncio.create_task(_until_expired(server, desk))
    try:
        await server.serve(sockets=[listener])
    finally:
        desk.room.close()
        watching.cancel()
    return server.ended_by


async def _until_expired(server: _Server, desk: Desk) -> None:
    # In steps: a machine that sleeps does not count as time on every clock.
    while (left := desk.ledger.until - time.time()) > 0:
        await asyncio.sleep(min(left, 5.0))
    server.should_exit = True


@contextmanager
def _handling(server: _Server) -> Iterator[None]:
    """Signals are the server's before it runs, so that none is lost, and after it has: uvicorn raises each again when
    it has stopped for it, and what was asked for in peace is no violent end."""
    before = {one: signal.signal(one, server.handle_exit) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
