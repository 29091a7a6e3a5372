"""``dlm train --watch``: its options. When is trained, and how, lies in :mod:`dlm.watching`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..errors import UsageProblem

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..training.resolve import TrainOptions
    from ..watching.loop import Rhythm
    from .watch_line import Line


def watch_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options of ``--watch``."""
    for option in (
        click.option("--watch-max-steps", type=click.IntRange(min=1), metavar="N", help="Of trainings after a save."),
        click.option(
            "--watch-debounce-ms",
            "settle_ms",
            type=click.IntRange(min=10, max=60_000),
            metavar="MS",
            help="A save counts after so long without another. Default: 400.",
        ),
        click.option("--watch", "watching", is_flag=True, help="Train again after every save, until Ctrl-C."),
    ):
        command = option(command)
    return command


def rhythm_of(*, watching: bool, settle_ms: int | None, max_steps: int | None) -> Rhythm | None:
    """When is trained again; ``None`` when nobody watches.

    Raises:
        UsageProblem: an option of ``--watch`` stands without it.
    """
    if not watching:
        if settle_ms is not None or max_steps is not None:
            raise UsageProblem("--watch-debounce-ms and --watch-max-steps are about --watch: add it")
        return None
    from ..watching.loop import Rhythm

    return Rhythm(settle_ms if settle_ms is not None else Rhythm.settle_ms, max_steps)


def run_watch(doc: str, options: TrainOptions, rhythm: Rhythm, line: Line, *, force: bool) -> None:
    """Train ``doc`` after every save, until Ctrl-C."""
    from pathlib import Path

    from ..watching.loop import watch

    with line:
        watch(Path(doc), options=options, rhythm=rhythm, watcher=line, force=force)
        line.ended()
