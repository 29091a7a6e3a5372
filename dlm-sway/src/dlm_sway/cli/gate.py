"""``sway gate``: run a suite and turn its verdicts into an exit code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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


@click.command(short_help="Run a suite; the exit code is the verdict.")
@click.argument("spec", type=click.Path(path_type=Path))
@click.option("--junit", "junit_path", type=FILE, help="Also write JUnit XML here.")
@json_option
@format_option
@out_option
@click.option("--threshold", type=click.FloatRange(0, 1), help="Overall score to reach, instead of the suite's.")
@weights_option
@resume_option
@no_cache_option
@trace_option
@click.pass_context
def gate(
    ctx: click.Context,
    spec: Path,
    junit_path: Path | None,
    json_path: Path | None,
    formats: tuple[str, ...],
    outs: tuple[Path, ...],
    threshold: float | None,
    weights: dict[str, float] | None,
    resume: bool,
    no_cache: bool,
    trace_path: Path | None,
) -> None:
    """Run the suite in SPEC; the exit code is the verdict.

    0: every probe that ran passed. 1: a probe failed or could not run, or the score is below the threshold.
    4: nothing failed, but something could not be told.
    """
    from ..suite.run import run as run_suite
    from .running import finish, to_go_on_with, watching

    reports = outputs(formats, outs, {"junit": junit_path, "json": json_path})
    earlier = to_go_on_with(reports, cache=not no_cache) if resume else None
    with watching(ctx, reports) as watched:
        result = run_suite(
            spec,
            weights=weights,
            threshold=threshold,
            facts=facts(),
            cache=not no_cache,
            trace=trace_path,
            say=watched.say,
            earlier=earlier,
            keep=watched.keep,
        )
    decision = finish(result, reports)["gate"]
    announce(decision, err=any(one.path is None for one in reports))
    ctx.exit(decision["exit_code"])


def announce(decision: dict[str, Any], *, err: bool) -> None:
    """The decision in words; on standard error where standard output is a report that a program reads."""
    words = {0: "gate passed", 1: "gate failed", 4: "gate could not tell"}
    click.echo(words[decision["exit_code"]] + (":" if decision["reasons"] else ""), err=err)
    for reason in decision["reasons"]:
        click.echo(f"  {reason}", err=err)
