"""Trackers: programs that draw the curves of a run, chosen with ``dlm train --track``."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import UsageProblem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from .._plugkit.plugins import PluginManager
    from ..training.events import Evaluated, PhaseStarted, RunEnded, RunStarted, StepLogged

STRICT = "DLM_STRICT"


@dataclass(frozen=True)
class TrackerContext:
    """What a tracker may know of the machine it is on."""

    folder: Path
    """For its files; of this document and this tracker alone. Made by the tracker."""
    say: Callable[[str], None]
    """Tells the person something worth one line."""


class Tracker:
    """Hears of one run. Override what you need; what is raised is reported once and mutes the tracker, never the run.

    A class is made when the run is planned, so what it cannot do without is missed before anything is trained: raise a
    :class:`dlm.errors.DlmError` that says what to install.

    Example::

        class Printing(Tracker):
            def stepped(self, event):
                print(event.step, event.loss)
    """

    def __init__(self, context: TrackerContext) -> None:
        self.context = context

    def started(self, event: RunStarted) -> None:
        """The run was begun."""

    def phase_started(self, event: PhaseStarted) -> None:
        """Steps and evaluations from here on are of this phase, and count from 1 again."""

    def stepped(self, event: StepLogged) -> None:
        """An optimiser step was made."""

    def evaluated(self, event: Evaluated) -> None:
        """The held-out rows were scored."""

    def finished(self, event: RunEnded) -> None:
        """The run ended, one way or another."""

    def close(self) -> None:
        """Called once, whatever happened before; nothing follows."""


class Trackers:
    """Those of one run. One that fails is told of once, closed, and left out of what follows."""

    def __init__(self, tracking: Iterable[tuple[str, Tracker]], say: Callable[[str], None]) -> None:
        self._heard = dict(tracking)
        self._say = say

    def tell(self, what: str, *event: object) -> None:
        """Call the method ``what`` of every tracker that has not failed yet."""
        for name, tracker in list(self._heard.items()):
            try:
                getattr(tracker, what)(*event)
            except Exception as problem:
                if os.environ.get(STRICT) == "1":
                    raise
                del self._heard[name]
                self._say(f"tracker {name!r} failed and is muted: {type(problem).__name__}: {problem}")
                if what != "close":
                    Trackers([(name, tracker)], self._say).tell("close")

    def close(self) -> None:
        self.tell("close")
        self._heard.clear()


def trackers_of(
    names: Sequence[str], root: Path, plugins: PluginManager, say: Callable[[str], None]
) -> tuple[tuple[str, Tracker], ...]:
    """The trackers of ``names``, made and ready; ``root`` is the document's store.

    Raises:
        UnknownName: no installed plugin offers one of the names.
        UsageProblem: a name is given twice.
        DlmError: a tracker lacks what it needs.
    """
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UsageProblem(f"the tracker {twice[0]} is named twice: name it once")
    return tuple(
        (name, plugins.resolve("dlm_trackers", name)(TrackerContext(root / "trackers" / name.replace("/", "-"), say)))
        for name in names
    )


def named(listed: str | None) -> tuple[str, ...]:
    """The names in ``tensorboard,wandb``."""
    return tuple(name.strip() for name in (listed or "").split(",") if name.strip())
