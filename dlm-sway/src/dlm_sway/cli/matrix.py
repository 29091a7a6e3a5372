"""``sway matrix``: several adapters on one base, as a leaderboard."""

from __future__ import annotations

import json
from pathlib import Path

import click

from .compare import installed_seeks
from .diff import format_option
from .options import FILE, no_cache_option, progress, trace_option


@click.command(short_help="Rank several adapters on one base, loaded once.")
@click.argument("spec", type=click.Path(path_type=Path))
@click.argument("adapters", nargs=-1, required=True, metavar="ADAPTER...")
@format_option
@click.option("-o", "--out", type=FILE, help="Write to this file instead of printing.")
@no_cache_option
@trace_option
def matrix(
    spec: Path, adapters: tuple[str, ...], name: str, out: Path | None, no_cache: bool, trace_path: Path | None
) -> None:
    """Ask the entries of SPEC of every ADAPTER, a folder or a document, and rank them.

    All are on the base that SPEC names, which is loaded once, and are asked the same items. An adapter leads where
    others are shown to be worse, not where its number happens to be larger.
    """
    from ..history import ranking_text
    from ..history.adapters import ask_all
    from ..history.ranking import rank
    from ..plugins import manager
    from ..report.write import write

    if len(adapters) < 2:
        raise click.UsageError("one adapter cannot be ranked: name two or more, or `sway run` the suite")
    runs = ask_all(spec, adapters, manager=manager(), cache=not no_cache, trace=trace_path, say=progress)
    found = rank(runs, installed_seeks())
    if name == "json":
        said = json.dumps(ranking_text.to_json(found), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    else:
        said = ranking_text.text(found) if name == "terminal" else ranking_text.markdown(found)
    if out is not None:
        write(out, said)
    else:
        click.echo(said, nl=False)
