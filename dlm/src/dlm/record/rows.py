"""What is told of a run: plain data, whichever file it was read from."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class _FromRow:
    @classmethod
    def read(cls, row: Mapping[str, Any]) -> Self:
        """From a table's row: columns that it lacks are ``None``, those not known here are left out."""
        known = set(row.keys())
        return cls(**{one.name: row[one.name] for one in fields(cls) if one.name in known})  # type: ignore[arg-type]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)  # type: ignore[call-overload,no-any-return]


def _unnamed(row: PhaseRow | StepRow | EvalRow) -> None:
    """A key of the database cannot be null: the adapter without a name has an empty one there."""
    object.__setattr__(row, "adapter", row.adapter or None)


@dataclass(frozen=True)
class HeldOut(_FromRow):
    """What one phase began with and what it kept, for one adapter: nats a token, of whatever the phase is judged by."""

    phase: str | None
    first_val_loss: float | None
    best_val_loss: float | None
    adapter: str | None = None


@dataclass(frozen=True)
class RunRow(_FromRow):
    """One run. Losses are nats a token; a perplexity is ``exp`` of one."""

    run_id: int
    started_at: str | None = None
    """UTC, as ``2026-11-05T12:00:00Z``; so are all times."""
    ended_at: str | None = None
    adapter_version: int | None = None
    phase: str | None = None
    """Several are joined by ``+``."""
    seed: int | None = None
    status: str = "running"
    message: str | None = None
    base_model: str | None = None
    device: str | None = None
    precision: str | None = None
    steps: int | None = None
    """Planned, of all phases."""
    tokens: int | None = None
    """Trained on."""
    seconds: float | None = None
    """From reading the document to the end; by a clock that only goes forward."""
    early_stopped: bool | None = None
    warm_from: int | None = None
    resumed_from: int | None = None
    steps_done: int | None = None
    tokens_per_sec: float | None = None
    first_val_loss: float | None = None
    """What the last phase began with: phases are judged by different things, and nothing lies between two of them."""
    best_val_loss: float | None = None
    """Of the weights that the last phase kept."""
    adapters: str | None = None
    """Names of those that it trained, joined by ``+``; ``None`` for one without a name."""
    held_out: tuple[HeldOut, ...] = ()
    """In the order in which the phases were trained."""

    def __post_init__(self) -> None:
        if self.early_stopped is not None:
            object.__setattr__(self, "early_stopped", bool(self.early_stopped))

    def in_phase(self, phase: str) -> Self:
        """The run with the held-out losses of ``phase`` alone."""
        found = tuple(one for one in self.held_out if one.phase == phase)
        if not found:
            return self
        first, best = found[-1].first_val_loss, found[-1].best_val_loss
        return replace(self, first_val_loss=first, best_val_loss=best, held_out=found)


@dataclass(frozen=True)
class PhaseRow(_FromRow):
    """One phase of a run, as it was planned."""

    number: int
    phase: str
    steps: int | None = None
    tokens: int | None = None
    started_at: str | None = None
    adapter: str | None = None

    def __post_init__(self) -> None:
        _unnamed(self)


@dataclass(frozen=True)
class StepRow(_FromRow):
    """One optimiser step. ``tokens`` and ``seconds`` count from the beginning of its phase."""

    step: int
    phase: str | None = None
    loss: float | None = None
    anchor_kl: float | None = None
    lr: float | None = None
    grad_norm: float | None = None
    tokens: int | None = None
    tokens_per_sec: float | None = None
    seconds: float | None = None
    at: str | None = None
    adapter: str | None = None

    def __post_init__(self) -> None:
        _unnamed(self)


@dataclass(frozen=True)
class EvalRow(_FromRow):
    """The held-out rows were scored; at step 0 before anything was trained."""

    step: int
    phase: str | None = None
    val_loss: float | None = None
    perplexity: float | None = None
    recall: float | None = None
    """Share of the held-out records whose value is said."""
    accuracy: float | None = None
    """Share of the held-out pairs whose better answer is the likelier one; where a phase has pairs."""
    margin: float | None = None
    """How much likelier it is, in nats a token."""
    best: bool | None = None
    at: str | None = None
    held_out_prose_loss: float | None = None
    """Of the held-out text alone; where a phase learns the text as text."""
    held_out_answer_loss: float | None = None
    """Of the answers to the held-out questions alone."""
    adapter: str | None = None

    def __post_init__(self) -> None:
        _unnamed(self)
        if self.best is not None:
            object.__setattr__(self, "best", bool(self.best))


@dataclass(frozen=True)
class TokenizationRow(_FromRow):
    """What the tokenised cache did for a run."""

    total_sections: int | None = None
    cache_hits: int | None = None
    cache_misses: int | None = None
    total_tokenize_seconds: float | None = None
    cache_bytes_after: int | None = None
    at: str | None = None


@dataclass(frozen=True)
class Curve:
    """Everything that was written of one run."""

    phases: tuple[PhaseRow, ...] = ()
    steps: tuple[StepRow, ...] = ()
    """In the order in which they were made."""
    evals: tuple[EvalRow, ...] = ()
    tokenization: TokenizationRow | None = None

    def only(self, phase: str) -> Curve:
        """The part that ``phase`` made, of every adapter."""
        return self._where(lambda one: one.phase == phase)

    def of(self, adapter: str | None) -> Curve:
        """The part that trained ``adapter``."""
        return self._where(lambda one: one.adapter == adapter)

    def _where(self, chosen: Callable[[PhaseRow | StepRow | EvalRow], bool]) -> Curve:
        return Curve(
            tuple(one for one in self.phases if chosen(one)),
            tuple(one for one in self.steps if chosen(one)),
            tuple(one for one in self.evals if chosen(one)),
            self.tokenization,
        )

    def as_json(self) -> dict[str, Any]:
        return asdict(self)
