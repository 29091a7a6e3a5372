"""``sway cache``: what is kept between runs, and how to be rid of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pathlib import Path


@click.group(short_help="Show or empty what is kept between runs.")
def cache() -> None:
    """Show or empty what is kept between runs.

    Answers of a model are kept by what decides them: the files of base, adapter and tokenizer, precision,
    kind of device, library versions, and the question. A changed file is another model, so nothing here is
    ever out of date; emptying it costs time, not numbers.
    """


@cache.command(short_help="Where it lies, and how much it is.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def info(as_json: bool) -> None:
    """Show where answers are kept, and how many."""
    from ..scoring.cache import facts

    found = [(kind, path, facts(path)) for kind, path in _places()]
    if as_json:
        rows = [
            {
                "kind": kind,
                "path": str(path),
                "entries": told.entries if told else 0,
                "bytes": told.size if told else 0,
                "problem": told.problem if told else "",
            }
            for kind, path, told in found
        ]
        click.echo(json.dumps(rows, indent=2))
        return
    for kind, path, told in found:
        click.echo(f"{kind}: {path}")
        if told is None:
            click.echo("  empty")
        else:
            click.echo(f"  {told.problem or f'{told.entries} answers'}, {told.size / 1e6:.1f} MB")


@cache.command(short_help="Delete it.")
@click.option("--nulls", "only", flag_value="nulls", help="Only what null adapters answered.")
@click.option("--scores", "only", flag_value="scores", help="Only the rest.")
def clear(only: str | None) -> None:
    """Delete the answers that are kept. The next run asks everything anew."""
    from ..errors import SwayError
    from ..scoring.cache import remove

    for kind, path in _places():
        if only in (None, kind):
            try:
                freed = remove(path)
            except OSError as error:
                raise SwayError(f"{path}: cannot be deleted: {error.strerror}") from error
            click.echo(f"{kind}: {freed / 1e6:.1f} MB freed in {path.parent}")


def _places() -> list[tuple[str, Path]]:
    from ..scoring.cache import null_file, score_file

    return [("scores", score_file()), ("nulls", null_file())]
