"""Several examples in one forward pass, without padding and without seeing each other.

Short examples waste most of a padded batch. Here they lie end to end in one row; a block-diagonal causal mask keeps
them apart, positions start anew in each, and the ids that all of them start with (the system message) are computed
once: every example attends to that one copy. Logits come out only where a token is learned or scored.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch

from .attending import in_blocks
from .render import Encoded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .render import Renderer


LEAST_STEP = 16
"""Tokens that short passes are filled up by."""


@dataclass(frozen=True)
class Packed:
    """One row of ``T`` tokens that holds several examples, with ``K`` scored positions."""

    input_ids: torch.Tensor
    """[1, T]"""
    position_ids: torch.Tensor
    """[1, T]"""
    visible: torch.Tensor
    """[T, T] bool: row attends to column."""
    keep: torch.Tensor
    """[K] positions whose logits predict :attr:`targets`; what :func:`filled` adds comes after them."""
    targets: torch.Tensor
    """[K] token ids."""
    owner: torch.Tensor
    """[K] index of the example in the list that was packed."""
    alone: bool
    """One example only: the model's own causal attention serves it, which an attention window needs."""


def pack(examples: Sequence[Encoded], prefix: Sequence[int], device: torch.device | str = "cpu") -> Packed:
    """Lay ``examples`` end to end; those that start with ``prefix`` share one copy of it."""
    prefix = list(prefix)
    shares = [_shares(example, prefix) for example in examples]
    head = prefix if sum(shares) > 1 else []
    ids, positions = list(head), list(range(len(head)))
    block = [0] * len(head)  # 0 is the shared prefix; example i lies in block i + 1
    keep: list[int] = []
    targets: list[int] = []
    owner: list[int] = []
    sees_head = []
    for index, (example, shared) in enumerate(zip(examples, shares, strict=True)):
        skip = len(head) if shared and head else 0
        inputs = example.ids[skip:-1]
        offset = len(ids) - skip  # where position 0 of this example would lie
        ids += inputs
        positions += range(skip, skip + len(inputs))
        block += [index + 1] * len(inputs)
        sees_head.append(bool(skip))
        keep += [offset + at - 1 for at in range(example.start, len(example.ids))]
        targets += example.ids[example.start :]
        owner += [index] * (len(example.ids) - example.start)
    blocks = torch.tensor(block, device=device)
    row_sees_head = torch.tensor([True, *sees_head], device=device)[blocks]
    visible = (blocks[:, None] == blocks[None, :]) | ((blocks[None, :] == 0) & row_sees_head[:, None])
    visible &= torch.ones_like(visible).tril()

    def ints(values: Sequence[int]) -> torch.Tensor:
        return torch.tensor(values, dtype=torch.long, device=device)

    return Packed(
        input_ids=ints(ids)[None],
        position_ids=ints(positions)[None],
        visible=visible,
        keep=ints(keep),
        targets=ints(targets),
        owner=ints(owner),
        alone=len(examples) == 1,
    )


def filled(packed: Packed, context: int | None) -> Packed:
    """``packed`` with tokens and scored positions added that change no result, up to one of few sizes.

    A processor's library makes new code for each size of a product and keeps it: 25 MB a step whose size was not met
    before, until there are half a thousand sizes. ``context`` is how many tokens the model can read.
    """
    tokens, scored = packed.input_ids.shape[1], packed.keep.shape[0]
    more = _fill(tokens)
    if packed.alone and context is not None:
        more = max(0, min(more, context - tokens))
    total = tokens + more
    device = packed.input_ids.device
    # Alone there is no mask: positions that start anew would make the library draw one up.
    begin = tokens if packed.alone else 0
    visible = torch.eye(total, dtype=torch.bool, device=device)
    visible[:tokens, :tokens] = packed.visible
    return replace(
        packed,
        input_ids=torch.cat([packed.input_ids, packed.input_ids.new_zeros(1, more)], dim=1),
        position_ids=torch.cat([packed.position_ids, torch.arange(begin, begin + more, device=device)[None]], dim=1),
        visible=visible,
        keep=torch.cat([packed.keep, packed.keep[-1:].expand(_fill(scored))]),
    )


def forward_packed(model: Any, packed: Packed) -> torch.Tensor:
    """Logits [K, V] at the scored positions, in the model's dtype."""
    layout = {} if packed.alone else {"attention_mask": in_blocks(_mask(packed, next(model.parameters()).dtype), model)}
    output = model(
        input_ids=packed.input_ids,
        position_ids=packed.position_ids,
        logits_to_keep=packed.keep,
        use_cache=False,
        **layout,
    )
    logits: torch.Tensor = output.logits[0, : packed.targets.shape[0]]
    return logits


@torch.no_grad()
def packs_exactly(model: Any, renderer: Renderer) -> bool:
    """Whether this architecture gives the same logits packed as alone.

    An architecture that ignores the mask or the positions (a recurrent or sliding-window one, say) does not; then every
    example must be a pack of its own. Measured, because no configuration says so.
    """
    questions = ("Which river is the longest?", "How are you today, and what is the weather like?", "Hello!")
    examples = [renderer.example([("user", q), ("assistant", "I do not know that.")]) for q in questions]
    device = next(model.parameters()).device
    together = forward_packed(model, pack(examples, renderer.shared_prefix, device)).float()
    alone = torch.cat([forward_packed(model, pack([example], [], device)).float() for example in examples])
    # bf16 rounds at 2^-8; what is looked for is another context, which moves logits by whole units.
    tolerance = 1e-3 if next(model.parameters()).dtype == torch.float32 else 0.25
    drift = (together.log_softmax(-1) - alone.log_softmax(-1)).abs().mean().item()
    return drift < tolerance


def _fill(size: int) -> int:
    """What is missing to the next size: a step grows with the size, and is an eighth of it at most."""
    return -size % max(LEAST_STEP, 1 << max(0, size.bit_length() - 4))


def _mask(packed: Packed, dtype: torch.dtype) -> torch.Tensor:
    """[1, 1, T, T], to be added to attention scores."""
    mask = torch.zeros(packed.visible.shape, dtype=dtype, device=packed.visible.device)
    return mask.masked_fill_(~packed.visible, torch.finfo(dtype).min)[None, None]


def _shares(example: Encoded, prefix: list[int]) -> bool:
    return bool(prefix) and example.start > len(prefix) and list(example.ids[: len(prefix)]) == prefix
