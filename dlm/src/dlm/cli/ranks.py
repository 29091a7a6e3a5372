"""``dlm train --gpus`` and ``--processes``: the options. What they do lies in :mod:`dlm.training.ranks`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from ..errors import UsageProblem

if TYPE_CHECKING:
    from collections.abc import Callable


def ranks_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options that spread a training."""
    for option in (
        click.option(
            "--processes", type=click.IntRange(1, 1024), metavar="N", help="Spread each step over N processes, no GPU."
        ),
        click.option("--gpus", metavar="all|N|I,J", help="Spread each step over GPUs: all, how many, or which ones."),
    ):
        command = option(command)
    return command


def launched(gpus: str | None, processes: int | None, *, watching: bool) -> int | None:
    """Run this command in as many processes as are asked for; its exit code, ``None`` when this process is to do it.

    Raises:
        UsageProblem: what is asked for makes no sense, or is not here.
        TrainingFailed: a process died.
    """
    from ..training.ranks import launched, wanted

    asked = wanted(gpus, processes)
    if asked is not None and watching:
        raise UsageProblem("--watch trains in one process: leave --gpus and --processes out")
    return launched(asked, sys.argv[1:])
