"""``dlm plugin``: for those who write plugins."""

from __future__ import annotations

import shlex
from pathlib import Path

import click


@click.group(short_help="Start a plugin of your own.")
def plugin() -> None:
    """Start a plugin of your own."""


@plugin.command(short_help="Write a distribution with an augmenter, its test and a README.")
@click.argument("name")
@click.option("--into", type=click.Path(path_type=Path), help="The new folder; ./NAME by default.")
def new(name: str, into: Path | None) -> None:
    """Write the distribution NAME: one augmenter that works, its entry point, its contract test and a README.

    NAME is in small letters with dashes, such as acme-study; its augmenter is called NAME/other-words.
    """
    from ..scaffold import scaffold

    folder = into or Path(name)
    for path in scaffold(name, folder):
        click.echo(f"wrote {path}")
    place = shlex.quote(f"{folder}[test]" if folder.is_absolute() else f"./{folder}[test]")
    click.echo(f"next: pip install -e {place} && python -m pytest {shlex.quote(str(folder))} && dlm plugins")
