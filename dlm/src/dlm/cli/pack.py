"""``dlm pack``."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .packing import packing_of, packing_options
from .sizes import size
from .transferring import Transfer

if TYPE_CHECKING:
    from ..share.packing import Packed


@click.command(short_help="Put a trained document into one file for another machine.")
@click.argument("doc", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write there, or into that folder. Default: DOC.pack.",
)
@packing_options
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def pack(ctx: click.Context, /, doc: Path, out: Path | None, force: bool, as_json: bool, **asked: Any) -> None:
    """Put DOC and what was trained from it into one file, which `dlm unpack` takes on another machine.

    The profile `share` packs the document and its current version. Text that is no longer in the document, places on
    this machine, logs and caches stay here, and an access token in what would be packed is an error. The same content
    gives the same bytes.
    """
    from ..share.packing import pack as make

    quiet = bool((ctx.obj or {}).get("quiet"))
    with Transfer(quiet=quiet) as transfer:
        done = make(doc, replace(packing_of(**asked), out=out, force=force), progress=transfer)
    if not quiet:
        for note in done.notes:
            click.echo(note, err=True)
    click.echo(json.dumps(_facts(done), indent=2) if as_json else _text(done))


def _facts(done: Packed) -> dict[str, Any]:
    return {
        "path": str(done.path),
        "digest": done.digest,
        "bytes": done.size,
        "notes": list(done.notes),
        "manifest": done.manifest.model_dump(mode="json"),
    }


def _text(done: Packed) -> str:
    manifest = done.manifest
    count = len(manifest.versions)
    what = f"{count} versions, v{manifest.version:04d} current" if count > 1 else f"v{manifest.version:04d}"
    return (
        f"packed {manifest.document.name}, {what}, profile {manifest.profile}\n"
        f"  {done.path}\n"
        f"  {size(done.size)}, {len(manifest.members)} files of {size(manifest.bytes)}\n"
        f"  {done.digest}"
    )
