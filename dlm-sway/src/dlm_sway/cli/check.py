"""``sway check``: judge an adapter or a document without writing a suite."""

from __future__ import annotations

from pathlib import Path

import click

from .options import facts, format_option, json_option, no_cache_option, out_option, outputs


@click.command(short_help="Judge an adapter or a document without writing a suite.")
@click.argument("ref")
@json_option
@format_option
@out_option
@click.option(
    "--nulls", default=39, show_default=True, type=click.IntRange(1, 999), help="Random adapters to compare with."
)
@click.option("--base", help="Base model of an adapter folder, instead of the one its config names.")
@click.option(
    "--margin",
    default=0.3,
    show_default=True,
    type=click.FloatRange(0, min_open=True),
    help="Nats by which unrelated answers may move.",
)
@click.option(
    "--prompts",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Prompts for an adapter folder, one a line.",
)
@no_cache_option
@click.pass_context
def check(
    ctx: click.Context,
    ref: str,
    json_path: Path | None,
    formats: tuple[str, ...],
    outs: tuple[Path, ...],
    nulls: int,
    base: str | None,
    margin: float,
    prompts: Path | None,
    no_cache: bool,
) -> None:
    """Judge REF: an adapter folder, or a document that was trained.

    0: it learned (or changed, where learning could not be asked about). 1: no change, not learned,
    harmed or broken. 4: could not tell.
    """
    from ..suite.check import check as check_target
    from .running import finish, watching

    reports = outputs(formats, outs, {"json": json_path})
    lines = [line.strip() for line in prompts.read_text("utf-8").splitlines()] if prompts else []
    with watching(ctx, reports, resumable=False) as watched:
        checked = check_target(
            ref,
            nulls=nulls,
            base=base,
            margin=margin,
            prompts=[line for line in lines if line],
            facts=facts(),
            cache=not no_cache,
            say=watched.say,
            keep=watched.keep,
        )
    finish(checked.result, reports)
    ctx.exit(checked.exit_code)
