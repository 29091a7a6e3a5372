"""The ``sway`` command. Subcommands live in plugins, built-in ones included."""

from __future__ import annotations

import errno
import traceback
from typing import TYPE_CHECKING, Any

import click

from .._plugkit.completion import completion_option
from .._plugkit.lazy import LazyGroup
from ..errors import SwayError

if TYPE_CHECKING:
    from .._plugkit.plugins import PluginManager


class Sway(LazyGroup):
    """Commands from plugins; an exit code for everything that can happen."""

    hook = "dlm_sway_commands"
    error_root = SwayError

    @staticmethod
    def manager() -> PluginManager:
        """The installed plugins, loaded when the first command is looked up."""
        from ..plugins import manager

        return manager()

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. A bug keeps its traceback but ends with 3, so that CI never reads it as a failed gate."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("interrupted: nothing was written", err=True)
            ctx.exit(130)
        except (click.exceptions.Exit, click.Abort, click.ClickException):
            raise
        except Exception as error:
            if isinstance(error, OSError) and error.errno == errno.EPIPE:
                raise
            click.echo(traceback.format_exc(), err=True)
            click.echo("error: this is a bug in sway or in a plugin; `sway plugins` shows their versions", err=True)
            ctx.exit(3)


@click.group(cls=Sway, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="dlm-sway", prog_name="sway", message="%(prog)s %(version)s")
@completion_option("sway")
def main() -> None:
    """Did fine-tuning change the model, on the right topics, without breaking the rest?

    Exit codes: 0 fine, 1 the gate or the check failed, 2 usage or suite error, 3 runtime failure, 4 could not tell.
    """
