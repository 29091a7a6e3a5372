"""Which row is trained at which step, decided before the first one."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..corpus.records import Record
from .recipe import Recipe
from .vocabulary import Vocabulary


@dataclass(frozen=True)
class Row:
    """A record, or one window of it, as the backend's tokenizer sees it."""

    record: int
    """Index into the records that were encoded."""
    tokens: int
    scored: int
    """Positions that carry loss."""


@dataclass(frozen=True)
class Plan:
    """One phase of a run, printable before it starts and the same on every machine."""

    recipe: Recipe
    records: tuple[Record, ...]
    rows: tuple[Row, ...]
    held_out_rows: tuple[Row, ...]
    steps: tuple[tuple[int, ...], ...]
    """Row indices of each optimiser step."""
    warmup_steps: int
    decay_steps: int
    evaluate_every: int
    tokens: int
    passes: dict[str, float] = field(default_factory=dict)
    """How often a row is seen on average, by record kind."""
    mixture: dict[str, float] = field(default_factory=dict)
    """Share of the rows of a step, by record kind."""
    phase: str = "sft"
    """Name of the training phase."""
    adapter: str | None = None
    """Which of the document's adapters it trains; ``None`` where it names none."""
    encodings: tuple[int, int] = (0, 1)
    """Which calls of :meth:`.backend.Workbench.encode`, counted from 0, gave ``rows`` and ``held_out_rows``."""
    vocabulary: Vocabulary | None = None
    """How well the base's tokenizer knows the document's words; ``None`` when the backend cannot tell."""
    held_out_pairs: int = 0
    """How many of the held-out records are pairs of a better and a worse answer; they stand first."""
    held_out_texts: int = 0
    """How many of them are text; they stand last."""

    def learning_rate(self, step: int) -> float:
        """Learning rate of ``step``, counted from 0."""
        from .schedule import learning_rate

        return learning_rate(self, step)
