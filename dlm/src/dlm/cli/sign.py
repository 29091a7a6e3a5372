"""``dlm sign``."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from .passwords import password_of
from .rows import row

if TYPE_CHECKING:
    from ..share.signing import Signed

TOKEN = "DLM_IDENTITY_TOKEN"


@click.command(short_help="Sign a pack, for anybody to check with stock tools.")
@click.argument("pack", metavar="PACK", type=click.Path(path_type=Path))
@click.option("--key", metavar="NAME|FILE", help="Sign with this one. Default: the only one here, or `default`.")
@click.option("--signer", metavar="NAME", default="oms", show_default=True, help="The format of the signature.")
@click.option("--minisign", "signer", flag_value="minisign", help="The same as --signer minisign.")
@click.option("--password-stdin", is_flag=True, help="Read the key's password from the standard input.")
@click.option("--keyless", is_flag=True, help="Sign for an identity, without a key. Needs the network.")
@click.option(
    "--identity-token",
    "token_file",
    metavar="FILE",
    type=click.File("r"),
    help="With the identity's token; - is stdin.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def sign(
    pack: Path,
    key: str | None,
    signer: str,
    password_stdin: bool,
    keyless: bool,
    token_file: TextIO | None,
    as_json: bool,
) -> None:
    """Sign PACK: every byte of its file. The signature and the public key are written beside it.

    The pack is checked first, so that nobody vouches for a damaged one. --keyless takes a token from --identity-token
    or DLM_IDENTITY_TOKEN, else from the CI that this runs in, else it opens a browser to log in.
    """
    from ..errors import UsageProblem
    from ..share.signing import prepare, sign_keyless
    from ..share.signing import sign as make

    if keyless:
        if key is not None or password_stdin:
            raise UsageProblem("--keyless signs without a key: leave out --key and --password-stdin")
        token = token_file.read().strip() if token_file is not None else os.environ.get(TOKEN)
        _tell(pack, sign_keyless(pack, signer=signer, token=token), as_json)
        return
    if token_file is not None:
        raise UsageProblem("--identity-token goes with --keyless")
    wanted = prepare(pack, signer=signer, key=key)
    password = password_of(str(wanted.private), from_stdin=password_stdin) if wanted.locked else None
    _tell(pack, make(wanted, password=password), as_json)


def _tell(pack: Path, made: Signed, as_json: bool) -> None:
    if as_json:
        facts = {
            "pack": str(pack),
            "signature": str(made.signature),
            "public": str(made.public) if made.public else None,
            "fingerprint": made.fingerprint or None,
            "signer": made.signer,
        }
        click.echo(json.dumps(facts, indent=2))
        return
    click.echo(f"signed {pack}")
    click.echo(row("signature", str(made.signature)))
    if made.public is not None:
        click.echo(row("public key", str(made.public)))
        click.echo(row("fingerprint", made.fingerprint))
