"""Train, wait for a save, train again: until somebody ends it, whatever is wrong with one save or one training."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..errors import DlmError, DocumentError, NotTrained, NoWarmStart
from ..locking.guard import Unchanged
from ..training.observer import Observer
from .saves import Saves
from .state import Places, State, look, trained

if TYPE_CHECKING:
    from pathlib import Path

    from ..training.observer import TrainReport
    from ..training.resolve import TrainOptions


@dataclass(frozen=True)
class Rhythm:
    """When is trained again, and for how long."""

    settle_ms: int = 400
    """Nothing may be written for so long before a save counts."""
    max_steps: int | None = None
    """Of every training but the first."""


class Watcher(Observer):
    """Who sees what happens between the trainings as well."""

    def mistaken(self, problem: DlmError) -> None:
        """What was saved cannot be trained; the next save is tried again."""

    def saved_the_same(self) -> None:
        """The document was saved and would give the same training."""

    def going_on(self, *, refit: str | None) -> None:
        """A training after a save begins: a warm one, or from the base for the reason in ``refit``."""

    def succeeded(self, found: TrainReport | Unchanged) -> None:
        """A version is current that was made of what is saved. What is raised here counts as a failed training."""

    def failed(self, problem: Exception) -> None:
        """A training ended without a version, or what was to be done with it failed; the next save is tried again."""

    def waiting(self) -> None:
        """Nothing is left to do until the next save."""


def watch(
    path: Path,
    *,
    home: Path | None = None,
    options: TrainOptions,
    rhythm: Rhythm,
    watcher: Watcher,
    force: bool = False,
) -> None:
    """Train ``path`` now and after every save, until Ctrl-C.

    The first training is made with ``options`` as they are, with ``force`` even if nothing has changed. Those after a
    save go on from the current version where that may be, else they begin with the base. A save during a training is
    trained after it.

    Raises:
        KeyboardInterrupt: Ctrl-C before anything was trained. After that it ends the loop, and a run in the middle is
            cancelled; the last version stays current.
        DlmError: the first training failed, other than by a mistake in the document.
        CannotWatch: the system gives no news of the files.
    """
    from ..store import layout

    loop = _Loop(path, layout.home(home), options, rhythm, watcher, force=force)
    try:
        loop.run()
    except KeyboardInterrupt:
        if not loop.trainings:
            raise


class _Loop:
    def __init__(
        self, path: Path, home: Path, options: TrainOptions, rhythm: Rhythm, watcher: Watcher, *, force: bool
    ) -> None:
        self.path, self.home, self.options, self.rhythm, self.watcher = path, home, options, rhythm, watcher
        self._force = force
        self.trainings = 0
        """Those that succeeded."""
        self._made = ""
        """Digest of the state that the current version was made of."""
        self._tried = ""
        """Digest of the last state that was looked at."""

    def run(self) -> None:
        state = look(self.path, self.home)
        while True:
            with Saves(state.places, self.rhythm.settle_ms, never=self.home) as saves:
                # From here on no save is lost: what was saved before is found by looking.
                places = state.places
                changed: frozenset[Path] = frozenset()
                while (state := self._act(changed, places)).places == places:
                    self.watcher.waiting()
                    changed = saves.wait()

    def _act(self, changed: frozenset[Path], places: Places) -> State:
        """Look, and train when there is something to train; what was seen."""
        state = look(self.path, self.home, places)
        again, self._tried = self._tried == state.digest, state.digest
        if state.digest == self._made:
            if changed & state.places.files:
                self.watcher.saved_the_same()
        elif changed or not again:
            self._try(state)
        return state

    def _try(self, state: State) -> None:
        try:
            if state.problem is not None:
                raise state.problem
            found = self._cycle() if self.trainings else self._trained(self.options)
            self._made = state.digest if isinstance(found, Unchanged) else trained(found.document, found.material)
            self.trainings += 1
            self.watcher.succeeded(found)
        except DocumentError as problem:
            self.watcher.mistaken(problem)
        except Exception as problem:
            if not self.trainings:
                raise
            self.watcher.failed(problem)

    def _cycle(self) -> TrainReport | Unchanged:
        """A training after a save."""
        options = replace(
            self.options, warm=True, resume=False, max_steps=self.rhythm.max_steps or self.options.max_steps
        )
        self.watcher.going_on(refit=None)
        try:
            return self._trained(options)
        except (NotTrained, NoWarmStart) as problem:
            self.watcher.going_on(
                refit="; ".join(problem.reasons) if isinstance(problem, NoWarmStart) else "no version yet"
            )
            return self._trained(replace(options, warm=False))

    def _trained(self, options: TrainOptions) -> TrainReport | Unchanged:
        from ..training.run import train, train_if_changed

        run = train if self._force and not self.trainings else train_if_changed
        return run(self.path, home=self.home, options=options, observer=self.watcher)
