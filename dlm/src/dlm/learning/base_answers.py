"""The base is asked once: what it said to earlier reports is taken from the store, and the rest is asked for."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..errors import StoreError
from ..store import base_answers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True)
class BaseAnswers:
    """Answers of one untouched base, under one system prompt."""

    path: Path
    """The file in the document's store."""
    scope: str | None
    """What decides an answer beside the question; ``None`` when the backend cannot tell, and nothing is kept."""
    at_hand: Mapping[str, str] = field(default_factory=dict)
    """Answers that were taken out of the file already, by the keys they had there."""

    def missing(self, asked: Sequence[str]) -> list[str]:
        """Those of ``asked`` to which no answer is kept, each once."""
        known = self._known()
        return [text for text in dict.fromkeys(asked) if self._key(text) not in known]

    def to(
        self, asked: Sequence[str], ask: Callable[[Sequence[str]], Sequence[str]], say: Callable[[str], None]
    ) -> list[str]:
        """The answer to each of ``asked``; ``ask`` hears those that are not kept. No other answers are kept after."""
        new = self.missing(asked)
        found = {key: answer for key, answer in self._known().items() if key in {self._key(text) for text in asked}}
        if new:
            found |= dict(zip(map(self._key, new), ask(new), strict=True))
        self._keep(found, say)
        return [found[self._key(text)] for text in asked]

    def _known(self) -> dict[str, str]:
        return {} if self.scope is None else {**self.at_hand, **base_answers.read(self.path)}

    def _keep(self, found: Mapping[str, str], say: Callable[[str], None]) -> None:
        if self.scope is None:
            return
        try:
            base_answers.write(self.path, found)
        except StoreError as problem:
            say(f"the base's answers are not kept, and will be asked for again: {problem}")

    def _key(self, text: str) -> str:
        return hashlib.sha256(json.dumps([self.scope, text]).encode()).hexdigest()
