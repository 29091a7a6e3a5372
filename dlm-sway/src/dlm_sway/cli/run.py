"""``sway run``: run a suite and report. The exit code does not depend on the verdicts; ``sway gate`` is for that."""

from __future__ import annotations

from pathlib import Path

import click

from .options import (
    FILE,
    facts,
    format_option,
    json_option,
    no_cache_option,
    out_option,
    outputs,
    resume_option,
    trace_option,
    weights_option,
)


@click.command(short_help="Run a suite and report what it found.")
@click.argument("spec", type=click.Path(path_type=Path))
@json_option
@click.option("-m", "--markdown", "markdown_path", type=FILE, help="Also write a Markdown report here.")
@format_option
@out_option
@weights_option
@resume_option
@no_cache_option
@trace_option
@click.option("--dry-run", is_flag=True, help="Check the suite and list its probes; load no model.")
@click.pass_context
def run(
    ctx: click.Context,
    spec: Path,
    json_path: Path | None,
    markdown_path: Path | None,
    formats: tuple[str, ...],
    outs: tuple[Path, ...],
    weights: dict[str, float] | None,
    dry_run: bool,
    resume: bool,
    no_cache: bool,
    trace_path: Path | None,
) -> None:
    """Run the suite in SPEC and report what it found.

    Exits 0 whatever the verdicts; use `sway gate` to make them an exit code.
    """
    if dry_run:
        list_entries(spec)
        return
    from ..suite.run import run as run_suite
    from .running import finish, to_go_on_with, watching

    reports = outputs(formats, outs, {"json": json_path, "markdown": markdown_path})
    earlier = to_go_on_with(reports, cache=not no_cache) if resume else None
    with watching(ctx, reports) as watched:
        result = run_suite(
            spec,
            weights=weights,
            facts=facts(),
            cache=not no_cache,
            trace=trace_path,
            say=watched.say,
            earlier=earlier,
            keep=watched.keep,
        )
    finish(result, reports)


def list_entries(spec: Path) -> None:
    """Print the checked suite."""
    from ..plugins import manager
    from ..spec.load import load

    loaded = load(spec, manager())
    click.echo(f"dry-run for {spec} - {len(loaded.probes)} probe(s)")
    rows = [("#", "name", "kind", "category", "enabled")]
    for number, planned in enumerate(loaded.probes, start=1):
        entry = planned.probe.spec
        rows.append((str(number), entry.name, entry.kind, planned.entry.category, "yes" if entry.enabled else "no"))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    for note in loaded.notes:
        click.echo(f"note: {note}")
