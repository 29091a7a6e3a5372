"""``dlm templates list | show``: documents to start from."""

from __future__ import annotations

import click


@click.group(short_help="List and show documents to start from.")
def templates() -> None:
    """List and show documents to start from.

    `dlm init PATH --template NAME` makes a new document of one.
    """


@templates.command("list", short_help="List the templates.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
def list_templates(as_json: bool) -> None:
    """List the templates: what each is about, and a question it can answer."""
    import json
    import textwrap

    from .._plugkit.errors import PluginError
    from ..errors import DlmError
    from ..templates.start import meta_of, names

    found, broken = [], []
    for name in names():
        try:
            found.append(meta_of(name))
        except (DlmError, PluginError) as problem:
            broken.append(f"{name}: {problem}")
    if as_json:
        click.echo(json.dumps([meta.as_json() for meta in found], indent=2, ensure_ascii=False))
    else:
        for meta in found:
            summary = textwrap.wrap(meta.summary, 56)
            for number, line in enumerate(summary):
                click.echo(f"{meta.name if number == 0 else '':<20} {line}")
        click.echo("\nBegin with one: dlm init new.dlm --template NAME")
    for line in broken:
        click.echo(f"warning: {line}", err=True)


@templates.command(short_help="Print the text of a template.")
@click.argument("name")
def show(name: str) -> None:
    """Print the text of the template NAME, as a document would begin with it."""
    from ..templates.start import find

    click.echo(find(name).text(), nl=False)
