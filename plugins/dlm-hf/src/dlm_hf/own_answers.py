"""The untouched base's own short answers: drawn at random, yet each a function of its own conversation.

Batches have a fixed number of rows and widths in steps, filled up where needed: kernels round by the shape of what they
are given, so an answer would otherwise depend on how many others are asked for.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import torch

from dlm.store.tokens import digest
from dlm.training.backend import OwnAnswer

from .model import context_length, quiet_libraries
from .passes import complete

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dlm.bases import LocalBase
    from dlm.corpus.records import Message

    from .render import Renderer

DRAWING = 1
"""Changes whenever this module would draw other answers."""
NEW_TOKENS = 40
TEMPERATURE = 0.7
LIKELIEST = 64
"""Tokens that an answer is drawn from at each place."""
ROWS = 64
WIDTH_STEP = 64
MOST_TOKENS = 16384
"""Of one batch: wide ones have fewer rows."""


def scope(base: LocalBase, renderer: Renderer, dtype: torch.dtype, device: torch.device) -> str:
    """What decides the answers beside the questions, but for the machine's own rounding."""
    return digest(
        drawing=DRAWING,
        base=base.loaded_digest,
        template=str(renderer.tokenizer.chat_template),
        mode=renderer.mode,
        precision=str(dtype),
        device=device.type,
    )


def own_answers(
    model: Any,
    renderer: Renderer,
    conversations: Sequence[Sequence[Message]],
    device: torch.device,
    *,
    together: bool = True,
) -> Iterator[list[OwnAnswer]]:
    """Answers in the order of their questions' lengths, those of one batch at a time.

    ``together`` is false for architectures that padding would show another context.
    """
    prompts = renderer.prompts_ids(conversations)
    context = context_length(model)
    widths: dict[int, list[int]] = {}
    for index in sorted(range(len(prompts)), key=lambda at: len(prompts[at])):
        width = -(-len(prompts[index]) // WIDTH_STEP) * WIDTH_STEP
        if context is None or width + NEW_TOKENS <= context:
            widths.setdefault(width, []).append(index)
    for width, indices in widths.items():
        rows = max(1, min(ROWS, MOST_TOKENS // width))
        for at in range(0, len(indices), rows):
            chosen = indices[at : at + rows]
            batch = [prompts[index] for index in chosen]
            if together:
                batch += batch[:1] * (rows - len(batch))
                drawn = _draw(model, renderer, batch, width, device)
            else:
                drawn = [_draw_alone(model, renderer, prompt, device) for prompt in batch]
            yield [
                OwnAnswer(index, renderer.decode(ids), ended)
                for index, (ids, ended) in zip(chosen, drawn[: len(chosen)], strict=True)
            ]


@torch.no_grad()
def _draw(
    model: Any, renderer: Renderer, prompts: Sequence[list[int]], width: int, device: torch.device
) -> list[tuple[list[int], bool]]:
    """New tokens of each prompt, without the one that ends an answer, and whether that one came."""
    from transformers import DynamicCache

    padding = [width - len(prompt) for prompt in prompts]
    ids = torch.tensor([[renderer.pad_id] * pad + prompt for pad, prompt in zip(padding, prompts, strict=True)])
    mask = torch.tensor([[0] * pad + [1] * len(prompt) for pad, prompt in zip(padding, prompts, strict=True)])
    ids, mask = ids.to(device), mask.to(device)
    positions = (mask.cumsum(-1) - 1).clamp_min(0)
    luck = [Random(f"own answer\n{prompt}") for prompt in prompts]
    said: list[list[int]] = [[] for _ in prompts]
    ended = [False] * len(prompts)
    cache = DynamicCache()
    for _ in range(NEW_TOKENS):
        with quiet_libraries():
            output = model(
                input_ids=ids,
                attention_mask=mask,
                position_ids=positions,
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=1,
            )
        ids = _next(output.logits[:, -1], luck)
        for row, token in enumerate(ids[:, 0].tolist()):
            ended[row] = ended[row] or token in renderer.end_ids
            if not ended[row]:
                said[row].append(token)
        if all(ended):
            break
        mask = torch.cat([mask, mask.new_ones(len(prompts), 1)], dim=-1)
        positions = positions[:, -1:] + 1
    return list(zip(said, ended, strict=True))


def _draw_alone(model: Any, renderer: Renderer, prompt: list[int], device: torch.device) -> tuple[list[int], bool]:
    """What :func:`_draw` gives, by the library's own way to keep a state."""
    seed = Random(f"own answer\n{prompt}").getrandbits(32)
    ids, ended = complete(model, [prompt], renderer, device, NEW_TOKENS, temperature=TEMPERATURE, seed=seed)[0]
    return ids, ended


def _next(logits: torch.Tensor, luck: Sequence[Random]) -> torch.Tensor:
    """One token a row, [B, 1], by each row's own luck; logits [B, V]."""
    likeliest = logits.topk(min(LIKELIEST, logits.shape[-1]), dim=-1)
    reached = (likeliest.values.double() / TEMPERATURE).softmax(-1).cumsum(-1)
    drawn = torch.tensor([[random.random()] for random in luck], dtype=torch.float64, device=logits.device)
    place = (reached < drawn * reached[:, -1:]).sum(-1, keepdim=True).clamp_max(reached.shape[-1] - 1)
    return likeliest.indices.gather(-1, place)
