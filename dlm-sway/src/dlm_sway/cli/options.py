"""Options and printing that several commands share."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..report.outputs import Output

FILE = click.Path(dir_okay=False, path_type=Path)


def _weights(ctx: click.Context, parameter: click.Parameter, value: str | None) -> dict[str, float] | None:
    if value is None:
        return None
    found = {}
    for part in value.split(","):
        category, equals, number = part.partition("=")
        try:
            found[category.strip()] = float(number)
        except ValueError:
            what = f"{part!r} is not CATEGORY=NUMBER" if equals else f"{part!r} has no =NUMBER"
            raise click.BadParameter(f"{what}; write for example adherence=0.4,ablation=0") from None
    from ..spec.models import merged_weights

    try:
        merged_weights(found)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    return found


weights_option = click.option(
    "--weights", callback=_weights, metavar="K=V,...", help="Category weights, merged over the suite's."
)
json_option = click.option("-j", "--json", "json_path", type=FILE, help="Also write the result JSON here.")
no_cache_option = click.option(
    "--no-cache", is_flag=True, help="Ask the model everything anew, and keep nothing for later runs."
)
format_option = click.option(
    "-f",
    "--format",
    "formats",
    multiple=True,
    metavar="NAME",
    help="terminal, markdown, junit, sarif, json, html, ...; again for another.",
)
out_option = click.option(
    "-o",
    "--out",
    "outs",
    multiple=True,
    type=FILE,
    help="Write the report here, in the format of the --format with the same number, or that of its ending.",
)
resume_option = click.option(
    "--resume", is_flag=True, help="Go on with the interrupted run that the --json file holds."
)
trace_option = click.option("--trace", "trace_path", type=FILE, help="Append a line of JSON here for every question.")


def facts() -> dict[str, Any]:
    """The command line, for the report's provenance."""
    return {"command": shlex.join(["sway", *sys.argv[1:]])}


def progress(line: str) -> None:
    """One line on standard error, where it does not mix with the report."""
    click.echo(line, err=True)


def outputs(
    formats: Sequence[str], paths: Sequence[Path], named: Mapping[str, Path | None] | None = None
) -> list[Output]:
    """The reports asked for with ``--format``, ``--out`` and options of their own (``named``: format -> file).

    Raises:
        TargetError, PluginError: they cannot be written as asked.
    """
    from ..plugins import manager
    from ..report.outputs import plan

    return plan(formats, paths, list((named or {}).items()), manager())


def show(document: dict[str, Any]) -> None:
    """Print the terminal report on standard output."""
    from rich.console import Console

    from ..report.terminal import WIDTH, show

    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # an ASCII terminal shows a question mark instead of failing
    # A pipe has no width of its own; COLUMNS, where set, still counts.
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    show(document, console)
