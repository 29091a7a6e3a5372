"""Single forward passes and answers of a loaded model, and the base's logits kept between views."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from transformers import GenerationConfig

from .model import quiet_libraries
from .packing import forward_packed
from .trees import grow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .batches import Batch
    from .render import Encoded, Renderer

TAIL_STEP = 7
"""Tokens that each layout above 0 appends: enough to give products another shape."""


def batch_logits(model: Any, batch: Batch, renderer: Renderer, device: torch.device, tail: int = 0) -> torch.Tensor:
    """Logits [K, V] float32 at the scored positions of ``batch``, piece after piece.

    A piece that is alone goes through the model's own causal attention, which an attention window needs. ``tail``
    padding tokens are appended; nothing scored can see them.
    """
    if len(batch) > 1:
        packed = grow([piece.example for piece in batch], device, [renderer.pad_id] * tail)
        return forward_packed(model, packed).float()
    example = batch[0].example
    ids = [*example.ids[:-1], *[renderer.pad_id] * tail]
    keep = torch.arange(example.start - 1, len(example.ids) - 1, device=device)
    output = model(input_ids=torch.tensor([ids], device=device), logits_to_keep=keep, use_cache=False)
    logits: torch.Tensor = output.logits[0].float()
    return logits


class Completion(NamedTuple):
    """New tokens, without the one that ends an answer."""

    ids: list[int]
    ended: bool
    """The model ended its answer by itself."""


@torch.no_grad()
def complete(
    model: Any,
    prompts: Sequence[list[int]],
    renderer: Renderer,
    device: torch.device,
    new: int,
    *,
    temperature: float = 0.0,
    top_p: float = 1.0,
    seed: int = 0,
    width: int | None = None,
) -> list[Completion]:
    """One answer of at most ``new`` tokens a prompt, all in one batch; greedy at temperature 0.

    Padding is on the left, so that all answers start in the same column: column ``width``, else that after the longest.
    """
    width = width or max(len(prompt) for prompt in prompts)
    ids = torch.tensor([[renderer.pad_id] * (width - len(p)) + p for p in prompts], device=device)
    mask = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in prompts], device=device)
    drawn = {"do_sample": True, "temperature": temperature, "top_p": top_p, "top_k": 0}
    config = GenerationConfig(  # type: ignore[no-untyped-call]
        max_new_tokens=new,
        eos_token_id=list(renderer.end_ids) or None,
        pad_token_id=renderer.pad_id,
        **(drawn if temperature > 0 else {"do_sample": False}),
    )
    torch.manual_seed(seed)
    with quiet_libraries():
        output = model.generate(input_ids=ids, attention_mask=mask, generation_config=config)
    return [_completion(row, renderer.end_ids) for row in output[:, width:].tolist()]


def _completion(row: list[int], ends: Sequence[int]) -> Completion:
    end = next((at for at, token in enumerate(row) if token in ends), None)
    return Completion(row[:end], ended=end is not None)


class KeptLogits:
    """The base's logits of the batches seen last, up to ``limit`` bytes.

    Kept by batch, not by item: the same items in another batch round differently, and a comparison of two models must
    not depend on what was asked before.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.held = 0
        self._logits: OrderedDict[tuple[Encoded, ...], torch.Tensor] = OrderedDict()

    def get(self, key: tuple[Encoded, ...]) -> torch.Tensor | None:
        """Logits [K, V] of a batch, if still there."""
        if key not in self._logits:
            return None
        self._logits.move_to_end(key)
        return self._logits[key]

    def put(self, key: tuple[Encoded, ...], logits: torch.Tensor) -> None:
        """Keep ``logits``, letting go of the ones unused for longest."""
        self._logits[key] = logits
        self.held += logits.nbytes
        while self.held > self.limit:
            _, oldest = self._logits.popitem(last=False)
            self.held -= oldest.nbytes
