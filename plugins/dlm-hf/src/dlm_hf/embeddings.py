"""Embeddings of some tokens that the adapter holds: which of its weights move at a step, and which rest.

The library keeps the rows of those tokens beside the update of the linear layers, for the output head too where it
shares the table. In the first steps of a phase that warms them up only they move; afterwards they stay as they are.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

from .adapters import ADAPTER, trained_tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from dlm.training.recipe import Recipe

    from .adapted import Adapted

ROWS = "trainable_tokens_delta"
"""In the name of the parameter that holds them."""


@contextmanager
def moved(model: Any, change: Callable[[str, torch.Tensor], torch.Tensor]) -> Iterator[None]:
    """``model`` with the rows at the base's own plus what ``change`` makes of the way that they have gone, [tokens,
    hidden], and of the module's name. A head that shares the table follows; undone on leaving."""
    kept: list[tuple[torch.nn.Parameter, torch.Tensor]] = []
    holds = trained_tokens(model.peft_config[ADAPTER])
    try:
        for name, module in model.get_base_model().named_modules() if holds else ():
            if ADAPTER not in getattr(module, ROWS, {}) or module.tied_adapter:
                continue
            parameter = getattr(module, ROWS)[ADAPTER]
            own = module.get_base_layer().weight.detach()[module.token_indices[ADAPTER]].to(parameter)
            kept.append((parameter, parameter.data))
            parameter.data = own + change(name, parameter.data - own)
        yield
    finally:
        for parameter, data in kept:
            parameter.data = data


class Resting:
    """Which part of the flat weights rests. Until :meth:`begin` none does."""

    def __init__(self, names: Sequence[str] = (), parameters: Sequence[torch.nn.Parameter] = ()) -> None:
        self._rows = [parameter for name, parameter in zip(names, parameters, strict=True) if ROWS in name]
        self._others = [parameter for name, parameter in zip(names, parameters, strict=True) if ROWS not in name]
        self._slices: dict[bool, list[slice]] = {True: [], False: []}
        at = 0
        for name, parameter in zip(names, parameters, strict=True):
            self._slices[ROWS in name].append(slice(at, at + parameter.numel()))
            at += parameter.numel()
        self._now: list[slice] = []

    def begin(self, step: int, recipe: Recipe, adapted: Adapted) -> None:
        """The ``step`` of a phase, counted from 0, is next."""
        if not self._rows:
            return
        warming = step < recipe.embed_warmup_steps
        adapted.rest(self._others if warming else self._rows)
        self._now = self._slices[not warming]

    def forget(self, gradient: torch.Tensor) -> None:
        """Drop the gradient of what rests: another process may have sent one."""
        for part in self._now:
            gradient[part].zero_()

    @contextmanager
    def held(self, master: torch.Tensor) -> Iterator[None]:
        """Keep what rests as it is: the optimiser still has momentum for it."""
        kept = [master.detach()[part].clone() for part in self._now]
        yield
        with torch.no_grad():
            for part, values in zip(self._now, kept, strict=True):
                master[part] = values
