"""``sway diff``: two adapters on one base, entry by entry, on the same items."""

from __future__ import annotations

import json
from pathlib import Path

import click

from .compare import installed_seeks
from .options import FILE, no_cache_option, progress, trace_option

format_option = click.option(
    "--format",
    "name",
    type=click.Choice(["terminal", "md", "markdown", "json"]),
    default="terminal",
    show_default=True,
    help="How to write it.",
)


@click.command(short_help="Compare two adapters on one base, loaded once.")
@click.argument("spec", type=click.Path(path_type=Path))
@click.option("--a", "first", required=True, metavar="ADAPTER", help="Folder or document of the one before.")
@click.option("--b", "second", required=True, metavar="ADAPTER", help="Folder or document of the one after.")
@format_option
@click.option("-o", "--out", type=FILE, help="Write to this file instead of printing.")
@no_cache_option
@trace_option
def diff(
    spec: Path, first: str, second: str, name: str, out: Path | None, no_cache: bool, trace_path: Path | None
) -> None:
    """Ask the entries of SPEC of two adapters, and show what changed from A to B.

    Both are on the base that SPEC names, which is loaded once, and are asked the same items. Random adapters are not
    asked: whether either one learned anything is what `sway run` says.
    """
    from ..history import compare_text
    from ..history.adapters import ask_all
    from ..history.compare import compare
    from ..plugins import manager
    from ..report.write import write

    runs = ask_all(spec, [first, second], manager=manager(), cache=not no_cache, trace=trace_path, say=progress)
    found = compare(runs, seeks=installed_seeks())
    if name == "json":
        said = json.dumps(compare_text.to_json(found), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    else:
        said = compare_text.text(found) if name == "terminal" else compare_text.markdown(found)
    if out is not None:
        write(out, said)
    else:
        click.echo(said, nl=False)
