"""A model with everything around it that decides what it reads and says, wherever it runs.

The trained version in its own backend is one, the exported file in the program that serves it another; a certificate
puts the same questions to both.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from ..errors import UsageProblem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..corpus.records import Message
    from ..training.backend import Answer


class Runtime(ABC):
    """A loaded model. A context manager made it; what it holds is freed on leaving that."""

    @property
    @abstractmethod
    def name(self) -> str:
        """Program and version, such as ``llama.cpp (llama-cpp-python 0.3.36)``."""

    @property
    def context(self) -> int | None:
        """Tokens that it can read at once; ``None`` where it does not say."""
        return None

    @property
    @abstractmethod
    def stop_ids(self) -> frozenset[int]:
        """Tokens that end an answer."""

    @property
    @abstractmethod
    def start_ids(self) -> frozenset[int]:
        """Tokens that begin a text, of which a prompt has at most one."""

    @abstractmethod
    def prompt_ids(self, messages: Sequence[Message]) -> list[int]:
        """What the model is given for a conversation: through the runtime's own template and tokenizer, the system
        prompt in front, up to where the assistant is to speak."""

    @abstractmethod
    def text_ids(self, text: str) -> list[int]:
        """Tokens of plain text, none added."""

    @abstractmethod
    def log_probs(self, ids: Sequence[int], start: int = 0) -> Any:
        """Of every next token: ``float32`` of shape ``(len(ids) - start, vocabulary)``, natural logarithms; row ``i``
        has read ``ids[: start + i + 1]``."""

    def untouched_log_probs(self, ids: Sequence[int], start: int = 0) -> Any:
        """As :meth:`log_probs`, of the base without its adapter.

        Raises:
            UsageProblem: this runtime cannot take the adapter off.
        """
        raise UsageProblem(f"{self.name} cannot take the adapter off, so what it changes cannot be measured")

    def input_squares(self, texts: Sequence[Sequence[int]]) -> dict[str, Any]:
        """What each linear layer of the base is given while the model reads ``texts``: the mean over all tokens of the
        square of each input, ``float32``, by the layer's name.

        Raises:
            UsageProblem: this runtime does not see that.
        """
        raise UsageProblem(f"{self.name} does not show what its layers are given")

    @abstractmethod
    def answer(self, messages: Sequence[Message], max_new_tokens: int = 64) -> Answer:
        """The greedy answer."""

    def answers(self, conversations: Sequence[Sequence[Message]], max_new_tokens: int = 64) -> Iterator[Answer]:
        """The greedy answer to each conversation, in order; for runtimes that make several at once."""
        for messages in conversations:
            yield self.answer(messages, max_new_tokens)
