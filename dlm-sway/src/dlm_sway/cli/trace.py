"""``sway trace``: where the time of a run went."""

from __future__ import annotations

import json
from pathlib import Path

import click

from .options import FILE


@click.command(short_help="Sum up a trace: by probe, by view, the slowest.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "name",
    type=click.Choice(["terminal", "md", "markdown", "json"]),
    default="terminal",
    show_default=True,
    help="How to write it.",
)
@click.option("--slowest", type=click.IntRange(min=0), default=10, show_default=True, help="How many to list.")
@click.option("--run", "run", default="", metavar="ID", help="Only this run of the file; `last` is the last one.")
@click.option("-o", "--out", type=FILE, help="Write to this file instead of printing.")
@click.pass_context
def trace(ctx: click.Context, file: Path, name: str, slowest: int, run: str, out: Path | None) -> None:
    """Sum up the trace in FILE, as `sway run --trace FILE` writes it.

    Exits 1 when it holds no events.
    """
    from ..history import traced, traced_text
    from ..report.write import write

    events, malformed = traced.read(file, run)
    if not events:
        click.echo(f"{file} holds no events", err=True)
        ctx.exit(1)
    found = traced.summed(events, malformed, slowest)
    if name == "json":
        said = json.dumps(traced_text.to_json(found), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    else:
        said = traced_text.text(found) if name == "terminal" else traced_text.markdown(found)
    if out is not None:
        write(out, said)
    else:
        click.echo(said, nl=False)
