"""``dlm sway``: hand everything to ``sway check``, so that there is one judge and one set of options."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import click

from dlm.errors import UsageProblem

if TYPE_CHECKING:
    from collections.abc import Iterator


@click.command(
    add_help_option=False,
    context_settings={"ignore_unknown_options": True},
    short_help="Judge what training changed, with sway.",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.option("--adapter", metavar="NAME", help="Of a document that names several; the same as DOC.dlm#NAME.")
@click.pass_context
def sway(ctx: click.Context, arguments: tuple[str, ...], adapter: str | None) -> None:
    """Judge what training changed: the same as ``sway check``, options, output and exit code included."""
    if adapter is not None:
        arguments = tuple(_named(arguments, adapter))
    # A process of its own: sway prints and ends as it always does. -P keeps the current folder off its import path.
    command = [sys.executable, "-P", "-m", "dlm_sway", "check", *arguments]
    home = ctx.find_root().params.get("home")
    environment = {**os.environ, "DLM_HOME": str(home)} if home else None
    ctx.exit(subprocess.run(command, check=False, env=environment).returncode)


def _named(arguments: tuple[str, ...], adapter: str) -> Iterator[str]:
    """``arguments`` with the adapter behind the document.

    Raises:
        UsageProblem: there is no document among them.
    """
    at = next((at for at, one in enumerate(arguments) if one.lower().endswith(".dlm")), None)
    if at is None:
        raise UsageProblem(f"--adapter {adapter} needs a document: dlm sway DOC.dlm --adapter {adapter}")
    yield from (f"{one}#{adapter}" if number == at else one for number, one in enumerate(arguments))
