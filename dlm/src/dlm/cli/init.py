"""``dlm init``: a new document."""

from __future__ import annotations

import click


@click.command()
@click.argument("path", type=click.Path(dir_okay=False))
@click.option("--base", default="smollm2-135m", show_default=True, help="Base model; see `dlm base list`.")
@click.option("--force", is_flag=True, help="Replace an existing file by a new document with an id of its own.")
def init(path: str, base: str, force: bool) -> None:
    """Write a new document to start from."""
    from pathlib import Path

    from ..bases.resolve import resolve
    from ..document.starter import starter
    from ..document.write import write_new

    resolve(base)
    write_new(Path(path), starter(base), replace=force)
    click.echo(f"Wrote {path}, a small sample to be replaced by your own text. Next:")
    click.echo(f"  dlm check {path}    every mistake, and what will be trained")
    click.echo(f"  dlm train {path}    train it")
