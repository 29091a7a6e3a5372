"""What a run was asked for and what it found, from the first line to the last."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from .._plugkit.plugins import PluginManager
    from ..bases import LocalBase
    from ..document import Document
    from ..locking.models import Lock
    from ..record.trackers import Tracker
    from ..store import Store
    from ..store.checkpoint import Checkpoint
    from ..store.version import Version
    from .material import Material
    from .observer import Observer
    from .recipe import Recipe
    from .resolve import TrainOptions
    from .warm import Start


@dataclass(frozen=True)
class Job:
    """What stays the same from the first line to the last."""

    document: Document
    home: Path
    options: TrainOptions
    observer: Observer
    plugins: PluginManager
    backend: Any
    base: LocalBase
    licence: dict[str, Any] | None
    """The agreement to the base's licence, for the manifest."""
    recipe: Recipe
    material: Material
    start: Start | None
    """What a warm run goes on from."""
    stopped: Checkpoint | None
    """What a resumed run goes on from."""
    trackers: tuple[tuple[str, Tracker], ...]
    lock: Lock
    """Of what it is made, as far as that is known before the first step."""
    started: float
    """By the clock that only goes forward."""
    began: float
    """By the clock of files."""
    adapter: str | None = None
    """The only one that this part of a run trains; ``None`` for a document that names none, and for the whole run."""
    lanes: tuple[Job, ...] = ()
    """A run of named adapters: its parts, see :mod:`.lanes`."""
    carried: Version | None = None
    """Whose other adapters become part of the new version as they are."""

    @property
    def parts(self) -> tuple[Job, ...]:
        """One a named adapter that is trained; the whole run where none has a name."""
        return self.lanes or (self,)

    def seconds(self) -> float:
        """Since the run was asked for."""
        return time.perf_counter() - self.started

    @property
    def store(self) -> Store:
        from ..store import Store

        return Store(self.home, self.document.frontmatter.dlm_id)

    @property
    def warm_from(self) -> int | None:
        return self.start.version.number if self.start else None
