"""What a run says while it goes: plain data, also written to ``logs/train-*.jsonl``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class RunStarted:
    """A run was begun in the store; the first phase is next. Holds no text of the document but its title."""

    run_id: int
    dlm_id: str
    title: str
    base: str
    """Key of the base model."""
    seed: int
    steps: int
    """Planned, over all phases."""
    warm_from: int | None = None
    resumed_from: int | None = None
    """The run whose last checkpoint this one goes on from."""
    recipe: Mapping[str, Any] = field(default_factory=dict)
    """What the optimiser is told, as plain data."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Distributions that decide what training does."""


@dataclass(frozen=True)
class PhaseStarted:
    """The steps and evaluations that follow are this phase's."""

    phase: str
    number: int
    """Counted from 1."""
    steps: int
    """Planned."""
    tokens: int
    """Planned."""
    adapter: str | None = None
    """Which of the document's adapters it trains; ``None`` where it names none."""

    @property
    def name(self) -> str:
        """Of its curves: the phase, after the adapter where that has a name."""
        return self.phase if self.adapter is None else f"{self.adapter}/{self.phase}"


@dataclass(frozen=True)
class StepLogged:
    """One optimiser step was made. Losses are means in nats per scored token."""

    step: int
    """Counted from 1."""
    steps: int
    loss: float | None
    """Mean over the step's answer and text rows; ``None`` when the step had anchor rows only."""
    anchor_kl: float | None
    """KL(base || adapter) on the step's anchor rows."""
    lr: float
    grad_norm: float
    tokens: int
    """Row tokens trained on so far."""
    tokens_per_sec: float
    elapsed_seconds: float


@dataclass(frozen=True)
class Evaluated:
    """The held-out rows were scored. ``step`` 0 is what the run begins with: the untouched base, or a version."""

    step: int
    held_out_loss: float
    best: bool
    held_out_recall: float | None = None
    """Share of the held-out records with a value whose value is said: given the words before it, each of its tokens is
    the likeliest. ``None`` when no record names one."""
    wrong: tuple[str, ...] = ()
    """Groups of the records whose value is not said, in their order."""
    accuracy: float | None = None
    """Share of the held-out pairs whose better answer is the likelier one, by the mean over its tokens; ``None`` in a
    phase without pairs."""
    margin: float | None = None
    """How much likelier it is on average, in nats a token."""
    held_out_prose_loss: float | None = None
    """Of the text that is held out alone, in nats a token, where a phase learns the text as text."""
    held_out_answer_loss: float | None = None
    """Of the answers to the held-out questions alone."""


@dataclass(frozen=True)
class Outcome:
    """How the optimiser's part ended. The weights in the workbench are those of ``best_step``."""

    steps: int
    best_step: int
    held_out_before: float | None
    """Of what the run began with: the untouched base, or the version that a warm run goes on from."""
    held_out_best: float | None
    final_loss: float | None
    anchor_kl: float | None
    tokens: int
    seconds: float
    precision: str
    device: str
    non_finite: tuple[str, ...] = ()
    """Names of the weights (or ``loss at step N``) that are NaN or infinite; empty is good."""
    held_out_recall_before: float | None = None
    """Of what the run began with; see :attr:`Evaluated.held_out_recall`."""
    held_out_recall: float | None = None
    """At ``best_step``."""
    processes: int = 1
    """How many shared each step."""
    accuracy_before: float | None = None
    """Of what the phase began with; see :attr:`Evaluated.accuracy`."""
    accuracy: float | None = None
    """At ``best_step``."""
    margin_before: float | None = None
    margin: float | None = None
    held_out_prose_loss_before: float | None = None
    """Of what the phase began with; see :attr:`Evaluated.held_out_prose_loss`."""
    held_out_prose_loss: float | None = None
    """At ``best_step``."""
    held_out_answer_loss_before: float | None = None
    held_out_answer_loss: float | None = None


@dataclass(frozen=True)
class TrainingFinished:
    """The end of a run."""

    status: Literal["ok", "failed", "cancelled", "rejected"]
    run_id: int
    version: int | None
    outcome: Outcome | None
    message: str = ""


@dataclass(frozen=True)
class RunEnded:
    """The last thing that is said of a run."""

    finished: TrainingFinished
    seconds: float
    """From reading the document to here, by a clock that only goes forward."""
    tokens: int = 0
    """Trained on, over all phases, also when no version was made."""
    early_stopped: bool = False
    """A version was made without the last of the planned steps."""
