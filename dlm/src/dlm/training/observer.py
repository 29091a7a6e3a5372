"""Who watches a run: the command line, a notebook, nobody."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ..bases import LocalBase
    from ..corpus.records import Record
    from ..document import Document
    from ..store.checkpoint import Checkpoint
    from ..store.version import Version
    from .events import Evaluated, Outcome, StepLogged
    from .material import Material
    from .pace import Pace
    from .plan import Plan
    from .warm import Start


@dataclass(frozen=True)
class Preview:
    """What is about to happen, known before the weights are loaded."""

    document: Document
    base: LocalBase
    plans: tuple[Plan, ...]
    """One a phase of each adapter, in their order."""
    store: Path
    material: Material
    """What is trained beside the document, and what changed since the last training."""
    pace: Pace | None = None
    """How fast the run is expected to be."""
    start: Start | None = None
    """What a warm run goes on from."""
    stopped: Checkpoint | None = None
    """What a resumed run goes on from."""
    carried: Version | None = None
    """Whose other adapters become part of the new version as they are."""

    @property
    def plan(self) -> Plan:
        """Of the first phase."""
        return self.plans[0]


@dataclass(frozen=True)
class TrainReport:
    """What a run left behind. Losses are nats per answer token on the held-out records, but those of pairs."""

    document: Document
    base: LocalBase
    plans: tuple[Plan, ...]
    """One a phase of each adapter, in their order."""
    outcomes: tuple[Outcome, ...]
    """How each phase ended."""
    version: int
    path: Path
    """Folder of the adapter."""
    run_id: int
    seconds: float
    """From reading the document to the committed version."""
    material: Material
    warm_from: int | None = None
    """The version that the run went on from; ``None`` after a refit."""
    resumed_from: int | None = None
    """The stopped run that it went on with."""
    base_answers: Mapping[str, str] = field(default_factory=dict)
    """What the base answered to earlier reports, when the store holds it no more since text was removed: the next
    report keeps what it still asks."""

    @property
    def plan(self) -> Plan:
        """Of the first phase."""
        return self.plans[0]

    @property
    def outcome(self) -> Outcome:
        """Of the first phase."""
        return self.outcomes[0]

    def trained_for(self, adapter: str | None = None) -> tuple[Record, ...]:
        """The records of all phases of ``adapter``."""
        own = (plan for plan in self.plans if plan.adapter == adapter)
        return tuple(dict.fromkeys(record for plan in own for record in plan.records))


class Observer:
    """Override what you want to hear. What is raised here ends the run."""

    def say(self, line: str) -> None:
        """Something worth one line: a download, a recovery, a muted plugin."""

    def planned(self, preview: Preview) -> None:
        """Called once, before the weights are loaded."""

    def phase_started(self, plan: Plan, number: int, of: int) -> None:
        """Called before the first step of each phase, counted from 1."""

    def stepped(self, event: StepLogged) -> None:
        """Called after every optimiser step."""

    def evaluated(self, event: Evaluated) -> None:
        """Called whenever the held-out rows were scored."""
