"""``sway list-probes``: what a suite entry's ``kind`` can be."""

from __future__ import annotations

import textwrap

import click


@click.command(name="list-probes", short_help="Show the probes a suite can name.")
def list_probes() -> None:
    """Show the probes a suite can name, and which distribution offers each.

    One that seeks change passes when training did something; one that seeks harm passes when it broke nothing.
    """
    from ..plugins import manager

    rows = [("kind", "category", "seeks", "distribution")]
    summaries = [""]
    for name, offers in manager().offers("dlm_sway_probes").items():
        for entry, source in offers:
            rows.append((name, getattr(entry, "category", "?"), getattr(entry, "seeks", "?"), source))
            summaries.append(entry.summary)
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row, summary in zip(rows, summaries, strict=True):
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        for line in textwrap.wrap(summary, 76, break_long_words=False, break_on_hyphens=False):
            click.echo(f"    {line}")
