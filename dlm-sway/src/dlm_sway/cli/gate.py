"""``sway gate``: run a suite and turn its verdicts into an exit code."""

from __future__ import annotations

from pathlib import Path

import click

from .options import FILE, facts, json_option, no_cache_option, progress, publish, trace_option, weights_option


@click.command(short_help="Run a suite; the exit code is the verdict.")
@click.argument("spec", type=click.Path(path_type=Path))
@click.option("--junit", "junit_path", type=FILE, help="Also write JUnit XML here.")
@json_option
@click.option("--threshold", type=click.FloatRange(0, 1), help="Overall score to reach, instead of the suite's.")
@weights_option
@no_cache_option
@trace_option
@click.pass_context
def gate(
    ctx: click.Context,
    spec: Path,
    junit_path: Path | None,
    json_path: Path | None,
    threshold: float | None,
    weights: dict[str, float] | None,
    no_cache: bool,
    trace_path: Path | None,
) -> None:
    """Run the suite in SPEC; the exit code is the verdict.

    0: every probe that ran passed. 1: a probe failed or could not run, or the score is below the threshold.
    4: nothing failed, but something could not be told.
    """
    from ..suite.run import run as run_suite

    result = run_suite(
        spec,
        weights=weights,
        threshold=threshold,
        facts=facts(),
        cache=not no_cache,
        trace=trace_path,
        say=progress,
    )
    decision = publish(result, {"junit": junit_path, "json": json_path})["gate"]
    words = {0: "gate passed", 1: "gate failed", 4: "gate could not tell"}
    click.echo(words[decision["exit_code"]] + (":" if decision["reasons"] else ""))
    for reason in decision["reasons"]:
        click.echo(f"  {reason}")
    ctx.exit(decision["exit_code"])
