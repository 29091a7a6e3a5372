# Copied from plugkit/ by tools/sync_plugkit.py: edit it there.
"""A click group that shows commands from descriptions and imports one when run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from .errors import PluginError
from .visible import visible

if TYPE_CHECKING:
    from collections.abc import Callable

    from .plugins import PluginManager


class LazyGroup(click.Group):
    """Lists ``hook``'s commands for help and completion without importing them.

    click itself calls ``get_command`` for every line of ``--help``, which would import them all; hence the override of
    ``format_commands``. ``error_root`` is the core's own exception: it is printed as ``error: ...`` and ends the
    program with the exception's ``exit_code``; anything else is a bug and keeps its traceback.
    """

    manager: Callable[[], PluginManager]
    hook: str
    error_root: type[Exception]

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *self.manager().offers(self.hook)})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if (own := super().get_command(ctx, cmd_name)) is not None:
            return own
        if cmd_name not in self.manager().offers(self.hook):
            return None
        if ctx.resilient_parsing:
            return click.Command(cmd_name, short_help=self._summary(cmd_name))
        command: click.Command = self.manager().resolve(self.hook, cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """While a shell completes, the command that was typed is needed whole: its options are asked for."""
        name, command, rest = super().resolve_command(ctx, args)
        if name is not None and command is not None and ctx.resilient_parsing and name not in self.commands:
            try:
                command = self.manager().resolve(self.hook, name)
            except PluginError:
                return name, command, rest  # nothing to complete, and no traceback in somebody's prompt
        return name, command, rest

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [(name, self._summary(name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (PluginError, self.error_root) as error:
            click.echo(f"error: {visible(str(error))}", err=True)
            ctx.exit(getattr(error, "exit_code", 2))

    def _summary(self, name: str) -> str:
        if (own := self.commands.get(name)) is not None:
            return own.get_short_help_str(limit=70)
        return self.manager().offers(self.hook)[name][0].entry.summary
