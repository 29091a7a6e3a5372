"""Weights & Biases. Nothing leaves this machine unless ``WANDB_MODE`` or an API key in the environment says so."""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from dlm.errors import UsageProblem
from dlm.record.trackers import Tracker

from .scalars import of_evaluation, of_step

if TYPE_CHECKING:
    from dlm.record.trackers import TrackerContext
    from dlm.training.events import Evaluated, PhaseStarted, RunEnded, RunStarted, StepLogged

PROJECT = "dlm"
QUIET = {
    "silent": True,
    "console": "off",
    "save_code": False,
    "disable_git": True,
    # Program arguments, paths and the names of user and machine are nobody's business.
    "x_disable_meta": True,
}


class WeightsAndBiases(Tracker):
    """Kept as a run that ``wandb sync`` can send later, or sent while it goes when the environment asks for that."""

    def __init__(self, context: TrackerContext) -> None:
        super().__init__(context)
        if find_spec("wandb") is None:
            raise UsageProblem("--track wandb needs a package that is not installed: pip install 'dlm-track[wandb]'")
        self._run: Any = None
        self._phase = ""
        self._offline = not (os.environ.get("WANDB_MODE") or os.environ.get("WANDB_API_KEY"))

    def started(self, event: RunStarted) -> None:
        if self._offline:
            # The library reports its own errors and use to its makers, offline too, unless this says no.
            os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
        import wandb

        self.context.folder.mkdir(parents=True, exist_ok=True)
        known = wandb.Settings.model_fields
        self._run = wandb.init(
            project=os.environ.get("WANDB_PROJECT", PROJECT),
            name=f"{event.title}, run {event.run_id}",
            group=event.dlm_id,
            dir=str(self.context.folder),
            mode="offline" if self._offline else None,
            config={
                "base": event.base,
                "seed": event.seed,
                "steps": event.steps,
                "warm_from": event.warm_from,
                "resumed_from": event.resumed_from,
                "recipe": dict(event.recipe),
                "versions": dict(event.versions),
            },
            settings=wandb.Settings(**{name: value for name, value in QUIET.items() if name in known}),
        )
        if self._run.settings.mode == "offline":
            self.context.say(f"wandb: kept here, nothing is sent: wandb sync '{self._run.settings.sync_dir}'")
        elif self._run.url:
            self.context.say(f"wandb: {self._run.url}")

    def phase_started(self, event: PhaseStarted) -> None:
        self._phase = event.name
        self._run.define_metric(f"{event.name}/*", step_metric=f"{event.name}/step")

    def stepped(self, event: StepLogged) -> None:
        self._run.log({**of_step(self._phase, event), f"{self._phase}/step": event.step})

    def evaluated(self, event: Evaluated) -> None:
        self._run.log({**of_evaluation(self._phase, event), f"{self._phase}/step": event.step})

    def finished(self, event: RunEnded) -> None:
        end = event.finished
        self._run.summary.update({"status": end.status, "version": end.version, "seconds": round(event.seconds, 1)})
        run, self._run = self._run, None
        run.finish(exit_code=0 if end.status == "ok" else 1)

    def close(self) -> None:
        run, self._run = self._run, None
        if run is not None:
            run.finish(exit_code=1)
