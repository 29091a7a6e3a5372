"""``sway serve``: keep models loaded and judge over HTTP."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import click

from .settings import HOST, PORT, Settings

_MEGABYTE = 1_000_000


@click.command(short_help="Keep models loaded and judge over HTTP.")
@click.option(
    "--root",
    default=".",
    show_default="the working folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder that requests may name files in; their paths count from it.",
)
@click.option("--host", default=HOST, show_default=True, help="Address to listen on.")
@click.option("--port", default=PORT, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.option(
    "--api-key",
    envvar="SWAY_SERVE_KEY",
    show_envvar=True,
    help="Key that every request must show. Off this machine"
    " it is required. Other users can read a command line: prefer the variable.",
)
@click.option(
    "--allow-endpoint",
    "endpoints",
    multiple=True,
    metavar="URL",
    callback=lambda ctx, _, given: frozenset(_address(one) for one in given),
    help="Server whose models requests may name, such as http://127.0.0.1:8080/v1; repeat it for more. It is asked"
    " with this server's SWAY_API_KEY.",
)
@click.option("--max-loaded", default=2, show_default=True, type=click.IntRange(1, 64), help="Models kept in memory.")
@click.option(
    "--at-once", default=1, show_default=True, type=click.IntRange(1, 64), help="Requests that use a model at once."
)
@click.option(
    "--queue", default=256, show_default=True, type=click.IntRange(1, 100_000), help="Requests that may wait."
)
@click.option(
    "--time-limit",
    default=600.0,
    show_default=True,
    type=click.FloatRange(0, min_open=True),
    help="Seconds for an answer, waiting included.",
)
@click.option(
    "--max-body",
    default=1.0,
    show_default=True,
    type=click.FloatRange(0, 1000, min_open=True),
    help="Megabytes that a request may hold.",
)
@click.option(
    "--grace",
    default=30,
    show_default=True,
    type=click.IntRange(0, 3600),
    help="Seconds to finish what is being answered when the server is stopped.",
)
@click.option("--no-cache", is_flag=True, help="Ask the model everything anew, and keep nothing for later runs.")
@click.pass_context
def serve(
    ctx: click.Context,
    root: Path,
    host: str,
    port: int,
    api_key: str | None,
    endpoints: frozenset[str],
    max_loaded: int,
    at_once: int,
    queue: int,
    time_limit: float,
    max_body: float,
    grace: int,
    no_cache: bool,
) -> None:
    """Keep models loaded and judge over HTTP: /run, /score, /health, /stats.

    Requests name models and documents in the folder ROOT and nowhere else, and servers that you allow. SIGTERM and
    Ctrl-C finish what is being answered, then stop.
    """
    from dlm_sway.cli.options import progress
    from dlm_sway.plugins import manager

    from .serving import serve as serve_until_stopped

    settings = Settings(
        root=root.resolve(),
        endpoints=endpoints,
        api_key=_usable(api_key),
        max_loaded=max_loaded,
        at_once=at_once,
        most_waiting=queue,
        seconds=time_limit,
        most_bytes=round(max_body * _MEGABYTE),
        cache=not no_cache,
    )
    try:
        serve_until_stopped(settings, manager(), host, port, grace, progress)
    except KeyboardInterrupt:
        progress("stopped")
        ctx.exit(130)


def _address(given: str) -> str:
    """An endpoint's address as requests are compared with it."""
    try:
        parts = urlsplit(given)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.username
    except ValueError:
        usable = False
    if not usable:
        raise click.BadParameter("give an address such as https://host/v1", param_hint="--allow-endpoint")
    return given.rstrip("/")


def _usable(key: str | None) -> str | None:
    """``key``, which has to fit into a header."""
    if key is not None and not (key and key.isascii() and key.isprintable() and " " not in key):
        raise click.BadParameter("a key is printable ASCII without spaces, and not empty", param_hint="--api-key")
    return key
