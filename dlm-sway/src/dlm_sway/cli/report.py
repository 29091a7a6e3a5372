"""``sway report``: a saved result in any format that an installed plugin writes."""

from __future__ import annotations

from pathlib import Path

import click

from .options import FILE, show


@click.command(short_help="Show a saved result again.")
@click.argument("result", type=click.Path(path_type=Path), metavar="JSON")
@click.option(
    "--format", "name", default="terminal", show_default=True, help="terminal, markdown (md), junit, json, ..."
)
@click.option("-o", "--out", type=FILE, help="Write to this file instead of printing.")
def report(result: Path, name: str, out: Path | None) -> None:
    """Show the result saved in JSON again, in another format.

    The plugins that made the result need not be installed.
    """
    from ..plugins import manager
    from ..report.document import read
    from ..report.write import write

    render = manager().resolve("dlm_sway_reports", name)
    document = read(result)
    if out is not None:
        write(out, render(document))
    elif name == "terminal":
        show(document)
    else:
        click.echo(render(document), nl=False)
