"""``dlm unpack``."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .rows import row
from .signatures import digest_option, lines, rules_of, signature_options
from .signatures import facts as as_facts
from .visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..share.unpacking import Unpacked


@click.command(short_help="Put the document and the store of a pack in place.")
@click.argument("pack", metavar="PACK", type=click.Path(path_type=Path))
@click.option("--home", type=click.Path(path_type=Path), metavar="DIR", help="Root of the store. Default: $DLM_HOME.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="For the document. Default: beside PACK.")
@click.option("--force", is_flag=True, help="Replace a store and a document that are there.")
@click.option(
    "--base/--no-base", default=None, help="Take a base that is in the pack. Default: when its signature counts here."
)
@digest_option
@signature_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def unpack(
    ctx: click.Context,
    /,
    pack: Path,
    home: Path | None,
    out: Path | None,
    force: bool,
    base: bool | None,
    digest: str | None,
    as_json: bool,
    **asked: Any,
) -> None:
    """Check PACK and its signatures, and put its document and its store in place.

    Every file is compared with its digest first; a pack that is damaged or forged changes nothing. A store of the same
    document, or a file of the same name, is replaced with --force only. Under the policy warn, a pack that is not
    signed, or by a stranger, is taken; a signature that is wrong never is.
    """
    from ..share.accepting import digests_asked
    from ..share.unpacking import unpack as put

    digests = digests_asked(digest)
    done = put(pack, home=home, out=out, force=force, base=base, rules=rules_of(**asked), digests=digests)
    manifest = done.received.manifest
    if not (ctx.obj or {}).get("quiet"):
        for note in (*done.notes, *done.standing.notes):
            click.echo(visible(note), err=True)
    if as_json:
        facts: dict[str, Any] = {
            "document": str(done.document),
            "store": str(done.store),
            "digest": done.received.digest,
        }
        facts["base"] = str(done.base) if done.base else None
        facts["standing"] = as_facts(done.standing)
        click.echo(json.dumps({**facts, "manifest": manifest.model_dump(mode="json")}, indent=2))
        return
    click.echo(f"unpacked v{manifest.version:04d} of {manifest.document.name}")
    for name, text in _lines(done):
        click.echo(row(name, text))
    where = f"DLM_HOME={shlex.quote(str(home.absolute()))} " if home else ""
    click.echo(f'Ask it:\n  {where}dlm prompt {shlex.quote(str(done.document))} "..."')


def _lines(done: Unpacked) -> Iterator[tuple[str, str]]:
    # Its notes were told already, with all the others.
    yield from ((name, text) for name, text in lines(done.standing) if name != "note")
    yield "document", str(done.document)
    yield "store", str(done.store)
    if done.base is not None:
        yield "base", f"{done.base}, from this pack; every document that names it uses it"
