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
@click.option(
    "--wordnet",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="paraphrase: also swap words for synonyms from this folder with WordNet's files.",
)
@click.option("-o", "--out", type=FILE, help="Write it here instead of printing it.")
@no_cache_option
def mine(
    spec: Path, mode: str, top: int, pool: Path | None, wordnet: Path | None, out: Path | None, no_cache: bool
) -> None:
    """Find entries for the suite SPEC by asking its models; paste what is printed under `suite:`.

    paraphrase: wordings of its cases under which the answer gains least. outliers: prompts on which the adapter moves
    the model most, and least.
    """
    from ..mining import outliers, paraphrase
    from ..plugins import manager
    from ..report.write import write

    if (wordnet if mode == "outliers" else pool) is not None:
        raise click.UsageError("--pool belongs to --mode outliers, --wordnet to --mode paraphrase: leave it out")
    if mode == "outliers":
        text = outliers.mine(spec, manager(), top=top, pool=pool, cache=not no_cache, say=progress)
    else:
        text = paraphrase.mine(spec, manager(), top=top, wordnet=wordnet, cache=not no_cache, say=progress)
    if out is None:
        click.echo(text, nl=False)
    else:
        write(out, text)
        click.echo(f"wrote {out}: paste it under `suite:` in {spec}", err=True)
