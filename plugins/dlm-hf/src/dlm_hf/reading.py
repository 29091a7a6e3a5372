"""A base with its adapter as a runtime that a certificate asks: token ids, whole distributions, answers.

The renderer and the weights are those of training; what an export is held against comes from here. One text goes
through the model at a time, without padding, so that its numbers are the same in any company.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack, nullcontext
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import torch

from dlm.errors import UsageProblem
from dlm.export.runtime import Runtime
from dlm.training.backend import Sampling

from .answer import HfAnswerer
from .model import NAMES, context_length

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from dlm.bases import LocalBase
    from dlm.corpus.records import Message
    from dlm.training.backend import Answer
    from dlm.training.mixing import Mix


class HfReading(Runtime):
    """The model that answers as :class:`HfAnswerer` does, and is read from besides.

    ``precision`` ``auto`` is fp32 on a CPU, also where answers are given in bf16: a distribution in bf16 differs from
    itself by more than a good export does.
    """

    def __init__(self, base: LocalBase, adapter: Path | Mix | None, system_prompt: str | None, precision: str) -> None:
        from .model import pick_device, pick_dtype

        exact = NAMES[pick_dtype(precision, pick_device(), scoring=True)]
        self._answerer = HfAnswerer(base, adapter, system_prompt, exact)
        self._adapted = adapter is not None
        self.renderer, self.device = self._answerer.renderer, self._answerer.device

    def close(self) -> None:
        """Free the model."""
        self._answerer.close()

    @property
    def name(self) -> str:
        held = NAMES.get(self._answerer.dtype, str(self._answerer.dtype))
        return f"transformers {version('transformers')} ({held}, {self.device.type})"

    @property
    def context(self) -> int | None:
        return context_length(self._answerer.model)

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
        return self._read(ids, start, nullcontext())

    def untouched_log_probs(self, ids: Sequence[int], start: int = 0) -> Any:
        model = self._answerer.model
        return self._read(ids, start, model.disable_adapter() if self._adapted else nullcontext())

    @torch.no_grad()
    def input_squares(self, texts: Sequence[Sequence[int]]) -> dict[str, Any]:
        sums: dict[str, torch.Tensor] = {}

        def watch(name: str) -> Any:
            def see(_: torch.nn.Module, given: tuple[torch.Tensor, ...]) -> None:
                squares = given[0].float().square().reshape(-1, given[0].shape[-1]).sum(0, dtype=torch.float64)
                sums[name] = sums[name] + squares if name in sums else squares

            return see

        model = self._answerer.model
        with ExitStack() as watching:
            for name, layer in _linear_layers(model):
                watching.callback(layer.register_forward_pre_hook(watch(name)).remove)
            for ids in texts:
                self._check(len(ids))
                model(input_ids=torch.tensor([list(ids)], device=self.device), logits_to_keep=1, use_cache=False)
        count = max(1, sum(map(len, texts)))
        # Of the last layer the model computes one position a text.
        return {name: (total / count).float().cpu().numpy() for name, total in sums.items() if name != "lm_head"}

    def answer(self, messages: Sequence[Message], max_new_tokens: int = 64) -> Answer:
        return next(self.answers([messages], max_new_tokens))

    def answers(self, conversations: Sequence[Sequence[Message]], max_new_tokens: int = 64) -> Iterator[Answer]:
        yield from self._answerer.answer(conversations, Sampling(max_new_tokens=max_new_tokens))

    @torch.no_grad()
    def _read(self, ids: Sequence[int], start: int, view: AbstractContextManager[Any]) -> Any:
        self._check(len(ids))
        keep = torch.arange(start, len(ids), device=self.device)
        given = torch.tensor([list(ids)], device=self.device)
        with view:
            logits = self._answerer.model(input_ids=given, logits_to_keep=keep, use_cache=False).logits[0]
        return logits.float().log_softmax(-1).cpu().numpy()

    def _check(self, tokens: int) -> None:
        if self.context is not None and tokens > self.context:
            raise UsageProblem(f"{tokens} tokens are more than the {self.context} that this base can read")


def _linear_layers(model: Any) -> Iterator[tuple[str, torch.nn.Module]]:
    """Those of the base, by their names there, whatever an adapter has put around them."""
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Linear) and "lora_" not in name:
            yield name.removeprefix("base_model.model.").removesuffix(".base_layer"), module
