"""``dlm pull``."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .rows import row
from .signatures import digest_option, lines, rules_of, signature_options
from .signatures import facts as as_facts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..share.pulling import Pulled


@click.command(short_help="Fetch a pack, check it, and put its document and its store in place.")
@click.argument("source", metavar="SRC")
@click.option("--out", type=click.Path(path_type=Path), default=".", metavar="DIR", help="For the document. Default: .")
@click.option("--home", type=click.Path(path_type=Path), metavar="DIR", help="Root of the store. Default: $DLM_HOME.")
@click.option("--force", is_flag=True, help="Replace a store and a document that are there.")
@click.option(
    "--base/--no-base", default=None, help="Take a base that is in the pack. Default: when its signature counts here."
)
@digest_option
@signature_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def pull(
    ctx: click.Context,
    /,
    source: str,
    out: Path,
    home: Path | None,
    force: bool,
    base: bool | None,
    digest: str | None,
    as_json: bool,
    **asked: Any,
) -> None:
    """Fetch a pack from SRC, check it, and put its document and its store in place.

    SRC is a path, hf:org/name, https://host/name.dlm.pack, or what `dlm serve` prints. What broke off is kept: the same
    command goes on from there. Nothing is put in place before every byte was checked.
    """
    from ..share.pulling import PullOptions
    from ..share.pulling import pull as fetch
    from .transferring import Transfer

    options = PullOptions(out, home, force, base, digest, rules_of(**asked))
    with Transfer(quiet=bool((ctx.obj or {}).get("quiet"))) as transfer:
        done = fetch(source, options, progress=transfer, say=transfer.say)
        transfer.over()
        for note in done.notes:
            transfer.say(note)
    if as_json:
        click.echo(json.dumps(_facts(done), indent=2))
        return
    manifest = done.unpacked.received.manifest
    click.echo(f"pulled v{manifest.version:04d} of {manifest.document.name}")
    for name, text in _lines(done):
        click.echo(row(name, text))
    where = f"DLM_HOME={shlex.quote(str(home.absolute()))} " if home else ""
    click.echo(f'Ask it:\n  {where}dlm prompt {shlex.quote(str(done.unpacked.document))} "..."')


def _lines(done: Pulled) -> Iterator[tuple[str, str]]:
    found = done.unpacked
    yield "from", done.shown
    yield "digest", found.received.digest
    # Its notes were told already, with all the others.
    yield from ((name, text) for name, text in lines(found.standing) if name != "note")
    yield "document", str(found.document)
    yield "store", str(found.store)
    if found.base is not None:
        yield "base", f"{found.base}, from this pack"


def _facts(done: Pulled) -> dict[str, Any]:
    found = done.unpacked
    return {
        "source": done.shown,
        "document": str(found.document),
        "store": str(found.store),
        "digest": found.received.digest,
        "bytes": found.received.size,
        "base": str(found.base) if found.base else None,
        "standing": as_facts(found.standing),
        "notes": list(done.notes),
        "manifest": found.received.manifest.model_dump(mode="json"),
    }
