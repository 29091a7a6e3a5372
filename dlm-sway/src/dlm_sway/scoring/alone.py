"""One model by itself, read by its own backend: a half of a comparison of two models of different kinds.

Both halves are asked about the same tokens, so what crosses here are token ids and log-probabilities. How halves are
put together: :mod:`.apart`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
    from pathlib import Path

    from ..spec.models import ModelSpec, SuiteDefaults
    from .types import Answer, Item


class Given(NamedTuple):
    """One item as tokens. What follows each of ``ids[start:]`` is scored."""

    ids: tuple[int, ...]
    start: int
    targets: tuple[int, ...]
    """The tokens that do follow; empty without a reference, and then ``ids[start:]`` is one token."""


class Seen(NamedTuple):
    """What a model shows at the scored positions of one item: all of each distribution, or its likeliest tokens."""

    said: tuple[float, ...]
    """Log-probability of each target, in nats."""
    whole: Any = None
    """NumPy array ``[positions, vocabulary]`` of log-probabilities; ``None`` where only a part is shown."""
    listed: tuple[Mapping[Hashable, float], ...] = ()
    """Without ``whole``: the log-probabilities of the likeliest tokens at each position, by id."""


class OneModel(ABC):
    """A model that a suite names on one side, with the keys of that side and the suite's defaults.

    Made without loading anything. All methods are deterministic and raise
    :class:`~dlm_sway.errors.BackendError` for what the model cannot read, and
    :class:`~dlm_sway.errors.TargetError` where there is no such model.
    """

    def __init__(self, spec: ModelSpec, defaults: SuiteDefaults) -> None:
        self.spec = spec
        self.defaults = defaults

    @property
    @abstractmethod
    def longest(self) -> int | None:
        """How many tokens the model reads at once; ``None`` for as many as there are."""

    @abstractmethod
    def tokens(self, texts: Sequence[str], *, start: bool = False) -> list[list[int]]:
        """The ids of texts; with ``start``, after what the model puts before every text."""

    @abstractmethod
    def given(self, items: Sequence[Item]) -> list[Given]:
        """Items as this model's template and tokenizer write them, the end of an answer included."""

    @abstractmethod
    def shown(self, given: Sequence[Given], *, layout: int = 0) -> Iterator[Seen]:
        """What the model shows, one item after the other in their order. ``layout``: see
        :meth:`dlm_sway.Backend.compare`; a model that has no other way to compute asks again."""

    @abstractmethod
    def said(self, given: Sequence[Given]) -> list[float]:
        """The summed log-probability of each one's targets, in nats."""

    @abstractmethod
    def answers(self, prompts: Sequence[Sequence[int]], max_new_tokens: int) -> list[Answer]:
        """Greedy answers to prompts that are tokens."""

    @abstractmethod
    def identity(self, digest: Callable[[Path], str]) -> Mapping[str, object] | None:
        """What decides every number, found without loading; as :meth:`dlm_sway.Backend.identity`."""

    @abstractmethod
    def describe(self) -> dict[str, object]:
        """What was really loaded: JSON data."""

    def close(self) -> None:
        """Free the memory. Called once, last."""
        return
