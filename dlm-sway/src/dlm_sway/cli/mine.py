"""``sway mine``: entries for a suite, found by asking its models."""

from __future__ import annotations

from pathlib import Path

import click

from .options import FILE, no_cache_option, progress


@click.command(short_help="Find entries for a suite by asking its models.")
@click.argument("spec", type=click.Path(path_type=Path))
@click.option("--mode", type=click.Choice(["paraphrase", "outliers"]), required=True, help="What to look for.")
@click.option(
    "--top", type=click.IntRange(1), default=3, show_default=True, help="Wordings a case, or prompts an entry."
)
@click.option("--pool", type=FILE, help="outliers: prompts to choose from, one a line, instead of the suite's.")
@click.option("-o", "--out", type=FILE, help="Write it here instead of printing it.")
@no_cache_option
def mine(spec: Path, mode: str, top: int, pool: Path | None, out: Path | None, no_cache: bool) -> None:
    """Find entries for the suite SPEC by asking its models; paste what is printed under `suite:`.

    paraphrase: wordings of its cases under which the answer gains least. outliers: prompts on which the adapter moves
    the model most, and least.
    """
    from ..mining import outliers, paraphrase
    from ..plugins import manager
    from ..report.write import write

    if mode == "outliers":
        text = outliers.mine(spec, manager(), top=top, pool=pool, cache=not no_cache, say=progress)
    elif pool is not None:
        raise click.UsageError("--pool belongs to --mode outliers: leave it out")
    else:
        text = paraphrase.mine(spec, manager(), top=top, cache=not no_cache, say=progress)
    if out is None:
        click.echo(text, nl=False)
    else:
        write(out, text)
        click.echo(f"wrote {out}: paste it under `suite:` in {spec}", err=True)
