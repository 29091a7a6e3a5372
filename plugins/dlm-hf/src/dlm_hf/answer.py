"""Answer questions with a base, with or without an adapter.

A greedy answer depends on its own conversation alone, not on what is asked beside it (:mod:`.rounds`).
"""

from __future__ import annotations

import gc
import platform
import time
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import torch

from dlm.errors import AdapterMismatch, UsageProblem
from dlm.store.tokens import digest
from dlm.training.backend import Answer, Answerer, Sampling
from dlm.training.mixing import Mix

from .decomposed import in_precision
from .model import context_length, pick_device, pick_dtype
from .opened import open_model, open_renderer
from .packing import packs_exactly
from .passes import complete
from .rounds import Round, one_by_one, together

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from dlm.bases import LocalBase
    from dlm.corpus.records import Message

    from .mixture import Mixture

ANSWERING = 1
"""Changes whenever this module would give other answers."""


def scope(base: LocalBase, system_prompt: str | None) -> str:
    """What decides the greedy answers of ``base`` beside the conversations: the machine and its rounding too."""
    device = pick_device()
    return digest(
        answering=ANSWERING,
        base=base.loaded_digest,
        system_prompt=system_prompt,
        precision=str(pick_dtype("auto", device, scoring=False)),
        device=torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine(),
        threads=torch.get_num_threads(),
        libraries=f"{torch.__version__} {version('transformers')} {version('tokenizers')}",
    )


class HfAnswerer(Answerer):
    """One loaded model; every question goes through the renderer that training used."""

    def __init__(self, base: LocalBase, adapter: Path | Mix | None, system_prompt: str | None, precision: str) -> None:
        self.base = base
        self.device = pick_device()
        self.dtype = pick_dtype(precision, self.device, scoring=False)
        self.renderer = open_renderer(base, system_prompt)
        self._model: Any = open_model(base, self.dtype, self.device)
        # An architecture that shows a token what its mask hides (a recurrent one, say) would read the padding.
        self._together = packs_exactly(self._model, self.renderer)
        self._mixture: Mixture | None = None
        if adapter is not None:
            self._model = self._adapted(adapter)

    @property
    def model(self) -> Any:
        """The base, or the base with its adapters around it."""
        return self._model

    def count_tokens(self, messages: Sequence[Message]) -> int:
        return len(self.renderer.prompt_ids(messages))

    def answer(
        self,
        conversations: Sequence[Sequence[Message]],
        sampling: Sampling,
        weights: Sequence[tuple[float, ...]] | None = None,
    ) -> Iterator[Answer]:
        prompts = [self.renderer.prompt_ids(messages) for messages in conversations]
        self._check_context(prompts, sampling.max_new_tokens)
        mixed = self._weights(len(prompts), weights)
        planned = self._rounds(prompts, sampling.max_new_tokens, mixed)
        batches = {index: batch for batch in planned for index in batch.indices}
        ready: dict[int, Answer] = {}
        for index in range(len(prompts)):
            if index not in ready:
                ready |= self._generate(batches[index], prompts, sampling)
            yield ready.pop(index)

    def weigh(self, gate: Path, questions: Sequence[str]) -> list[tuple[float, ...]]:
        from .gating import readings, weights_of

        if self._mixture is None:
            raise ValueError("a gate weighs the parts of a mix, and there is none")
        with self._mixture.off() as base:
            read = readings(base, self.renderer, questions, self.device)
        return weights_of(gate, read)

    def close(self) -> None:
        """Free the model."""
        self._model = None
        gc.collect()

    def _adapted(self, adapter: Path | Mix) -> Any:
        from .adapters import UnusableAdapter, load_adapter
        from .mixture import Mixture

        try:
            if isinstance(adapter, Mix):
                self._mixture = Mixture(self._model, adapter)
                model = self._mixture.model
            else:
                model = load_adapter(self._model, adapter)
        except UnusableAdapter as error:
            raise AdapterMismatch(str(error)) from error
        in_precision(model, self.dtype)
        return model.eval()

    def _weights(self, count: int, weights: Sequence[tuple[float, ...]] | None) -> Sequence[tuple[float, ...]]:
        """Of each of ``count`` conversations; empty ones where there is no mix."""
        if self._mixture is None:
            if weights is not None:
                raise ValueError("weights are for the parts of a mix, and there is none")
            return [()] * count
        return [self._mixture.mix.weights] * count if weights is None else weights

    def _check_context(self, prompts: Sequence[Sequence[int]], new_tokens: int) -> None:
        context = context_length(self._model)
        for number, prompt in enumerate(prompts, start=1):
            if context is not None and len(prompt) + new_tokens > context:
                raise UsageProblem(
                    f"question {number} takes {len(prompt)} tokens and its answer up to {new_tokens}, together more "
                    f"than the {context} that {self.base.key} can read: ask less at once, or lower --max-tokens"
                )

    def _rounds(self, prompts: Sequence[list[int]], new: int, weights: Sequence[tuple[float, ...]]) -> list[Round]:
        return together(prompts, new, weights) if self._together else one_by_one(prompts, weights)

    def _generate(self, batch: Round, prompts: Sequence[list[int]], sampling: Sampling) -> dict[int, Answer]:
        """Answers of one batch by their places in the whole list; its time is shared out equally."""
        started = time.perf_counter()
        if self._mixture is not None:
            self._mixture.weigh(batch.weights)
        asked = [prompts[index] for index in batch.indices]
        found = complete(
            self._model,
            asked + asked[:1] * (batch.rows - len(asked)),
            self.renderer,
            self.device,
            sampling.max_new_tokens,
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            seed=sampling.seed,
            width=batch.width,
        )
        seconds = round((time.perf_counter() - started) / len(asked), 3)
        return {
            index: Answer(self.renderer.decode(one.ids), len(one.ids), seconds, complete=one.ended)
            for index, one in zip(batch.indices, found[: len(asked)], strict=True)
        }
