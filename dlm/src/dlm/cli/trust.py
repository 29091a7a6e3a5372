"""``dlm trust list | add | remove``: whose signatures count here."""

from __future__ import annotations

from pathlib import Path

import click

from .rows import row


@click.group(short_help="Say whose signatures on packs count here.")
def trust() -> None:
    """Say whose signatures on packs count here.

    Keys lie under $DLM_HOME/trusted-keys, one file each, and count for every document. A key that was recorded with
    --trust-on-first-use counts for that one document.
    """


@trust.command("list", short_help="List the keys that count.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def list_trusted(as_json: bool) -> None:
    """List the keys that count for every document, and those that were recorded for one."""
    import json

    from ..share.trust_store import load
    from ..store import home

    found = load(home())
    if as_json:
        keys = [key._asdict() | {"path": str(key.path), "public": key.public.decode()} for key in found.keys]
        records = [one.model_dump(mode="json") for one in found.records]
        click.echo(json.dumps({"keys": keys, "first_use": records, "notes": list(found.notes)}, indent=2))
        return
    if not found.keys and not found.records:
        click.echo("no keys: `dlm trust add KEY.pub` makes one count")
    for key in found.keys:
        click.echo(f"{key.name} ({key.signer}), for every document\n  {key.fingerprint}")
    for record in found.records:
        click.echo(f"for the document {record.dlm_id} alone, since {record.recorded_at}")
        for one in record.keys:
            click.echo(f"  {one.fingerprint} ({one.signer})")
    for note in found.notes:
        click.echo(f"warning: {note}", err=True)


@trust.command(short_help="Make a public key count.")
@click.argument("key", metavar="KEY.pub", type=click.Path(path_type=Path))
@click.option("--name", metavar="NAME", help="Whose it is. Default: the name of the file.")
def add(key: Path, name: str | None) -> None:
    """Make the public key in KEY.pub count for every document.

    Compare its fingerprint with its owner first, by another way than the file came.
    """
    from ..share.trust_store import add as put
    from ..store import home

    made = put(home(), key, name)
    click.echo(f"{made.name} counts from now on")
    click.echo(row("file", str(made.path)))
    click.echo(row("fingerprint", made.fingerprint))


@trust.command(short_help="Let a key count no longer.")
@click.argument("what", metavar="NAME|FINGERPRINT|DLM_ID")
def remove(what: str) -> None:
    """Let a key count no longer, by its name or fingerprint; or forget which key signed a document at first."""
    from ..share.trust_store import remove as take
    from ..store import home

    for path in take(home(), what):
        click.echo(f"removed {path}")
