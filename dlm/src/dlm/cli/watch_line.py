"""What people see of ``dlm train --watch``: one live line, or plain lines."""

from __future__ import annotations

import json
import sys
import time
import traceback
from typing import TYPE_CHECKING, Any, Self

import click

from ..errors import DlmError
from ..locking.guard import Unchanged
from ..watching.loop import Watcher
from . import phase_lines
from .progress import duration, is_tenth, numbers, preview_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..learning.report import LearningReport
    from ..training.events import Evaluated, StepLogged
    from ..training.observer import Preview, TrainReport
    from ..training.plan import Plan

    Found = TrainReport | Unchanged


class Line(Watcher):
    """One live line on a terminal, plain lines in a pipe. A context manager."""

    def __init__(
        self,
        doc: str,
        *,
        quiet: bool,
        record: Callable[[Found, LearningReport | None], dict[str, Any]] | None,
        learn: Callable[[Found, Watcher], LearningReport | None] | None,
        required: float | None,
    ) -> None:
        """``record`` makes the JSON object of one training, where JSON is wanted; ``learn`` finds out how much was
        learned, where so much is ``required``."""
        self._doc, self._quiet, self._record, self._learn, self._required = doc, quiet, record, learn, required
        self._to_stderr = record is not None
        self._standing = ""
        self._live: Any = None
        self._current = self._phase = ""
        self._first = True
        self._told_to_wait = False

    def __enter__(self) -> Self:
        stream = sys.stderr if self._to_stderr else sys.stdout
        if stream.isatty() and not self._quiet:
            from rich.console import Console
            from rich.live import Live
            from rich.text import Text

            self._live = Live(Text(""), console=Console(stderr=self._to_stderr), transient=True, auto_refresh=False)
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def say(self, line: str) -> None:
        if self._quiet:
            return
        if self._live is not None:
            self._live.console.print(line, markup=False, highlight=False)
        else:
            click.echo(line, err=self._to_stderr)

    def planned(self, preview: Preview) -> None:
        self._standing = ""
        if self._first:
            self.say(preview_text(preview))
            return
        change = preview.material.change
        counts = {"new": change.new, "edited": change.edited, "removed": change.removed}
        said = ", ".join(f"{len(found):,} {word}" for word, found in counts.items() if found) or "settings changed"
        steps = sum(len(plan.steps) for plan in preview.plans)
        start = f"on from {preview.start.version.name}" if preview.start else "from the base"
        self._say_at(f"saved: {said}; going {start}, {steps:,} steps")

    def phase_started(self, plan: Plan, number: int, of: int) -> None:
        self._held_out = None
        adapter = f"{plan.adapter}, " if plan.adapter is not None else ""
        self._phase = adapter + (f"{plan.phase}, " if of > 1 else "")

    def stepped(self, event: StepLogged) -> None:
        said = (
            f"{self._phase}step {event.step:>{len(str(event.steps))}}/{event.steps}  {numbers(event, self._standing)}"
        )
        if self._live is not None:
            self._show(said)
        elif self._first and (event.step in (1, event.steps) or is_tenth(event)):
            self.say(said)

    def evaluated(self, event: Evaluated) -> None:
        self._standing = phase_lines.standing(event)

    def mistaken(self, problem: DlmError) -> None:
        self._complain(f"{problem}\nnot trained: save it again when that is put right")

    def saved_the_same(self) -> None:
        self._say_at(f"saved: nothing to learn has changed, {self._current or 'the version before'} stays")

    def going_on(self, *, refit: str | None) -> None:
        self._show("reading what was saved")
        if refit is not None:
            self._say_at(f"everything is learned anew: {refit}")

    def succeeded(self, found: TrainReport | Unchanged) -> None:
        self._first = False
        learned = self._learn(found, self) if self._learn is not None else None
        self._current = found.version.name if isinstance(found, Unchanged) else f"v{found.version:04d}"
        self._say_at(found.words.partition(":")[0] if isinstance(found, Unchanged) else _made(found, self._current))
        if self._record is not None:
            click.echo(json.dumps(self._record(found, learned), ensure_ascii=False))
        elif self._quiet:
            click.echo(self._current)
        if self._required is not None:
            from ..learning.stored import require

            require(learned, self._required)
            self._say_at(f"as much was learned as is required ({self._required:.0%})")

    def failed(self, problem: Exception) -> None:
        if not isinstance(problem, DlmError):
            self._complain("".join(traceback.format_exception(problem)).rstrip())
        self._complain(f"{problem}\n{self._current} stays current; the next save is tried again")

    def waiting(self) -> None:
        held = f"{self._current} is current" if self._current else "no version yet"
        said = f"{held}; waiting for the next save of {self._doc}, Ctrl-C ends"
        if self._live is not None:
            self._show(said)
        elif not self._told_to_wait:
            self._told_to_wait = True
            self.say(said)

    def ended(self) -> None:
        """Somebody ended the loop."""
        self._say_at(f"ended; {self._current} is current")

    def _say_at(self, line: str) -> None:
        self.say(f"{time.strftime('%H:%M:%S')} {line}")

    def _complain(self, text: str) -> None:
        """Also when only results and errors are wanted."""
        if self._live is not None:
            self._live.console.print(text, markup=False, highlight=False)
        else:
            click.echo(text, err=True)

    def _show(self, text: str) -> None:
        """On the live line."""
        if self._live is not None:
            from rich.text import Text

            self._live.update(Text(text, no_wrap=True, overflow="ellipsis"), refresh=True)


def _made(report: TrainReport, name: str) -> str:
    before, after = report.outcome.held_out_before, report.outcome.held_out_best
    loss = f": held-out loss {before:.3f} -> {after:.3f}" if before is not None and after is not None else ""
    return f"{name} after {duration(report.seconds)}{loss}"
