"""Answer questions with a base in MLX, with or without an adapter or a mix of several."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dlm.errors import AdapterMismatch, BaseModelError, UsageProblem
from dlm.training.backend import Answer, Answerer
from dlm.training.mixing import Mix, Part
from dlm_hf.opened import open_renderer

from .adapter_file import read_adapter
from .errors import Unusable
from .loading import load_base, pick_precision
from .passes import complete, drawn, greedy
from .placing import Layers

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from dlm.bases import LocalBase
    from dlm.corpus.records import Message
    from dlm.training.backend import Sampling

    from .placing import Factors


class MlxAnswerer(Answerer):
    """One loaded model; every question goes through the renderer that training used, each by itself."""

    def __init__(self, base: LocalBase, adapter: Path | Mix | None, system_prompt: str | None, precision: str) -> None:
        if base.quantisation:
            raise UsageProblem(
                f"this adapter was trained on {base.key} held in {base.quantisation}, which MLX has not: on other "
                "weights its answers would be others. Give --backend hf"
            )
        self.base = base
        self.renderer = open_renderer(base, system_prompt)
        try:
            self.loaded = load_base(base.path, pick_precision(precision, scoring=False))
        except Unusable as error:
            raise BaseModelError(f"base {base.key}: {error}: give --backend hf, which may know it") from error
        self.model: Any = self.loaded.model
        self.layers = Layers(self.model)
        self.mix = adapter if isinstance(adapter, Mix) else None
        self._parts: list[dict[str, Factors]] = []
        if adapter is not None:
            try:
                self._wear(self.mix.parts if self.mix else (Part("", adapter, 1.0),))  # type: ignore[arg-type]
            except Unusable as error:
                raise AdapterMismatch(str(error)) from error

    def count_tokens(self, messages: Sequence[Message]) -> int:
        return len(self.renderer.prompt_ids(messages))

    def answer(
        self,
        conversations: Sequence[Sequence[Message]],
        sampling: Sampling,
        weights: Sequence[tuple[float, ...]] | None = None,
    ) -> Iterator[Answer]:
        if weights is not None and self.mix is None:
            raise ValueError("weights are for the parts of a mix, and there is none")
        prompts = [self.renderer.prompt_ids(messages) for messages in conversations]
        self._check_context(prompts, sampling.max_new_tokens)
        for number, prompt in enumerate(prompts):
            if self.mix is not None:
                self._weigh(self.mix.weights if weights is None else weights[number])
            yield self._answer(prompt, sampling)

    def weigh(self, gate: Path, questions: Sequence[str]) -> list[tuple[float, ...]]:
        from dlm_hf.gating import weights_of

        from .hidden import readings

        if self.mix is None:
            raise ValueError("a gate weighs the parts of a mix, and there is none")
        with self.untouched():
            read = readings(self.loaded, self.renderer, questions)
        return weights_of(gate, read)

    @contextmanager
    def untouched(self) -> Iterator[None]:
        """The base, without any adapter."""
        worn = self.layers.worn
        self.layers.wear({})
        try:
            yield
        finally:
            self.layers.wear(worn)

    def close(self) -> None:
        """Free the model."""
        import mlx.core as mx

        self.model = self.loaded = self.layers = None  # type: ignore[assignment]
        self._parts = []
        mx.clear_cache()

    def _wear(self, parts: Sequence[Part]) -> None:
        """Put every part on once, and see that it acts; then all of them with their weights."""
        for part in parts:
            adapter = read_adapter(part.folder)
            self.layers.place(adapter.updates, part.folder)
            factors = self.layers.factors(adapter.updates, self.loaded.dtype)
            self.layers.wear({name: (one,) for name, one in factors.items()})
            self.layers.require_worn(adapter.updates, part.folder)
            self._parts.append(factors)
        self._weigh(tuple(part.weight for part in parts))

    def _weigh(self, weights: Sequence[float]) -> None:
        """From now on, the parts have these weights."""
        if len(weights) != len(self._parts):
            raise ValueError(f"{len(weights)} weights for {len(self._parts)} adapters")
        worn: dict[str, list[Factors]] = {}
        for factors, weight in zip(self._parts, weights, strict=True):
            for name, one in factors.items() if weight else ():
                worn.setdefault(name, []).append(one.times(weight))
        self.layers.wear(worn)

    def _check_context(self, prompts: Sequence[Sequence[int]], new_tokens: int) -> None:
        context = self.loaded.context
        for number, prompt in enumerate(prompts, start=1):
            if context is not None and len(prompt) + new_tokens > context:
                raise UsageProblem(
                    f"question {number} takes {len(prompt)} tokens and its answer up to {new_tokens}, together more "
                    f"than the {context} that {self.base.key} can read: ask less at once, or lower --max-tokens"
                )

    def _answer(self, prompt: Sequence[int], sampling: Sampling) -> Answer:
        started = time.perf_counter()
        pick = drawn(sampling.temperature, sampling.top_p, sampling.seed) if sampling.temperature else greedy
        found = complete(self.model, prompt, self.renderer.end_ids, sampling.max_new_tokens, pick)
        seconds = round(time.perf_counter() - started, 3)
        return Answer(self.renderer.decode(found.ids), len(found.ids), seconds, complete=found.ended)
