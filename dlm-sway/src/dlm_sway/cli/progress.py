"""What a person sees while a suite runs, on standard error: a line an entry, and a bar on a terminal."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from .options import progress as line_of_a_log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..result import SuiteResult


class Shown:
    """Lines, without a bar: what a log gets."""

    def say(self, line: str) -> None:
        """Show one line."""
        line_of_a_log(line)

    def ended(self, result: SuiteResult) -> None:
        """An entry has ended; ``result`` is the unfinished one."""


class Bar(Shown):
    """The same lines, and under them how far the run is and how long it has taken."""

    def __init__(self, advance: Callable[[int, int], None], write: Callable[[str], None]) -> None:
        self._advance = advance
        self._write = write

    def say(self, line: str) -> None:
        """Show one line above the bar."""
        self._write(line)

    def ended(self, result: SuiteResult) -> None:
        """Move the bar."""
        from ..suite.resuming import INTERRUPTED

        left = sum(probe.evidence.get("skip_reason") == INTERRUPTED for probe in result.probes)
        self._advance(len(result.probes) - left, len(result.probes))


@contextmanager
def showing() -> Iterator[Shown]:
    """A bar where standard error is a terminal, lines elsewhere. The bar is gone when the run has ended."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal or console.is_dumb_terminal:
        yield Shown()
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("judging"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("judging", total=None)
        yield Bar(
            lambda done, total: progress.update(task, completed=done, total=total),
            lambda line: progress.console.print(line, markup=False, highlight=False, soft_wrap=True),
        )
