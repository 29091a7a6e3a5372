"""``dlm key new | list | show``: the keys that packs are signed with here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from .passwords import new_password
from .rows import row

if TYPE_CHECKING:
    from ..share.keys import OwnKey


@click.group(short_help="Make and list the keys that packs are signed with.")
def key() -> None:
    """Make and list the keys that packs are signed with.

    They lie under $DLM_HOME/keys, and their owner alone may read them. A pack never holds one. Give others the file
    that ends with .pub, and read them its fingerprint.
    """


@key.command(short_help="Make a pair of keys.")
@click.option("--name", metavar="NAME", default="default", show_default=True, help="What the key is called here.")
@click.option("--signer", metavar="NAME", default="oms", show_default=True, help="The format of its signatures.")
@click.option("--minisign", "signer", flag_value="minisign", help="The same as --signer minisign.")
@click.option("--password-stdin", is_flag=True, help="Read the password from the standard input.")
@click.option("--no-password", is_flag=True, help="Whoever can read the file can sign.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def new(name: str, signer: str, password_stdin: bool, no_password: bool, as_json: bool) -> None:
    """Make a pair of keys. A key is never replaced.

    The password is asked for, or comes from DLM_SIGN_PASSWORD. It cannot be recovered.
    """
    import json

    from ..share.keys import new as make
    from ..store import home

    made = make(home(), signer, name, password=new_password(from_stdin=password_stdin, without=no_password))
    if as_json:
        click.echo(json.dumps(_facts(made), indent=2))
        return
    click.echo(f"made the key {made.name}{' (it asks for a password)' if made.locked else ', without a password'}")
    click.echo(row("private", str(made.private)))
    click.echo(row("public", str(made.public)))
    click.echo(row("fingerprint", made.fingerprint))
    click.echo("Give others the public one, and read them the fingerprint: `dlm trust add FILE`\nmakes it count there.")


@key.command("list", short_help="List the keys that are here.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
def list_keys(as_json: bool) -> None:
    """List the keys that are here, by name."""
    import json

    from ..share.keys import own
    from ..share.standing import short
    from ..store import home

    found = own(home())
    if as_json:
        click.echo(json.dumps([_facts(one) for one in found], indent=2))
        return
    if not found:
        click.echo("no keys: `dlm key new` makes one")
    for one in found:
        locked = "password" if one.locked else "no password"
        click.echo(f"{one.name:<20} {one.signer:<9} {short(one.fingerprint) or '?':<24} {locked}")
        if one.note:
            click.echo(f"warning: {one.name}: {one.note}", err=True)


@key.command(short_help="Show a key's fingerprint and its public file.")
@click.argument("name", default="default")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
def show(name: str, as_json: bool) -> None:
    """Show the fingerprints and the public files of the key NAME. The private ones are never printed."""
    import json

    from ..errors import UsageProblem
    from ..share.keys import own
    from ..store import home

    found = [one for one in own(home()) if one.name == name]
    if not found:
        raise UsageProblem(f"there is no key {name}: `dlm key list` has them all, `dlm key new` makes one")
    if as_json:
        click.echo(json.dumps([_facts(one) for one in found], indent=2))
        return
    for one in found:
        click.echo(f"{one.name} ({one.signer})")
        click.echo(row("public", str(one.public)))
        click.echo(row("fingerprint", one.fingerprint))
        if one.note:
            click.echo(f"warning: {one.note}", err=True)


def _facts(one: OwnKey) -> dict[str, Any]:
    return {
        "name": one.name,
        "signer": one.signer,
        "public": str(one.public),
        "private": str(one.private),
        "fingerprint": one.fingerprint or None,
        "locked": one.locked,
        "note": one.note or None,
    }
