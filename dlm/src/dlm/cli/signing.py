"""Options about the key that signs a pack which is made, alike in every command that hands one on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..share.pushing import SignWith

_Command = TypeVar("_Command", bound="Callable[..., Any]")


def signing_options(command: _Command) -> _Command:
    """``--sign``, ``--key``, ``--signer``, ``--minisign``, ``--password-stdin``; :func:`sign_with` takes them."""
    for option in reversed(
        (
            click.option("--sign", "signs", is_flag=True, help="Sign what is sent, as `dlm sign` does."),
            click.option(
                "--key", metavar="NAME|FILE", help="Sign with this one. Default: the only one here, or `default`."
            ),
            click.option(
                "--signer", metavar="NAME", default="oms", show_default=True, help="The format of the signature."
            ),
            click.option("--minisign", "signer", flag_value="minisign", help="The same as --signer minisign."),
            click.option("--password-stdin", is_flag=True, help="Read the key's password from the standard input."),
        )
    ):
        command = option(command)
    return command


def sign_with(signs: bool, key: str | None, signer: str, password_stdin: bool) -> SignWith | None:
    """What the options of :func:`signing_options` ask for; ``None`` for no signature.

    Raises:
        UsageProblem: one is about signing, and nothing is to be signed.
    """
    from ..errors import UsageProblem
    from ..share.pushing import SignWith
    from ..share.signing import DEFAULT_SIGNER
    from .passwords import password_of

    if signs:
        return SignWith(lambda private: password_of(str(private), from_stdin=password_stdin), key, signer)
    if key is not None or password_stdin or signer != DEFAULT_SIGNER:
        raise UsageProblem("--key, --signer, --minisign and --password-stdin are about signing: give --sign, too")
    return None
