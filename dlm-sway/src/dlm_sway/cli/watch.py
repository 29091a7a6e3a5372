"""``sway watch``: judge again whenever the suite, the document or the adapter has changed."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .options import facts, no_cache_option, progress, weights_option

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..history.watching import Kept
    from ..spec.load import LoadedSuite

    Judge = Callable[[LoadedSuite], dict[str, Any]]


@click.command(short_help="Judge again whenever something has changed.")
@click.argument("spec", type=click.Path(path_type=Path))
@click.option(
    "--history-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where results are kept; beside the suite, as NAME.history, if not given.",
)
@click.option("--max-history", type=click.IntRange(min=1), default=100, show_default=True, help="How many are kept.")
@click.option(
    "--on-fail",
    metavar="CMD",
    help="Run this when the gate fails, with SWAY_RESULT_PATH in its environment. No shell: quotes work, pipes do not.",
)
@click.option(
    "--settle-ms",
    type=click.IntRange(min=0),
    default=1000,
    show_default=True,
    help="Quiet time before a change counts.",
)
@click.option(
    "--serve-url",
    metavar="URL",
    envvar="SWAY_SERVE_URL",
    show_envvar=True,
    help="Have the `sway serve` at this address judge; its key is taken from SWAY_SERVE_KEY.",
)
@weights_option
@no_cache_option
def watch(
    spec: Path,
    history_dir: Path | None,
    max_history: int,
    on_fail: str | None,
    settle_ms: int,
    serve_url: str | None,
    weights: dict[str, float] | None,
    no_cache: bool,
) -> None:
    """Run the suite in SPEC now, and again whenever the suite, its document or its adapter has changed.

    Every result is kept and held against the one before. Ctrl-C ends it.
    """
    from ..history.watching import History, Rhythm
    from ..history.watching import watch as watch_files
    from ..plugins import manager

    command = _command(on_fail)
    judge = _here(weights, not no_cache) if serve_url is None else _there(serve_url, spec, weights, no_cache)

    def kept(one: Kept) -> None:
        _tell(one)
        if one.result["gate"]["exit_code"] == 1 and command:
            _call(command, one.path)

    try:
        watch_files(
            spec,
            manager=manager(),
            judge=judge,
            history=History(history_dir or spec.with_suffix(".history"), max_history),
            kept=kept,
            say=progress,
            rhythm=Rhythm(settle=settle_ms / 1000),
        )
    except KeyboardInterrupt:
        click.echo("no longer watching", err=True)


def _here(weights: dict[str, float] | None, cache: bool) -> Judge:
    from ..report.document import to_dict
    from ..suite.run import run

    return lambda loaded: to_dict(run(loaded, weights=weights, facts=facts(), cache=cache))


def _there(url: str, spec: Path, weights: dict[str, float] | None, no_cache: bool) -> Judge:
    """Send the suite to the server at ``url``, by whoever knows how to talk to such an address."""
    from ..plugins import manager
    from ..report.document import completed
    from ..spec.sending import absolute

    if no_cache:
        raise click.UsageError("the server decides what is kept: start it with `sway serve --no-cache`")
    scheme, mark, _ = url.partition("://")
    if not mark:
        raise click.BadParameter(f"{url!r} is no address: write http://127.0.0.1:8377", param_hint="--serve-url")
    ask = manager().resolve("dlm_sway_remotes", scheme)
    return lambda loaded: completed(ask(url, absolute(spec, loaded), str(spec), weights), url)


def _command(given: str | None) -> list[str]:
    try:
        return shlex.split(given or "")
    except ValueError as error:
        raise click.BadParameter(f"{given!r}: {error}", param_hint="--on-fail") from None


def _tell(one: Kept) -> None:
    """The verdict, why, and what changed since the one before."""
    from ..errors import SwayError
    from ..history.compare import Run, compare
    from ..history.compare_text import closing, row_lines, wrapped
    from ..report.document import completed, read
    from .compare import installed_seeks

    gate, result = one.result["gate"], one.result
    click.echo(f"{result['finished_at'][:19].replace('T', ' ')} UTC  {result['conclusion']}  gate: {gate['outcome']}")
    for reason in gate["reasons"]:
        click.echo("\n".join(wrapped(f"  {reason}", indent="    ")))
    if one.previous is not None:
        try:
            runs = [Run("before", read(one.previous)), Run("now", completed(result, str(one.path)))]
        except SwayError as error:
            click.echo(f"note: not compared with the one before: {error}", err=True)
        else:
            found = compare(runs, seeks=installed_seeks())
            for row in (*found.having("worse"), *found.having("lost"), *found.having("better")):
                click.echo("\n".join(row_lines(row)))
            click.echo(f"  against the one before: {closing(found)}")
    click.echo(f"  {one.path}")


def _call(command: list[str], result: Path) -> None:
    try:
        done = subprocess.run(command, env={**os.environ, "SWAY_RESULT_PATH": str(result.absolute())}, check=False)
    except OSError as error:
        click.echo(f"--on-fail: {command[0]}: {error.strerror}", err=True)
        return
    if done.returncode:
        click.echo(f"--on-fail: {command[0]} ended with {done.returncode}", err=True)
