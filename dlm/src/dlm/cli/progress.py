"""What ``dlm train`` prints while it runs: the plan first, then a bar on a terminal, or plain lines in a pipe."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import click

from ..document.routing import declared
from ..training.observer import Observer, Preview
from . import phase_lines
from .visible import visible

if TYPE_CHECKING:
    from ..training.events import Evaluated, StepLogged
    from ..training.material import Material
    from ..training.plan import Plan

PLAIN_LINES = 10
"""Progress lines of a whole run, when nobody watches a terminal."""


class Progress(Observer):
    """Prints to one stream: standard output, or standard error when that is taken by JSON. A context manager."""

    def __init__(self, *, quiet: bool, to_stderr: bool) -> None:
        self._quiet = quiet
        self._to_stderr = to_stderr
        self._standing = ""
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def say(self, line: str) -> None:
        if self._quiet:
            return
        if self._bar is not None:
            self._bar.console.print(line, markup=False, highlight=False)
        else:
            click.echo(line, err=self._to_stderr)

    def planned(self, preview: Preview) -> None:
        self.say(preview_text(preview))
        stream = sys.stderr if self._to_stderr else sys.stdout
        if not self._quiet and stream.isatty():
            self._start_bar(len(preview.plan.steps))

    def phase_started(self, plan: Plan, number: int, of: int) -> None:
        self._standing = ""
        if line := phase_lines.started(plan, number, of):
            self.say(line)
        if self._bar is not None:
            self._bar.reset(self._task, total=len(plan.steps), numbers="")

    def stepped(self, event: StepLogged) -> None:
        if self._bar is not None:
            self._bar.update(self._task, completed=event.step, numbers=numbers(event, self._standing))
        elif event.step == 1 or event.step == event.steps or is_tenth(event):
            self.say(f"step {event.step:>{len(str(event.steps))}}/{event.steps}  {numbers(event, self._standing)}")

    def evaluated(self, event: Evaluated) -> None:
        self._standing = phase_lines.standing(event)

    def _start_bar(self, steps: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
        from rich.progress import Progress as Bar

        text = TextColumn("{task.fields[numbers]}", markup=False)
        console = Console(stderr=self._to_stderr)
        self._bar = Bar(BarColumn(bar_width=12), MofNCompleteColumn(), text, console=console)
        self._task = self._bar.add_task("", total=steps, numbers="")
        self._bar.start()


def preview_text(preview: Preview) -> str:
    """What will be trained, from what, for how long and where it will lie; 80 columns unless a path is longer."""
    document = preview.document
    lines = [
        f"document   {document.location} ({document.title})",
        f"base       {preview.base.key}, {preview.base.source}",
        *_beside(preview.material),
        *_warm(preview),
        *_carried(preview),
        *_resumed(preview),
        *phase_lines.planned(preview.plans),
        *_expected(preview),
        *(line for plan in preview.plans for line in phase_lines.uncovered(plan)),
        f"store      {tilde(preview.store)}",
        "",
    ]
    return visible("\n".join(lines))


def duration(seconds: float) -> str:
    """``2 min 05 s``."""
    whole = round(seconds)
    return f"{whole // 60} min {whole % 60:02d} s" if whole >= 60 else f"{whole} s"


def shell_quoted(path: str) -> str:
    """``path`` as it can be pasted into a shell."""
    return shlex.quote(path)


def _expected(preview: Preview) -> list[str]:
    """How long it will take, before the first step."""
    if preview.pace is None:
        return []
    minutes = sum(plan.tokens for plan in preview.plans) / preview.pace.rate / 60
    said = "less than a minute" if minutes < 1 else f"about {minutes:.0f} minute{'s' if round(minutes) != 1 else ''}"
    by = "as fast as the last runs here" if preview.pace.measured else "a guess by the base's size; CPU only"
    return [f"expected   {said} of training ({by})"]


def _beside(material: Material) -> list[str]:
    """What comes from sources and from the store, and what changed since the last training."""
    lines = []
    if summaries := material.gathered.summaries:
        files, size = sum(one.file_count for one in summaries), sum(one.total_bytes for one in summaries)
        lines.append(f"sources    {files:,} file{'s' if files != 1 else ''}, {size / 1000:,.1f} kB")
    if material.replayed:
        many = "s" if len(material.replayed) != 1 else ""
        lines.append(f"replayed   {len(material.replayed):,} section{many} that the store keeps")
    change = material.change
    counts = {"new": change.new, "edited": change.edited, "removed": change.removed}
    said = [f"{len(found):,} {word}" for word, found in counts.items() if found]
    if said and (change.unchanged or change.edited or change.removed):
        lines.append(f"changed    {', '.join(said)} since the last training, {len(change.unchanged):,} unchanged")
    return lines


def _carried(preview: Preview) -> list[str]:
    """The adapters that become part of the version without being trained."""
    if preview.carried is None:
        return []
    trained = {plan.adapter for plan in preview.plans}
    others = [name for name in preview.carried.adapters if name in declared(preview.document) and name not in trained]
    return [f"taken over {', '.join(others)}, as in {preview.carried.name}"]


def _warm(preview: Preview) -> list[str]:
    """What a warm run goes on from."""
    if preview.start is None:
        return []
    new = len(preview.start.new)
    many = f"{new:,} new pair{'s' if new != 1 else ''} or text{'s' if new != 1 else ''}"
    return [f"start      {preview.start.version.name}, not the base; {many} studied more"]


def _resumed(preview: Preview) -> list[str]:
    """What a resumed run goes on from."""
    found = preview.stopped
    if found is None:
        return []
    plan = preview.plans[found.moment.phase - 1]
    of_phase = f" of phase {found.moment.phase}" if len(preview.plans) > 1 else ""
    return [f"resumed    run {found.moment.run_id}, after step {found.moment.step} of {len(plan.steps):,}{of_phase}"]


def numbers(event: StepLogged, standing: str) -> str:
    """How the run stands, in 60 columns."""
    left = (event.steps - event.step) * event.elapsed_seconds / event.step
    parts = [
        f"loss {event.loss:.2f}" if event.loss is not None else "loss  -  ",
        standing,
        f"{event.tokens_per_sec:.0f} tok/s",
        f"{duration(left)} left" if event.step < event.steps else duration(event.elapsed_seconds),
    ]
    return "  ".join(part for part in parts if part)


def is_tenth(event: StepLogged) -> bool:
    """Whether another tenth of the run is done."""
    return event.step * PLAIN_LINES // event.steps != (event.step - 1) * PLAIN_LINES // event.steps


def tilde(path: Path) -> str:
    """``path`` with the home folder as ``~``."""
    home = Path.home()
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)
