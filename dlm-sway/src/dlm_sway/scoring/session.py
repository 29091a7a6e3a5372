"""What one run of a suite asks of a backend: every question once, every answer checked and counted."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import BackendError
from .types import BASE, FT, Item, TextScore, View

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence
    from pathlib import Path

    from .backend import Backend
    from .remembering import Identity, Remembered
    from .trace import Trace
    from .types import AdapterInspection, Answer, Comparison, TextLogprob

    Memory = Callable[[Backend, Callable[[str], None]], Remembered]
    """Makes what a session remembers earlier runs by."""

_NOISE_LAYOUT = 1


@dataclass
class Counts:
    """What a run cost; becomes ``backend_stats`` of the report."""

    cache_hits: int = 0
    """Questions answered without asking the backend."""
    cache_misses: int = 0
    disk_hits: int = 0
    """Those of the hits that an earlier run had asked."""
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
            "disk_hits": self.disk_hits,
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

    Probes that ask about the same items share the work: an item is compared, and a prompt answered, once a view. What
    it costs is counted in :attr:`counts`; the backend stays the caller's to close. With ``remembered``, what an earlier
    run asked of the same models is not asked again.
    """

    def __init__(self, backend: Backend, remembered: Remembered | None = None, trace: Trace | None = None) -> None:
        self.backend = backend
        self.counts = Counts()
        self.probe: str | None = None
        """Name of the entry that is asking, for the trace."""
        self._remembered = remembered if remembered is not None and remembered.works else None
        self._trace = trace
        self._known: dict[tuple[str, View], dict[Hashable, Any]] = {}
        self._facts: dict[tuple[str, View], Any] = {}

    @property
    def identity(self) -> Identity | None:
        """What decides every number; ``None`` when the backend cannot say, or nothing is kept between runs."""
        return None if self._remembered is None else self._remembered.identity

    def compare(self, items: Sequence[Item], view: View, *, per_position: bool = False) -> list[Comparison]:
        """Compare ``view`` with the base on every item, in the order given.

        Raises:
            NotSupported: the view does not exist for this adapter.
            BackendError: the backend failed, or answered for another number of items.
        """
        if per_position:
            return self._ask(
                "positions", view, items, lambda new: self.backend.compare(new, view, per_position=True), "compared"
            )
        return self._ask("compare", view, items, lambda new: self.backend.compare(new, view), "compared")

    def noise(self, items: Sequence[Item]) -> list[Comparison]:
        """Base against base in another batch layout: what no change looks like on this machine."""
        return self._ask(
            "noise", BASE, items, lambda new: self.backend.compare(new, BASE, layout=_NOISE_LAYOUT), "compared"
        )

    def texts(self, texts: Sequence[str], view: View) -> list[TextScore]:
        """Log-probability of whole texts under the base and ``view``; the base's is computed once for all views.

        Raises:
            NotSupported: the view does not exist for this adapter, or the backend scores no texts.
        """
        base, seen = self._texts(texts, BASE), self._texts(texts, view)
        return [TextScore(b.tokens, b.logprob, v.logprob) for b, v in zip(base, seen, strict=True)]

    def generate(self, prompts: Sequence[Item | str], view: View, *, max_new_tokens: int) -> list[Answer]:
        """Greedy answers, one a prompt. Of an item only what stands before its reference counts."""
        questions = [Item(one) if isinstance(one, str) else one._replace(reference="", group="") for one in prompts]

        def ask(new: Sequence[Item]) -> list[Answer]:
            self.counts.generated += len(new)
            return self.backend.generate(new, view, max_new_tokens=max_new_tokens)

        return self._ask(f"generate:{max_new_tokens}", view, questions, ask, "answered")

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """How many tokens each text is, special tokens not counted."""
        known = self._known.setdefault(("count", BASE), {})
        self._find("count", BASE, texts, known)
        if new := [text for text in dict.fromkeys(texts) if text not in known]:
            self._learn("count", BASE, dict(zip(new, self.backend.count_tokens(new), strict=True)), known)
        return [known[text] for text in texts]

    def inspect(self) -> AdapterInspection:
        """What the adapter holds; the file is read once."""
        found: AdapterInspection = self._fact("inspect", FT, self.backend.inspect)
        return found

    def inspect_null(self, seed: int) -> AdapterInspection:
        """What a null adapter holds."""
        view = View("null", seed=seed)
        found: AdapterInspection = self._fact("inspect", view, lambda: self.backend.inspect_null(seed))
        return found

    def describe(self) -> dict[str, object]:
        """What is tested, as the backend describes it; loads nothing when an earlier run loaded the same files."""
        models = self.backend.models
        paths = (
            json.dumps([str(one) for one in (models.base.base, models.ft.base, models.ft.adapter)]) if models else ""
        )
        found: dict[str, object] = self._fact(f"describe:{paths}", FT, self.backend.describe)
        return found

    def _texts(self, texts: Sequence[str], view: View) -> list[TextLogprob]:
        return self._ask("texts", view, texts, lambda new: self.backend.texts(new, view), "scored")

    def _ask(
        self, operation: str, view: View, asked: Sequence[Any], call: Callable[[Sequence[Any]], list[Any]], did: str
    ) -> list[Any]:
        """An answer to each question of ``asked``, from memory where it was asked before."""
        known = self._known.setdefault((operation, view), {})
        self.counts.disk_hits += self._find(operation, view, asked, known)
        new = [one for one in dict.fromkeys(asked) if one not in known]
        self.counts.cache_misses += len(new)
        self.counts.cache_hits += len(asked) - len(new)
        started = time.perf_counter()
        if new:
            found = call(new)
            self.counts.batches_sent += 1
            self.counts.max_batch_size = max(self.counts.max_batch_size, len(new))
            if len(found) != len(new):
                name = f"backend {type(self.backend).__name__}"
                raise BackendError(f"{name} {did} {len(found)} of {len(new)} items under {view.label}")
            self._learn(operation, view, dict(zip(new, found, strict=True)), known)
        seconds = time.perf_counter() - started
        self.counts.scoring_wall_s += seconds
        if self._trace is not None:
            self._trace.write(self.probe, operation, view, asked, set(new), seconds)
        return [known[one] for one in asked]

    def _fact(self, operation: str, view: View, ask: Callable[[], Any]) -> Any:
        """What does not depend on a question."""
        if (operation, view) not in self._facts:
            known: dict[Hashable, Any] = {}
            self._find(operation, view, [None], known)
            if not known:
                self._learn(operation, view, {None: ask()}, known)
            self._facts[operation, view] = known[None]
        return self._facts[operation, view]

    def _find(self, operation: str, view: View, asked: Sequence[Any], known: dict[Hashable, Any]) -> int:
        """Add to ``known`` what an earlier run asked; how many of ``asked`` that answers."""
        if self._remembered is None:
            return 0
        found = self._remembered.get(operation, view, [one for one in dict.fromkeys(asked) if one not in known])
        known.update(found)
        return len(found)

    def _learn(self, operation: str, view: View, new: dict[Any, Any], known: dict[Hashable, Any]) -> None:
        known.update(new)
        if self._remembered is not None:
            self._remembered.put(operation, view, new)


@contextmanager
def asking(
    backend: Backend, *, cache: bool | Memory, trace: Path | None, say: Callable[[str], None] = lambda _: None
) -> Iterator[Session]:
    """A session that remembers earlier runs (with ``cache``, which may say by what) and writes a trace (where a file is
    named).

    Raises:
        TargetError: the models are not there.
        SwayError: the trace cannot be written.
    """
    from .remembering import Remembered
    from .trace import tracing

    with tracing(trace) as written, ExitStack() as stack:
        make = Remembered if cache is True else cache
        remembered = make(backend, say) if make else None
        if remembered is not None:
            stack.callback(remembered.close)
        yield Session(backend, remembered, written)
