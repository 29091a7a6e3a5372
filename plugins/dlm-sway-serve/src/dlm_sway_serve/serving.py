"""The process: an address, a key where others can reach it, and an end that waits for who is being answered."""

from __future__ import annotations

import os
import signal
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn

from dlm_sway.errors import SwayError

from .app import make_app
from .guard import is_loopback

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dlm_sway._plugkit.plugins import PluginManager

    from .settings import Settings


class CannotServe(SwayError):
    """A server that cannot be started as asked."""

    exit_code = 2


def serve(
    settings: Settings, manager: PluginManager, host: str, port: int, grace: int, say: Callable[[str], None]
) -> None:
    """Answer requests until SIGTERM or Ctrl-C, then finish those that are being answered, for ``grace`` seconds.

    Raises:
        CannotServe: the address cannot be used, or others could reach it without a key.
        KeyboardInterrupt: it was Ctrl-C.
    """
    if settings.api_key is None and not is_loopback(host):
        raise CannotServe(
            f"{host} can be reached from other machines, and there is no key: set one with "
            "export SWAY_SERVE_KEY=$(python3 -c 'import secrets; print(secrets.token_urlsafe())'), "
            "or serve on 127.0.0.1"
        )
    with _listening(host, port) as listener, _ended_by_sigterm():
        app = make_app(settings, manager, say)
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=grace,
            timeout_keep_alive=30,
        )
        name = f"[{host}]" if ":" in host else host
        say(f"serving {settings.root} at http://{name}:{listener.getsockname()[1]}" + _keyed(settings))
        uvicorn.Server(config).run(sockets=[listener])
    say("stopped")


def _keyed(settings: Settings) -> str:
    return ", with a key" if settings.api_key else ", for this machine alone"


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        reason = error.strerror or os.strerror(error.errno or 0)
        raise CannotServe(f"{host}:{port}: {reason}: choose another address with --host and --port") from error
    with listener:
        yield listener


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """uvicorn raises a signal again after it has stopped for it: what was asked for in peace is no violent end."""
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
