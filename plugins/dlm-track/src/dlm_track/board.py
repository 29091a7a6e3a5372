"""TensorBoard: one folder of event files a run, which its dashboard draws over each other."""

from __future__ import annotations

import time
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from dlm.errors import UsageProblem
from dlm.record.trackers import Tracker

from .scalars import of_evaluation, of_step

if TYPE_CHECKING:
    from dlm.record.trackers import TrackerContext
    from dlm.training.events import Evaluated, PhaseStarted, RunEnded, RunStarted, StepLogged

FLUSH_EVERY = 10.0
"""Seconds that a dashboard may lag behind."""


class TensorBoard(Tracker):
    """Writes through TensorBoard's own writer, which needs no TensorFlow."""

    def __init__(self, context: TrackerContext) -> None:
        super().__init__(context)
        if find_spec("tensorboard") is None:
            raise UsageProblem("--track tensorboard needs a package that is not installed: pip install tensorboard")
        self._writer: Any = None
        self._phase = ""
        self._flushed = 0.0

    def started(self, event: RunStarted) -> None:
        from tensorboard.summary import Writer

        self._writer = Writer(str(self.context.folder / f"run-{event.run_id:06d}"))
        self.context.say(f"tensorboard: tensorboard --logdir '{self.context.folder}'")

    def phase_started(self, event: PhaseStarted) -> None:
        self._phase = event.name

    def stepped(self, event: StepLogged) -> None:
        self._write(of_step(self._phase, event), event.step)
        if time.monotonic() - self._flushed >= FLUSH_EVERY:
            self._flush()

    def evaluated(self, event: Evaluated) -> None:
        self._write(of_evaluation(self._phase, event), event.step)
        self._flush()

    def finished(self, event: RunEnded) -> None:
        self._flush()

    def close(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()

    def _write(self, scalars: dict[str, float], step: int) -> None:
        for name, value in scalars.items():
            self._writer.add_scalar(name, value, step)

    def _flush(self) -> None:
        self._writer.flush()
        self._flushed = time.monotonic()
