"""Running a suite from the command line: progress, what is kept when it is interrupted, and going on with that."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from .options import show
from .progress import showing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from ..report.outputs import Output
    from ..result import SuiteResult
    from ..suite.resuming import Earlier
    from .progress import Shown


class Watching:
    """What a run tells while it goes on. After every entry the unfinished result is in ``path``, where there is one."""

    def __init__(self, shown: Shown, path: Path | None) -> None:
        self.path = path
        self.latest: SuiteResult | None = None
        self._shown = shown
        self._writes = path is not None

    def say(self, line: str) -> None:
        """Show one line."""
        self._shown.say(line)

    def keep(self, result: SuiteResult) -> None:
        """Remember and write an unfinished result. That it cannot be written is said once; the run goes on."""
        from ..errors import SwayError
        from ..report.document import to_dict
        from ..report.json import render
        from ..report.write import write

        self.latest = result
        self._shown.ended(result)
        if self._writes and self.path is not None:
            try:
                write(self.path, render(to_dict(result)))
            except SwayError as error:
                self._writes = False
                self.say(f"warning: {error}; what is done is not kept while the suite runs")

    def explain(self, *, resumable: bool) -> None:
        """Print what there is of a run that was interrupted, and how it goes on."""
        from ..report.document import to_dict

        if self.latest is None:
            click.echo("interrupted: no entry had ended, so nothing was kept", err=True)
            return
        show(to_dict(self.latest))
        if not self._writes:
            click.echo("interrupted: with --json FILE, what is done is kept in FILE", err=True)
        else:
            how = ": the same command with --resume goes on" if resumable else ""
            click.echo(f"interrupted: what is done is kept in {self.path}{how}", err=True)


@contextmanager
def watching(ctx: click.Context, outputs: Sequence[Output], *, resumable: bool = True) -> Iterator[Watching]:
    """For the time a suite runs. Ctrl-C ends the program with 130, and what is done is shown and kept."""
    path = kept_in(outputs)
    watched: Watching | None = None
    try:
        with showing() as shown:
            watched = Watching(shown, path)
            yield watched
    except KeyboardInterrupt:
        if watched is None:
            raise
        watched.explain(resumable=resumable)
        ctx.exit(130)


def kept_in(outputs: Sequence[Output]) -> Path | None:
    """The file that holds the result itself, if one was asked for."""
    return next((one.path for one in outputs if one.format == "json" and one.path is not None), None)


def to_go_on_with(outputs: Sequence[Output], *, cache: bool) -> Earlier | None:
    """What ``--resume`` finds: an interrupted run, or ``None`` when there is nothing to go on with.

    Raises:
        UsageError: there is no place to look, or nothing may be kept.
        TargetError: the file holds something else than a result.
    """
    path = kept_in(outputs)
    if path is None:
        raise click.UsageError("--resume needs the file that holds what is done: name it with --json FILE")
    if not cache:
        raise click.UsageError("--resume takes over what was asked before, --no-cache asks anew: leave one out")
    if not path.exists():
        click.echo(f"{path} is not there yet: the suite runs from the beginning", err=True)
        return None
    from ..report.document import read
    from ..suite.resuming import earlier

    found = earlier(path, read(path))
    if found is None:
        click.echo(f"{path} is a finished run: the suite runs anew", err=True)
    return found


def finish(result: SuiteResult, outputs: Sequence[Output]) -> dict[str, Any]:
    """Print the report of a finished run and write its files. Returns the JSON's data.

    Raises:
        SwayError: a file cannot be written.
    """
    from ..report.document import to_dict
    from ..report.outputs import TERMINAL, write_all

    document = to_dict(result)
    printed = [one for one in outputs if one.path is None]
    if all(one.format == TERMINAL for one in printed):
        show(document)
    for one in printed:
        if one.format != TERMINAL:
            click.echo(one.render(document), nl=False)
    write_all(outputs, document)
    return document
