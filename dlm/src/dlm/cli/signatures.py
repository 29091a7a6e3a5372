"""Options and words about signatures, alike in every command that takes a pack."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..share.standing import Rules, Standing

_Command = TypeVar("_Command", bound="Callable[..., Any]")
_HELD = {
    "trusted": "by {by}, whose key is trusted here",
    "recorded": "by the key that is recorded for this document",
    "unknown-signer": "by a key that nobody here has trusted",
    "unsigned": "none",
    "unchecked": "not checked",
}


def signature_options(command: _Command) -> _Command:
    """``--policy``, ``--trust-on-first-use``, ``--key``, ``--identity``, ``--issuer``; :func:`rules_of` takes them."""
    for option in reversed(
        (
            click.option(
                "--policy",
                type=click.Choice(["off", "warn", "enforce"]),
                help="How much is asked of signatures. Default: $DLM_SIGNATURE_POLICY, else warn.",
            ),
            click.option(
                "--trust-on-first-use", "first_use", is_flag=True, help="Remember an unknown key for this document."
            ),
            click.option(
                "--key",
                "keys",
                multiple=True,
                metavar="KEY.pub",
                type=click.Path(path_type=Path),
                help="Take it only if signed by this public key.",
            ),
            click.option("--identity", metavar="WHO", help="Take it only if signed for this identity, without a key."),
            click.option("--issuer", metavar="URL", help="Who vouches for the identity."),
        )
    ):
        command = option(command)
    return command


def digest_option(command: _Command) -> _Command:
    """``--digest``, alike in every command that takes a pack."""
    return click.option("--digest", metavar="sha256:...", help="Take this pack and no other: what its maker told you.")(
        command
    )


def rules_of(
    policy: str | None, first_use: bool, keys: tuple[Path, ...], identity: str | None, issuer: str | None
) -> Rules:
    """What the options of :func:`signature_options` ask for.

    Raises:
        UsageProblem: one goes without the other, or a key is not there.
    """
    from ..errors import UsageProblem
    from ..share.signer import Identity
    from ..share.standing import Rules, policy_of

    if (identity is None) != (issuer is None):
        raise UsageProblem("--identity and --issuer go together: who it is, and who vouches for that")
    if missing := [key for key in keys if not key.exists()]:
        raise UsageProblem(f"--key {missing[0]}: there is no such file")
    who = Identity(identity, issuer) if identity is not None and issuer is not None else None
    return Rules(policy_of(policy), first_use, keys, who)


def lines(standing: Standing) -> Iterator[tuple[str, str]]:
    """What to tell of it, as pairs of a word and a text."""
    if not standing.signatures:
        yield "signature", _HELD[standing.status]
    for one in standing.signatures:
        named = f"by {one.by}, the identity that was asked for" if not one.fingerprint and one.by else None
        yield "signature", f"{one.signer}, {named or _HELD[one.status].format(by=one.by)}"
        if one.fingerprint:
            yield "by key", one.fingerprint
        yield from one.says.items()
    for note in standing.notes:
        yield "note", note


def facts(standing: Standing) -> dict[str, Any]:
    """The same for a program."""
    return {
        "status": standing.status,
        "by": standing.by or None,
        "fingerprint": standing.fingerprint or None,
        "sha256": standing.sha256,
        "notes": list(standing.notes),
        "signatures": [
            {
                "file": str(one.file),
                "signer": one.signer,
                "status": one.status,
                "by": one.by or None,
                "fingerprint": one.fingerprint or None,
                "says": dict(one.says),
            }
            for one in standing.signatures
        ],
    }
