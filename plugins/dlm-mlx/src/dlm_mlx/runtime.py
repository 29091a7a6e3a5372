"""A base with its adapter in MLX as a runtime that a certificate asks: token ids, whole distributions, answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from dlm.errors import UsageProblem
from dlm.export.runtime import Runtime
from dlm.training.backend import Sampling

from .answer import MlxAnswerer
from .loading import device, library_versions, pick_precision
from .passes import logits_after

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from dlm.bases import LocalBase
    from dlm.corpus.records import Message
    from dlm.training.backend import Answer
    from dlm.training.mixing import Mix


class MlxRuntime(Runtime):
    """The model that answers as :class:`MlxAnswerer` does, and is read from besides; in fp32 unless told otherwise."""

    def __init__(self, base: LocalBase, adapter: Path | Mix | None, system_prompt: str | None, precision: str) -> None:
        self._answerer = MlxAnswerer(base, adapter, system_prompt, pick_precision(precision, scoring=True))
        self.renderer = self._answerer.renderer

    def close(self) -> None:
        """Free the model."""
        self._answerer.close()

    @property
    def name(self) -> str:
        return f"mlx-lm {library_versions()['mlx-lm']} ({self._answerer.loaded.precision}, {device()})"

    @property
    def context(self) -> int | None:
        return self._answerer.loaded.context

    @property
    def stop_ids(self) -> frozenset[int]:
        return frozenset(self.renderer.end_ids)

    @property
    def start_ids(self) -> frozenset[int]:
        start = self.renderer.tokenizer.bos_token_id
        return frozenset() if start is None else frozenset({int(start)})

    def prompt_ids(self, messages: Sequence[Message]) -> list[int]:
        return self.renderer.prompt_ids(messages)

    def text_ids(self, text: str) -> list[int]:
        return list(self.renderer.tokenizer(text, add_special_tokens=False).input_ids)

    def log_probs(self, ids: Sequence[int], start: int = 0) -> Any:
        return self._read(ids, start)

    def untouched_log_probs(self, ids: Sequence[int], start: int = 0) -> Any:
        with self._answerer.untouched():
            return self._read(ids, start)

    def answer(self, messages: Sequence[Message], max_new_tokens: int = 64) -> Answer:
        return next(self.answers([messages], max_new_tokens))

    def answers(self, conversations: Sequence[Sequence[Message]], max_new_tokens: int = 64) -> Iterator[Answer]:
        yield from self._answerer.answer(conversations, Sampling(max_new_tokens=max_new_tokens))

    def _read(self, ids: Sequence[int], start: int) -> Any:
        if self.context is not None and len(ids) > self.context:
            raise UsageProblem(f"{len(ids)} tokens are more than the {self.context} that this base can read")
        loaded = self._answerer.loaded
        one_more = [*ids, 0]  # after which nothing is asked, so it is not looked at
        pieces = logits_after(loaded.model, one_more, start + 1, loaded.vocabulary)
        # MLX sums a vocabulary's exponentials in fp32 on the CPU, which leaves 1e-4 nats too much or too little.
        rows = [torch.from_numpy(np.array(piece)).double().log_softmax(-1).float().numpy() for piece in pieces]
        return np.concatenate(rows)
