"""One run, told to everyone who keeps it: the log, the database, trackers, plugins, whoever watches."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ..errors import StoreError
from ..training.events import PhaseStarted, RunEnded
from ..training.summary import named
from .database import Recorder
from .trackers import Trackers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from .._plugkit.plugins import PluginManager
    from ..store.manifest import Manifest
    from ..store.runs import Run
    from ..store.tokens import CacheStats
    from ..training.events import Evaluated, RunStarted, StepLogged, TrainingFinished
    from ..training.observer import Observer
    from ..training.plan import Plan
    from .trackers import Tracker


class Record:
    """Made by :func:`recording`. The log comes first: what reads the others can be made from it again."""

    def __init__(
        self, run: Run, observer: Observer, plugins: PluginManager, recorder: Recorder, trackers: Trackers
    ) -> None:
        self._run, self._observer, self._plugins = run, observer, plugins
        self._recorder, self._trackers = recorder, trackers
        self._planned: dict[int, int] = {}
        self._done: dict[int, int] = {}
        self._tokens: dict[int, int] = {}
        self._phase = 1
        self._named: dict[str, str] = {}

    def started(self, event: RunStarted, changes: Mapping[str, Any], manifest: Manifest | None) -> None:
        """The run was begun; ``changes`` is the log's ``delta``."""
        self._run.log({"type": "banner", "run_id": event.run_id, "seed": event.seed, **self._run.facts})
        self._run.log({"type": "delta", **changes})
        self._recorder.started(event, manifest)
        self._trackers.tell("started", event)

    def tokenised(self, sections: int, stats: CacheStats) -> None:
        """What the tokenised cache did for the run."""
        self._recorder.tokenised(sections, stats)

    def phase_started(self, plan: Plan, number: int) -> None:
        """The steps that follow are those of ``plan``, the phase ``number`` of the run, counted from 1."""
        self._phase = number
        event = PhaseStarted(plan.phase, number, len(plan.steps), plan.tokens, plan.adapter)
        self._named = named(plan)
        self._planned[number] = event.steps
        told = {key: value for key, value in asdict(event).items() if key != "adapter"}
        self._run.log({"type": "phase_start", **told, **self._named})
        self._recorder.phase_started(event)
        self._trackers.tell("phase_started", event)
        self._plugins.notify("dlm_training_started", self._observer.say, plan=plan)

    def stepped(self, event: StepLogged) -> None:
        self._done[self._phase], self._tokens[self._phase] = event.step, event.tokens
        # The rest of a plan is drawn anew at evaluations, and longer rows fill its budget in fewer steps.
        self._planned[self._phase] = event.steps
        self._run.log({"type": "step", **asdict(event), **self._named})
        self._recorder.stepped(event)
        self._observer.stepped(event)
        self._trackers.tell("stepped", event)
        self._plugins.notify("dlm_step_logged", self._observer.say, event=event)

    def evaluated(self, event: Evaluated) -> None:
        self._run.log({"type": "evaluation", **asdict(event), **self._named})
        self._recorder.evaluated(event)
        self._observer.evaluated(event)
        self._trackers.tell("evaluated", event)

    @property
    def early_stopped(self) -> bool:
        """Whether a phase so far ended before the last step of its plan as that was at the end."""
        return any(self._done.get(number, 0) < steps for number, steps in self._planned.items())

    def finished(self, event: TrainingFinished, seconds: float) -> None:
        """The run ended. The manifest already tells how; a disk that is full for this must not hide why."""
        early = event.status == "ok" and self.early_stopped
        ended = RunEnded(event, seconds, sum(self._tokens.values()), early)
        with suppress(StoreError):
            self._run.log(self._last(ended))
        try:
            self._recorder.ended(ended)
        except StoreError as problem:
            if event.status == "ok":
                raise StoreError(f"{problem}. v{event.version} is whole and current all the same") from problem
        finally:
            self._trackers.tell("finished", ended)
            self._plugins.notify("dlm_training_finished", self._observer.say, event=event)

    def _last(self, ended: RunEnded) -> dict[str, Any]:
        event = ended.finished
        return {
            "type": "run_complete",
            "run_id": self._run.id,
            "status": event.status,
            "adapter_version": event.version,
            "steps": event.outcome.steps if event.outcome else None,
            "early_stopped": ended.early_stopped,
            "summary_path": self._run.summary_path,
            "elapsed_seconds": round(ended.seconds, 3),
            "message": event.message,
        }


@contextmanager
def recording(
    run: Run,
    database: Path,
    observer: Observer,
    plugins: PluginManager,
    tracking: Iterable[tuple[str, Tracker]] = (),
    *,
    strict: bool = False,
) -> Iterator[Record]:
    """The record of ``run``, closed at the end. ``strict``: what the database cannot take ends the run."""
    recorder = Recorder(database, observer.say, strict=strict)
    trackers = Trackers(tracking, observer.say)
    try:
        yield Record(run, observer, plugins, recorder, trackers)
    finally:
        trackers.close()
        recorder.close()
