# Copied from plugkit/ by tools/sync_plugkit.py: edit it there.
"""``--show-completion``: the lines that teach a shell to complete a program's commands, options and files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from collections.abc import Callable

SHELLS: Final = ("bash", "zsh", "fish")


def completion_option(program: str) -> Callable[[Any], Any]:
    """The option for the group that is called ``program``."""

    def show(ctx: click.Context, _: click.Parameter, shell: str | None) -> None:
        if shell is None or ctx.resilient_parsing:
            return
        from click.shell_completion import get_completion_class

        kind = get_completion_class(shell)
        if kind is None:
            raise click.UsageError(f"this version of click completes nothing in {shell}")
        click.echo(kind(ctx.command, {}, program, f"_{program.upper()}_COMPLETE").source())
        ctx.exit()

    return click.option(
        "--show-completion",
        type=click.Choice(SHELLS),
        is_eager=True,
        expose_value=False,
        callback=show,
        help="Print what teaches this shell to complete.",
    )
