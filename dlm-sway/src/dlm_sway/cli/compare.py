"""``sway compare``: saved results beside each other, and whether the newest is worse."""

from __future__ import annotations

import json
from pathlib import Path

import click

from .options import FILE


@click.command(short_help="Compare saved results: what got worse, and is it shown?")
@click.argument("results", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="JSON...")
@click.option(
    "--format",
    "name",
    type=click.Choice(["terminal", "md", "markdown", "json"]),
    default="terminal",
    show_default=True,
    help="How to write it.",
)
@click.option(
    "--fail-on-regression",
    "margin",
    type=click.FloatRange(min=0),
    metavar="SHARE",
    help="Exit with 1 when an entry is shown to be worse by more than this share of its earlier value, such as 0.1; "
    "with 4 when one has lost its verdict.",
)
@click.option(
    "--against",
    type=click.Choice(["previous", "first"]),
    default="previous",
    show_default=True,
    help="Which run the newest is held against.",
)
@click.option("-o", "--out", type=FILE, help="Write to this file instead of printing.")
@click.pass_context
def compare(
    ctx: click.Context, results: tuple[Path, ...], name: str, margin: float | None, against: str, out: Path | None
) -> None:
    """Compare the results saved in JSON..., the oldest first.

    Entries are found again by name. Where both runs asked the same items, the change has an interval of the
    differences, item by item; else one made of both intervals.
    """
    from ..history import compare_text
    from ..history.compare import Run
    from ..history.compare import compare as compare_runs
    from ..report.document import read
    from ..report.write import write

    runs = [Run(path.name.removesuffix(".json").removesuffix(".result"), read(path)) for path in results]
    found = compare_runs(
        runs, margin=margin or 0.0, against="first" if against == "first" else "previous", seeks=installed_seeks()
    )
    if name == "json":
        said = json.dumps(compare_text.to_json(found), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    else:
        said = compare_text.text(found) if name == "terminal" else compare_text.markdown(found)
    if out is not None:
        write(out, said)
    else:
        click.echo(said, nl=False)
    if margin is not None:
        ctx.exit(found.exit_code)


def installed_seeks() -> dict[str, str]:
    """What the installed probes look for, by kind: earlier versions did not write it into their results."""
    from ..plugins import manager

    offers = manager().offers("dlm_sway_probes").items()
    return {kind: getattr(found[0][0], "seeks", "") for kind, found in offers}
