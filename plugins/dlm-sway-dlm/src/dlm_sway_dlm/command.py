"""``dlm sway``: hand everything to ``sway check``, so that there is one judge and one set of options."""

from __future__ import annotations

import os
import subprocess
import sys

import click


@click.command(
    add_help_option=False,
    context_settings={"ignore_unknown_options": True},
    short_help="Judge what training changed, with sway.",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def sway(ctx: click.Context, arguments: tuple[str, ...]) -> None:
    """Judge what training changed: the same as ``sway check``, options, output and exit code included."""
    # A process of its own: sway prints and ends as it always does. -P keeps the current folder off its import path.
    command = [sys.executable, "-P", "-m", "dlm_sway", "check", *arguments]
    home = ctx.find_root().params.get("home")
    environment = {**os.environ, "DLM_HOME": str(home)} if home else None
    ctx.exit(subprocess.run(command, check=False, env=environment).returncode)
