"""Answer questions with a base, with or without an adapter."""

from __future__ import annotations

import gc
import time
from typing import TYPE_CHECKING, Any

from dlm.errors import AdapterMismatch, UsageProblem
from dlm.training.backend import Answer, Answerer, Sampling

from .model import context_length, pick_device, pick_dtype
from .opened import open_model, open_renderer
from .passes import complete

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from dlm.bases import LocalBase
    from dlm.corpus.records import Message

BATCH_TOKENS = 4096
"""Prompt and answer tokens of one batch, padding included."""


class HfAnswerer(Answerer):
    """One loaded model; every question goes through the renderer that training used."""

    def __init__(self, base: LocalBase, adapter: Path | None, system_prompt: str | None, precision: str) -> None:
        self.base = base
        self.device = pick_device()
        self.dtype = pick_dtype(precision, self.device, scoring=False)
        self.renderer = open_renderer(base, system_prompt)
        self._model: Any = open_model(base, self.dtype, self.device)
        if adapter is not None:
            self._model = self._with_adapter(adapter)

    def count_tokens(self, messages: Sequence[Message]) -> int:
        return len(self.renderer.prompt_ids(messages))

    def answer(self, conversations: Sequence[Sequence[Message]], sampling: Sampling) -> Iterator[Answer]:
        prompts = [self.renderer.prompt_ids(messages) for messages in conversations]
        self._check_context(prompts, sampling.max_new_tokens)
        for batch in _batches(prompts, sampling.max_new_tokens):
            yield from self._generate(batch, sampling)

    def close(self) -> None:
        """Free the model."""
        self._model = None
        gc.collect()

    def _with_adapter(self, adapter: Path) -> Any:
        from .adapters import UnusableAdapter, load_adapter

        try:
            model = load_adapter(self._model, adapter)
        except UnusableAdapter as error:
            raise AdapterMismatch(str(error)) from error
        return model.to(self.dtype).eval()

    def _check_context(self, prompts: Sequence[Sequence[int]], new_tokens: int) -> None:
        context = context_length(self._model)
        for number, prompt in enumerate(prompts, start=1):
            if context is not None and len(prompt) + new_tokens > context:
                raise UsageProblem(
                    f"question {number} takes {len(prompt)} tokens and its answer up to {new_tokens}, together more "
                    f"than the {context} that {self.base.key} can read: ask less at once, or lower --max-tokens"
                )

    def _generate(self, prompts: Sequence[list[int]], sampling: Sampling) -> Iterator[Answer]:
        """Answers to one batch; its time is shared out equally."""
        started = time.perf_counter()
        found = complete(
            self._model,
            prompts,
            self.renderer,
            self.device,
            sampling.max_new_tokens,
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            seed=sampling.seed,
        )
        seconds = round((time.perf_counter() - started) / len(prompts), 3)
        for one in found:
            yield Answer(self.renderer.decode(one.ids), len(one.ids), seconds, complete=one.ended)


def _batches(prompts: Sequence[list[int]], new_tokens: int) -> Iterator[list[list[int]]]:
    """Consecutive prompts, as many at a time as :data:`BATCH_TOKENS` allows."""
    batch: list[list[int]] = []
    for prompt in prompts:
        width = max(len(p) for p in [*batch, prompt]) + new_tokens
        if batch and width * (len(batch) + 1) > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(prompt)
    if batch:
        yield batch
