"""``dlm push``."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .packing import packing_of, packing_options
from .signing import sign_with, signing_options
from .sizes import size

if TYPE_CHECKING:
    from ..share.pushing import Pushed


@click.command(short_help="Send a trained document, or a pack, to where others pull it from.")
@click.argument("source", metavar="DOC|PACK", type=click.Path(path_type=Path))
@click.option("--to", "place", required=True, metavar="DEST", help="A path, hf:org/name, https://host/name.dlm.pack.")
@packing_options
@signing_options
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="What only this destination knows.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def push(
    ctx: click.Context,
    /,
    source: Path,
    place: str,
    signs: bool,
    key: str | None,
    signer: str,
    password_stdin: bool,
    settings: tuple[str, ...],
    as_json: bool,
    **asked: Any,
) -> None:
    """Pack DOC as `dlm pack` does, or check PACK, and send it to DEST; prints what `dlm pull` takes it with.

    What must not be given away is refused before anything is sent. Signatures beside PACK travel with it.
    """
    from ..export.options import parse_settings
    from ..share.pushing import PushOptions
    from ..share.pushing import push as send
    from .transferring import Transfer

    sign = sign_with(signs, key, signer, password_stdin)
    options = PushOptions(packing_of(**asked), parse_settings(settings), sign)
    with Transfer(quiet=bool((ctx.obj or {}).get("quiet"))) as transfer:
        done = send(source, place, options, progress=transfer, say=transfer.say)
        transfer.over()
        for note in done.notes:
            transfer.say(note)
    click.echo(json.dumps(_facts(done), indent=2) if as_json else _text(done))


def _facts(done: Pushed) -> dict[str, Any]:
    return {
        "source": done.source,
        "digest": done.digest,
        "bytes": done.size,
        "sidecars": list(done.sidecars),
        "notes": list(done.notes),
        "manifest": done.manifest.model_dump(mode="json"),
    }


def _text(done: Pushed) -> str:
    manifest = done.manifest
    signed = ", signed" if set(done.sidecars) & {".sig", ".minisig"} else ""
    return (
        f"pushed {manifest.document.name}, v{manifest.version:04d}, profile {manifest.profile}{signed}\n"
        f"  {done.shown}\n"
        f"  {size(done.size)}, {done.digest}\n"
        f"Take it elsewhere:\n"
        f"  dlm pull {shlex.quote(done.source)} --digest {done.digest}"
    )
