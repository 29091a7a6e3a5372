"""``dlm serve``."""

from __future__ import annotations

import json
import shlex
import signal
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dlm.cli.packing import packing_of, packing_options
from dlm.cli.signing import sign_with, signing_options

from .settings import MOST_MINUTES, PORT, Settings

if TYPE_CHECKING:
    from .counter import Opened, Wish


@click.command(short_help="Serve a trained document to whoever has a ticket.")
@click.argument("doc", type=click.Path(path_type=Path))
@click.option(
    "--port", default=PORT, show_default=True, metavar="N", type=click.IntRange(0, 65535), help="0 takes a free one."
)
@click.option("--host", metavar="NAME", help="What others reach this machine by. Default: 127.0.0.1, or its address.")
@click.option("--public", is_flag=True, help="Let other machines connect. Goes with the next one.")
@click.option("--i-know-this-is-public", "aware", is_flag=True, help="Yes, really.")
@packing_options
@signing_options
@click.option(
    "--uses", default=1, show_default=True, metavar="N", type=click.IntRange(1, 1_000_000), help="Pulls for a ticket."
)
@click.option(
    "--tickets", default=1, show_default=True, metavar="N", type=click.IntRange(1, 1000), help="Tickets to print."
)
@click.option(
    "--token-ttl-minutes",
    "minutes",
    default=15,
    show_default=True,
    metavar="N",
    type=click.IntRange(1, MOST_MINUTES),
    help="Minutes that tickets live.",
)
@click.option(
    "--max-concurrency",
    "at_once",
    default=4,
    show_default=True,
    metavar="N",
    type=click.IntRange(1, 10_000),
    help="Downloads at once; others wait.",
)
@click.option(
    "--rate-limit",
    "per_minute",
    default=30,
    show_default=True,
    metavar="N",
    type=click.IntRange(1, 1_000_000),
    help="Requests a minute for each use of a ticket.",
)
@click.option(
    "--grace",
    default=30,
    show_default=True,
    metavar="N",
    type=click.IntRange(0, 3600),
    help="Seconds for downloads to finish when the server is stopped.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, in one line, when it serves.")
@click.pass_context
def serve(
    ctx: click.Context,
    /,
    doc: Path,
    port: int,
    host: str | None,
    public: bool,
    aware: bool,
    signs: bool,
    key: str | None,
    signer: str,
    password_stdin: bool,
    uses: int,
    tickets: int,
    minutes: int,
    at_once: int,
    per_minute: int,
    grace: int,
    as_json: bool,
    **asked: Any,
) -> None:
    """Pack DOC, and serve the pack to whoever has one of the tickets that are printed.

    Only programs on this machine can connect unless both --public and --i-know-this-is-public are given. Everything is
    encrypted, and a ticket names the server's certificate: whoever has it talks to this server or to nobody. Ctrl-C
    stops it, and so does the end of the last ticket; the same command goes on with the tickets that are still valid.
    """
    from .counter import Wish, open_counter

    quiet = (ctx.obj or {}).get("quiet")

    def say(line: str) -> None:
        if not quiet:
            click.echo(line, err=True)

    sign = sign_with(signs, key, signer, password_stdin)
    settings = Settings(uses, tickets, minutes, at_once, per_minute, grace)
    wish = Wish(doc, host, port, public, aware, packing_of(**asked), sign, settings)
    with open_counter(wish, say) as opened:
        click.echo(json.dumps(_facts(opened)) if as_json else _text(opened, wish))
        signalled = opened.run()
    say("stopped: no ticket is valid any more" if signalled is None else "stopped")
    if signalled == signal.SIGINT:
        ctx.exit(130)


def _facts(opened: Opened) -> dict[str, Any]:
    offering = opened.offering
    return {
        "address": opened.server,
        "dlm_id": offering.dlm_id,
        "digest": offering.digest,
        "bytes": offering.pack.size,
        "version": offering.manifest.version,
        "profile": offering.manifest.profile,
        "cert": opened.cert,
        "expires": opened.expires,
        "until": opened.until,
        "uses": opened.uses,
        "beside": [ending for ending in offering.files if ending],
        "tickets": [str(address) for address in opened.addresses],
        "notes": list(offering.notes),
    }


def _text(opened: Opened, wish: Wish) -> str:
    from dlm.cli.sizes import size

    offering, settings = opened.offering, wish.settings
    manifest = offering.manifest
    who = "for every machine that reaches it" if wish.public else "for this machine alone"
    pulls = "one pull" if settings.uses == 1 else f"{settings.uses:,} pulls"
    each = pulls if settings.tickets == 1 else f"{pulls} with each"
    return "\n".join(
        [
            f"serving {manifest.document.name} v{manifest.version:04d}, profile {manifest.profile}, "
            f"{size(offering.pack.size)}{', signed' if len(offering.files) > 1 else ''}",
            f"  {offering.digest}",
            f"  at {opened.server}, {who}",
            f"On the other side, within {_time(settings.minutes)}, for {each}:",
            *(f"  dlm pull {shlex.quote(str(address))}" for address in opened.addresses),
            "Whoever has such a line can pull: hand it over as you would a password.",
            f"Serves until {_clock(opened.until)}, when the last ticket expires{_whose(opened)}; Ctrl-C ends it.",
            "What is trained from now on is not served until `dlm serve` is run again.",
        ]
    )


def _clock(moment: int) -> str:
    """The time of day here, with the day where that is another."""
    then = datetime.fromtimestamp(moment)
    return f"{then:%H:%M}" if then.date() == datetime.now().date() else f"{then:%Y-%m-%d %H:%M}"


def _whose(opened: Opened) -> str:
    return ", of an earlier run" if opened.until > opened.expires else ""


def _time(minutes: int) -> str:
    for many, unit in ((24 * 60, "day"), (60, "hour"), (1, "minute")):
        if minutes % many == 0:
            count = minutes // many
            return f"{count} {unit}{'s' if count > 1 else ''}"
    raise AssertionError(minutes)
