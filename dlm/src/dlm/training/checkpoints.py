"""What a backend asks while it trains: where to go on from, and whether to leave its state behind.

The backend knows its state, the core decides when it is worth keeping and where it lies.
"""

from __future__ import annotations

import shlex
import time
from typing import TYPE_CHECKING, Any

from ..errors import StoreError
from ..store import checkpoint as stored
from .stopping import Stop, Stopped

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ..store.layout import Layout
    from .plan import Plan

PATIENCE = 600.0
"""Seconds of work that a run may lose at most, even where evaluations are hours apart."""


class Checkpoints:
    """A run's door to its checkpoint, for one phase. This one keeps nothing; :class:`StoredCheckpoints` does."""

    folder: Path | None = None
    """The state to go on from, as ``write`` of an earlier run filled it; ``None`` to begin at the first step. The plan
    that comes with it is the one that the earlier run had by then."""

    def stepped(self, plan: Plan, step: int, write: Callable[[Path], None], *, evaluated: bool) -> None:
        """Call it after every step whose numbers are finite, ``evaluated`` when an evaluation, and the revision of the
        plan, came after it. ``write`` fills an empty folder with everything that the steps to come depend on.

        Raises:
            Stopped: somebody stopped the run.
        """


class StoredCheckpoints(Checkpoints):
    """Keeps the state in the store. Use it while the lock is held."""

    def __init__(
        self,
        layout: Layout,
        run_id: int,
        facts: dict[str, Any],
        stop: Stop,
        say: Callable[[str], None],
        *,
        phase: int = 1,
        folder: Path | None = None,
        document: str = "DOC",
    ) -> None:
        self.folder = folder
        self._layout, self._run_id, self._facts, self._phase = layout, run_id, facts, phase
        self._stop, self._say, self._document = stop, say, document
        self._kept_at = time.monotonic()
        self._complained = False

    def stepped(self, plan: Plan, step: int, write: Callable[[Path], None], *, evaluated: bool) -> None:
        self._stop.arm()
        asked = self._stop.asked
        kept = False
        if evaluated or asked or time.monotonic() - self._kept_at > PATIENCE:
            kept = self._keep(plan, step, write)
        if asked:
            way_on = (
                f"go on with `dlm train {shlex.quote(self._document)} --resume`"
                if kept
                else "nothing could be kept of it"
            )
            raise Stopped(asked, f"stopped after step {step} of {len(plan.steps)}: {way_on}")

    def before(self, plan: Plan) -> None:
        """The phase is next, and nothing of it is done: keep what is finished before it."""
        self._keep(plan, 0, lambda folder: None)

    def _keep(self, plan: Plan, step: int, write: Callable[[Path], None]) -> bool:
        """Whether it worked. A disk without room for it must not end a run that may still fit its version there."""
        facts = {**self._facts, "steps": len(plan.steps), "plan_steps": [list(rows) for rows in plan.steps]}
        self._kept_at = time.monotonic()
        try:
            stored.write(self._layout, stored.Moment(self._run_id, self._phase, step), write, facts)
        except StoreError as problem:
            if not self._complained:
                self._say(f"the run goes on, but if it is stopped it must start anew: {problem}")
            self._complained = True
            return False
        return True
