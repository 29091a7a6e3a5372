"""A base with an adapter that can be switched off, and the passes of encoded examples through either of them."""

from __future__ import annotations

from contextlib import contextmanager
from math import inf
from typing import TYPE_CHECKING, Any

import torch

from dlm.errors import AdapterMismatch, TrainingFailed

from .adapters import ADAPTER
from .decomposed import decompose, in_precision
from .model import context_length, quiet_libraries
from .packing import Packed, filled, forward_packed, pack, packs_exactly
from .room import Room

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from dlm.training.recipe import Recipe

    from .encode import Example
    from .render import Encoded, Renderer

EAGER_TOKENS = 768
"""Attention over steps up to this long is faster as plain products than as a fused kernel, on CPU and GPU alike; its
memory grows with the square of the length."""


class Adapted:
    """One loaded base; :attr:`model` is the base alone until :meth:`put_on`."""

    def __init__(
        self, base: Any, renderer: Renderer, device: torch.device, say: Callable[[str], None] = lambda _: None
    ) -> None:
        self.model, self.device = base, device
        self.room = Room(device, say, doing="while judging")
        """For passes that keep nothing for gradients."""
        self._dtype: torch.dtype = next(base.parameters()).dtype
        self._set_attention = base.set_attn_implementation
        self._layers: list[Any] = []
        self._resting: Sequence[torch.nn.Parameter] = ()
        window = getattr(base.config.get_text_config(), "sliding_window", None) or inf
        self.shares_passes = packs_exactly(base, renderer)
        self._prefix: list[int] = renderer.shared_prefix if self.shares_passes else []
        self._longest_shared: float = window if self.shares_passes else 0
        self._context = context_length(base)

    def put_on(self, recipe: Recipe) -> list[tuple[str, torch.nn.Parameter]]:
        """A fresh adapter, the same for the same seed; its parameters.

        Raises:
            TrainingFailed: the base has no such modules.
        """
        from peft import LoraConfig, get_peft_model
        from peft.tuners.tuners_utils import BaseTunerLayer

        targets = recipe.target_modules if isinstance(recipe.target_modules, str) else list(recipe.target_modules)
        config = LoraConfig(
            r=recipe.rank,
            lora_alpha=recipe.alpha,  # type: ignore[arg-type]
            lora_dropout=recipe.dropout,
            target_modules=targets,
            use_dora=recipe.adapter == "dora",
            trainable_token_indices=list(recipe.embedded) or None,
            bias="none",
            task_type="CAUSAL_LM",
        )
        torch.manual_seed(recipe.seed)
        try:
            with quiet_libraries():
                self.model = get_peft_model(self.model, config, autocast_adapter_dtype=False)
        except ValueError as error:
            raise TrainingFailed(f"training.target_modules: {error}") from error
        self._layers = [module for module in self.model.modules() if isinstance(module, BaseTunerLayer)]
        decompose(self._layers, ADAPTER, fresh=True)
        in_precision(self.model, self._dtype)
        return [(name, parameter) for name, parameter in self.model.named_parameters() if parameter.requires_grad]

    def saved(self, folder: Path, names: Sequence[str]) -> list[torch.Tensor]:
        """The weights in ``folder`` for the parameters called ``names``, once an adapter of their shape is put on.

        Raises:
            AdapterMismatch: they are of another shape, scale or base, or cannot be read.
        """
        from .adapters import UnusableAdapter, saved_weights

        try:
            found = saved_weights(self.model, folder)
        except UnusableAdapter as error:
            raise AdapterMismatch(str(error)) from error
        return [found[name] for name in names]

    def suit_steps(self, longest: int) -> None:
        """Take the attention that is fastest for steps of up to ``longest`` tokens and has the memory for them."""
        self._set_attention("eager" if longest <= EAGER_TOKENS else "sdpa")

    def rest(self, parameters: Sequence[torch.nn.Parameter]) -> None:
        """Compute no gradients for ``parameters`` of the adapter, until told otherwise."""
        for parameter in self._resting:
            parameter.requires_grad_(True)
        self._resting = parameters
        for parameter in parameters:
            parameter.requires_grad_(False)

    @contextmanager
    def off(self) -> Iterator[None]:
        """The untouched base. The library's own switch searches the whole model each time, which costs a tenth of a
        step."""
        for layer in self._layers:
            layer.enable_adapters(False)
        try:
            yield
        finally:
            for layer in self._layers:
                layer.enable_adapters(True)
            # The library's switch has all parameters learn again.
            for parameter in self._resting:
                parameter.requires_grad_(False)

    def groups(self, examples: Sequence[Example]) -> list[list[Example]]:
        """Examples that share a forward pass: all of them, but those that packing would show another context."""
        together = [example for example in examples if len(example.encoded.ids) <= self._longest_shared]
        alone = [[example] for example in examples if len(example.encoded.ids) > self._longest_shared]
        return [together, *alone] if together else alone

    def chunks(self, examples: Sequence[Example], tokens: int) -> Iterator[list[Example]]:
        """Groups of at most ``tokens`` tokens, or of one example."""
        chunk: list[Example] = []
        size = 0
        for example in examples:
            if chunk and size + len(example.encoded.ids) > tokens:
                yield from self.groups(chunk)
                chunk, size = [], 0
            chunk.append(example)
            size += len(example.encoded.ids)
        yield from self.groups(chunk)

    def forward(self, examples: Sequence[Encoded]) -> tuple[torch.Tensor, Packed]:
        """Logits [K, V] float32 at the scored positions, in one pass."""
        packed = pack(examples, self._prefix, self.device)
        if self.device.type == "cpu":
            packed = filled(packed, self._context)
        return forward_packed(self.model, packed).float(), packed
