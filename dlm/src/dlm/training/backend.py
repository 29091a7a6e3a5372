"""What a model backend does for dlm. Seams here; inside, a backend reads top to bottom."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ..bases import HubSource, LocalBase
    from ..corpus.records import Message, Record
    from ..store.tokens import TokenCache
    from .events import Evaluated, Outcome, StepLogged
    from .plan import Plan, Row
    from .recipe import Recipe


@dataclass(frozen=True)
class Sampling:
    """How an answer is drawn. ``temperature`` 0 is greedy and deterministic."""

    max_new_tokens: int = 256
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0


@dataclass(frozen=True)
class Answer:
    """One answer. ``tokens`` counts the new tokens, the end-of-answer token not included."""

    text: str
    tokens: int
    seconds: float
    complete: bool
    """The model ended its answer by itself."""


class Workbench(ABC):
    """One base on the bench, with an adapter being trained. A context manager: leaving it frees the memory."""

    @abstractmethod
    def encode(self, records: Sequence[Record], cache: TokenCache | None = None) -> list[Row]:
        """Tokenise ``records`` with the one prompt renderer; long texts become several overlapping windows.

        Loads no weights. Rows are kept on the bench; indices into the returned list are what a plan refers to. What
        ``cache`` knows need not be tokenised again; rows are the same with it, without it, and whatever it holds. See
        :func:`dlm.store.tokens.encode_all`.

        Raises:
            TrainingFailed: a conversation does not fit ``recipe.sequence_len``, or no end-of-answer token is found.
        """

    @abstractmethod
    def train(
        self,
        plan: Plan,
        on_step: Callable[[StepLogged], None],
        on_evaluation: Callable[[Evaluated], None],
    ) -> Outcome:
        """Run ``plan`` and leave the best weights by held-out loss on the bench.

        ``plan.rows`` were encoded first and ``plan.held_out_rows`` second, by two calls of :meth:`encode`.
        """

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write the adapter (PEFT layout) and the tokenizer into an existing empty ``folder``."""


class Answerer(ABC):
    """A base, with or without an adapter, that answers."""

    @abstractmethod
    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Length of the rendered prompt in tokens."""

    @abstractmethod
    def answer(self, conversations: Sequence[Sequence[Message]], sampling: Sampling) -> Iterator[Answer]:
        """Answer each conversation, in order, in as few forward passes as the memory allows.

        Raises:
            UsageProblem: a prompt does not fit the base's context.
        """


class Backend(ABC):
    """A library that can train and run base models, for example PyTorch with PEFT."""

    @abstractmethod
    def fetch_hub(self, source: HubSource, folder: Path, say: Callable[[str], None]) -> str:
        """Download a hub repository into ``folder``; the commit that was fetched.

        Raises:
            BaseModelError: the hub cannot be reached, or has no such repository or commit.
        """

    @abstractmethod
    def convert_gguf(self, gguf: Path, folder: Path) -> None:
        """Write what ``gguf`` holds into ``folder`` as ``config.json``, safetensors and tokenizer files."""

    @abstractmethod
    def workbench(
        self, base: LocalBase, recipe: Recipe, system_prompt: str | None
    ) -> AbstractContextManager[Workbench]:
        """A bench for training ``base``."""

    @abstractmethod
    def answerer(
        self, base: LocalBase, adapter: Path | None, system_prompt: str | None, precision: str = "auto"
    ) -> AbstractContextManager[Answerer]:
        """The base, or the base with ``adapter``, ready to answer.

        Raises:
            AdapterMismatch: the adapter's tensors match no module of this base, or not all of them do.
        """
