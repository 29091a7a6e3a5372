"""The ``dlm`` command. Its subcommands live in plugins, the built-in ones included."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

import click

from .._plugkit.completion import completion_option
from .._plugkit.lazy import LazyGroup
from ..errors import DlmError, UsageProblem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._plugkit.plugins import PluginManager

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells expect it."""


class Dlm(LazyGroup):
    """The group of every installed subcommand."""

    hook = "dlm_commands"
    error_root: ClassVar[type[Exception]] = DlmError  # type: ignore[misc]

    @staticmethod
    def manager() -> PluginManager:
        from ..plugins import manager

        return manager()

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """A command that a plugin brings which is not here: say which."""
        from .._known import INSTALLS

        install = INSTALLS.get((self.hook, args[0]))
        if install is not None and not ctx.resilient_parsing and args[0] not in self.list_commands(ctx):
            raise UsageProblem(f"dlm {args[0]} comes with a plugin that is not installed, or left out: {install}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as stop:
            click.echo(str(stop) or "interrupted", err=True)
            ctx.exit(getattr(stop, "exit_code", INTERRUPTED))
        except click.Abort as stop:
            # Of click's prompts; it raises the same when the input ends, or when somebody says no.
            if not isinstance(stop.__context__, KeyboardInterrupt):
                raise
            click.echo("interrupted", err=True)
            ctx.exit(INTERRUPTED)


@click.group(cls=Dlm, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--home",
    metavar="PATH",
    type=click.Path(file_okay=False),
    help="Folder of bases and trained versions. Default: $DLM_HOME, else ~/.dlm.",
)
@click.option("-q", "--quiet", is_flag=True, help="Print results and errors only.")
@click.option("-v", "--verbose", is_flag=True, help="Print what the libraries underneath log.")
@click.version_option(package_name="dlm", prog_name="dlm")
@completion_option("dlm")
@click.pass_context
def main(ctx: click.Context, home: str | None, quiet: bool, verbose: bool) -> None:
    """A document becomes a local language model."""
    if quiet and verbose:
        raise UsageProblem("--quiet and --verbose contradict each other: give one of them")
    ctx.obj = {"quiet": quiet}
    if home is not None:
        ctx.with_resource(_environment("DLM_HOME", home))
    if verbose:
        import logging

        logging.basicConfig(level=logging.DEBUG, format="%(levelname)s %(name)s: %(message)s")


@contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    """Set a variable for the command and whatever it starts, and put the old value back."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = before
