"""``sway report``: a saved result in any formats that installed plugins write."""

from __future__ import annotations

from pathlib import Path

import click

from .options import format_option, out_option, outputs, show


@click.command(short_help="Show a saved result again.")
@click.argument("result", type=click.Path(path_type=Path), metavar="JSON")
@format_option
@out_option
def report(result: Path, formats: tuple[str, ...], outs: tuple[Path, ...]) -> None:
    """Show the result saved in JSON again, in other formats.

    The plugins that made the result need not be installed. Without options it is printed as `sway run` did.
    """
    from ..report.document import read
    from ..report.outputs import TERMINAL, write_all

    reports = outputs(formats, outs)
    document = read(result)
    for one in reports:
        if one.path is None and one.format != TERMINAL:
            click.echo(one.render(document), nl=False)
    if not reports or any(one.path is None and one.format == TERMINAL for one in reports):
        show(document)
    write_all(reports, document)
