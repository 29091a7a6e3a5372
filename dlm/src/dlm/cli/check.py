"""``dlm check``: every mistake of a document, and what will be trained from it. Loads no model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ..document.checkup import Checkup


@click.command()
@click.argument("document", type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def check(ctx: click.Context, document: str, as_json: bool) -> None:
    """Read a document and report every mistake in it."""
    import json
    from pathlib import Path

    from ..document.checkup import examine

    found = examine(Path(document))
    if as_json:
        click.echo(json.dumps(found.as_json(), indent=2, ensure_ascii=False, allow_nan=False))
    else:
        _print(found)
    ctx.exit(2 if found.findings else 0)


def _print(found: Checkup) -> None:
    for finding in found.findings:
        click.echo(str(finding))
    for note in found.notes:
        click.echo(f"{found.path}: note: {note}")
    if found.findings:
        count = len(found.findings)
        click.echo(f"{count} {'mistake' if count == 1 else 'mistakes'} in {found.path}", err=True)
        return
    click.echo(f"{found.path}: no mistakes. {found.title!r}, base {found.base_model}")
    for line in found.summary():
        click.echo(f"  {line}")
