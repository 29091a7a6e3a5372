"""Options and printing that several commands share."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..result import SuiteResult

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
trace_option = click.option("--trace", "trace_path", type=FILE, help="Append a line of JSON here for every question.")


def facts() -> dict[str, Any]:
    """The command line, for the report's provenance."""
    return {"command": shlex.join(["sway", *sys.argv[1:]])}


def progress(line: str) -> None:
    """One line on standard error, where it does not mix with the report."""
    click.echo(line, err=True)


def publish(result: SuiteResult, files: dict[str, Path | None]) -> dict[str, Any]:
    """Print ``result`` and write it to ``files`` (format -> path). Returns the JSON's data.

    Raises:
        SwayError: a file cannot be written.
    """
    from ..plugins import manager
    from ..report.document import to_dict
    from ..report.write import write

    document = to_dict(result)
    show(document)
    for name, path in files.items():
        if path is not None:
            render: Callable[[dict[str, Any]], str] = manager().resolve("dlm_sway_reports", name)
            write(path, render(document))
    return document


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
