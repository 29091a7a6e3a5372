"""How far a transfer is: a bar on a terminal, a line now and then in a pipe, nothing with ``dlm -q``.

On standard error, so that what a program reads stays clean.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, Self

import click

from .sizes import size
from .visible import visible

if TYPE_CHECKING:
    from types import TracebackType

EVERY = 10.0
"""Seconds between two lines in a pipe; a transfer that is over sooner prints none."""
_REDRAW = 0.1


class Transfer:
    """A context manager; called with bytes done and bytes in all."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._bar: Any = None
        self._task: Any = None
        self._told = time.monotonic()
        self._began = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.over()

    def over(self) -> None:
        """Take the bar away: what is printed next stands by itself."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def say(self, line: str) -> None:
        """Print a line for people, above the bar."""
        if self._quiet:
            return
        if self._bar is not None:
            self._bar.console.print(visible(line), markup=False, highlight=False)
        else:
            click.echo(visible(line), err=True)

    def __call__(self, done: int, total: int | None) -> None:
        now = time.monotonic()
        if self._quiet:
            return
        if sys.stderr.isatty():
            if self._bar is None:
                self._start(done, total)
            if now - self._told >= _REDRAW or done == total:
                self._told = now
                self._bar.update(self._task, completed=done, total=total)
        elif now - self._told >= EVERY:
            self._told = now
            click.echo(f"{size(done)} of {size(total)}" if total else size(done), err=True)

    def _start(self, done: int, total: int | None) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, TimeRemainingColumn, TransferSpeedColumn
        from rich.progress import Progress as Bar

        columns = (BarColumn(bar_width=24), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
        self._bar = Bar(*columns, console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task("", total=total, completed=done)
        self._bar.start()
