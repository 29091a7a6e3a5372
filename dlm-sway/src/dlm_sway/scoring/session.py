"""What one run of a suite asks of a backend: every question once, every answer checked and counted."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import BackendError
from .types import BASE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .backend import Backend
    from .types import AdapterInspection, Comparison, Item, View

_NOISE_LAYOUT = 1


@dataclass
class Counts:
    """What a run cost; becomes ``backend_stats`` of the report."""

    cache_hits: int = 0
    """Comparisons answered without asking the backend."""
    cache_misses: int = 0
    batches_sent: int = 0
    """Calls of the backend; it may split one over several forward passes."""
    max_batch_size: int = 0
    generated: int = 0
    scoring_wall_s: float = 0.0

    def as_dict(self) -> dict[str, float]:
        """JSON data. ``forward_passes`` counts sequences scored, an item under a view being one."""
        asked = self.cache_hits + self.cache_misses
        return {
            "cache_hits": self.cache_hits,
            "cache_misses": self.cache_misses,
            "hit_rate": self.cache_hits / asked if asked else 0.0,
            "forward_passes": self.cache_misses,
            "batches_sent": self.batches_sent,
            "batched_prompts": self.cache_misses,
            "max_batch_size": self.max_batch_size,
            "avg_batch_size": self.cache_misses / self.batches_sent if self.batches_sent else 0.0,
            "generated": self.generated,
            "scoring_wall_s": round(self.scoring_wall_s, 3),
        }


class Session:
    """The :class:`~dlm_sway.probes.base.Scoring` a suite hands to its probes.

    Probes that ask about the same items share the work: an item is compared once a view. Nothing is kept between
    runs. Comparing costs are counted in :attr:`counts`; the backend stays the caller's to close.
    """

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.counts = Counts()
        self._seen: dict[tuple[Item, View, int], Comparison] = {}
        self._inspections: dict[int | None, AdapterInspection] = {}

    def compare(self, items: Sequence[Item], view: View) -> list[Comparison]:
        """Compare ``view`` with the base on every item, in the order given.

        Raises:
            NotSupported: the view does not exist for this adapter.
            BackendError: the backend failed, or answered for another number of items.
        """
        return self._compare(items, view, layout=0)

    def noise(self, items: Sequence[Item]) -> list[Comparison]:
        """Base against base in another batch layout: what no change looks like on this machine."""
        return self._compare(items, BASE, layout=_NOISE_LAYOUT)

    def inspect(self) -> AdapterInspection:
        """What the adapter holds; the file is read once."""
        return self._inspect(None, self.backend.inspect)

    def inspect_null(self, seed: int) -> AdapterInspection:
        """What a null adapter holds."""
        return self._inspect(seed, lambda: self.backend.inspect_null(seed))

    def generate(self, prompts: Sequence[str], view: View, *, max_new_tokens: int) -> list[str]:
        """Greedy answers; not cached."""
        started = time.perf_counter()
        answers = self.backend.generate(prompts, view, max_new_tokens=max_new_tokens)
        self.counts.scoring_wall_s += time.perf_counter() - started
        self.counts.generated += len(answers)
        if len(answers) != len(prompts):
            raise BackendError(f"{self._name} gave {len(answers)} answers for {len(prompts)} prompts")
        return answers

    def _compare(self, items: Sequence[Item], view: View, layout: int) -> list[Comparison]:
        new = [item for item in dict.fromkeys(items) if (item, view, layout) not in self._seen]
        self.counts.cache_misses += len(new)
        self.counts.cache_hits += len(items) - len(new)
        if new:
            started = time.perf_counter()
            found = self.backend.compare(new, view, layout=layout)
            self.counts.scoring_wall_s += time.perf_counter() - started
            self.counts.batches_sent += 1
            self.counts.max_batch_size = max(self.counts.max_batch_size, len(new))
            if len(found) != len(new):
                raise BackendError(f"{self._name} compared {len(found)} of {len(new)} items under {view.label}")
            self._seen.update(((item, view, layout), one) for item, one in zip(new, found, strict=True))
        return [self._seen[item, view, layout] for item in items]

    def _inspect(self, key: int | None, ask: Callable[[], AdapterInspection]) -> AdapterInspection:
        if key not in self._inspections:
            self._inspections[key] = ask()
        return self._inspections[key]

    @property
    def _name(self) -> str:
        return f"backend {type(self.backend).__name__}"
