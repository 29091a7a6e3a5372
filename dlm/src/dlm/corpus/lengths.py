"""How many tokens a text has, without a model: counted with the base's tokenizer, or estimated from its bytes."""

from __future__ import annotations

import itertools
from functools import cached_property
from typing import TYPE_CHECKING, Any

from .records import Record

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

BYTES_PER_TOKEN = 3.6
"""Measured with the tokenizer of SmolLM2 on English prose (3.9), Markdown (3.4) and Python (3.6)."""
MESSAGE_TOKENS = 5
"""What a chat template puts around one message."""
SYSTEM_TOKENS = 20
"""What a template says in the system's name when the document says nothing."""


class Lengths:
    """Counts tokens with ``tokenizer`` (a ``tokenizer.json``); without one, or when it cannot be loaded, estimates.

    Chat templates are not run: what they add to a message is always an estimate.
    """

    def __init__(self, tokenizer: Path | None = None, system_prompt: str | None = None) -> None:
        self._path = tokenizer
        self._system_prompt = system_prompt
        self._known: dict[str, int] = {}

    @property
    def exact(self) -> bool:
        """Whether the tokens of a text are counted rather than estimated."""
        return self._tokenizer is not None

    @cached_property
    def _tokenizer(self) -> Any:
        if self._path is None or not self._path.is_file():
            return None
        try:
            from tokenizers import Tokenizer
        except ImportError:
            return None
        try:
            found = Tokenizer.from_file(str(self._path))
        # The library raises bare Exception for a file that it cannot read; an estimate is what is left then.
        except Exception:
            return None
        found.no_truncation()
        found.no_padding()
        return found

    def of(self, texts: Iterable[str]) -> list[int]:
        """Tokens of each text, without what begins or ends one."""
        texts = list(texts)
        if self._tokenizer is None:
            return [estimated(len(text.encode())) for text in texts]
        missing = list({text for text in texts if text not in self._known})
        encoded = self._tokenizer.encode_batch(missing, add_special_tokens=False)
        self._known.update((text, len(found.ids)) for text, found in zip(missing, encoded, strict=True))
        return [self._known[text] for text in texts]

    def of_conversations(self, records: Iterable[Record]) -> list[int]:
        """Tokens of each conversation with the system's turn and about what a chat template adds."""
        records = list(records)
        flat = iter(self.of(message.content for record in records for message in record.messages))
        return [
            self.around(len(record.messages)) + sum(itertools.islice(flat, len(record.messages))) for record in records
        ]

    def around(self, messages: int) -> int:
        """About what the system's turn and a chat template add to a conversation of so many messages."""
        return self._system_tokens + MESSAGE_TOKENS * messages

    @cached_property
    def _system_tokens(self) -> int:
        if self._system_prompt is None:
            return SYSTEM_TOKENS
        return self.of([self._system_prompt])[0] + MESSAGE_TOKENS


def estimated(size: int) -> int:
    """About how many tokens ``size`` bytes of text are."""
    return round(size / BYTES_PER_TOKEN)
