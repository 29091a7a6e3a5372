"""Attention on a CPU that skips what a pass's tokens do not see.

In a row that holds many examples most pairs of tokens are hidden from each other, and in a plain row half of them. The
library's attention computes them all and throws them away. Here queries are taken in blocks, each with only the columns
that one of its tokens sees: the same sums without the terms that are zero. What sees what: :mod:`.trees`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

if TYPE_CHECKING:
    from collections.abc import Sequence

NAME = "dlm_blocks"
"""What the library calls this attention."""
QUERIES = 64
"""Of a block: fewer are more calls, more are more hidden pairs."""
SHORTEST = 2 * QUERIES
"""Tokens of a row that is worth it."""


class Block(NamedTuple):
    """A run of queries and what they see."""

    queries: slice
    keys: slice | torch.Tensor
    """Which tokens any of them sees."""
    mask: torch.Tensor
    """[1, 1, queries, keys], to be added to scores."""


def blocks_of(mask: torch.Tensor) -> tuple[Block, ...]:
    """The blocks of a row of T tokens, given what is added to its scores: [1, 1, T, T], 0 where seen."""
    size = mask.shape[-1]
    found = []
    for begin in range(0, size, QUERIES):
        queries = slice(begin, min(begin + QUERIES, size))
        rows = mask[0, 0, queries]
        columns = (rows == 0).any(0).nonzero()[:, 0]
        last = int(columns[-1]) + 1
        keys = slice(0, last) if len(columns) == last else columns
        found.append(Block(queries, keys, rows[:, keys].contiguous()[None, None]))
    return tuple(found)


def in_blocks(mask: torch.Tensor, model: Any) -> torch.Tensor:
    """``mask``, which then says what its blocks are where ``model`` attends here: not every layer has to find out."""
    chosen = getattr(getattr(model, "config", None), "_attn_implementation", None)
    if chosen == NAME and mask.shape[-1] >= SHORTEST:
        mask.blocks = blocks_of(mask)  # type: ignore[attr-defined]
    return mask


def attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    **others: Any,
) -> tuple[torch.Tensor, None]:
    """The library's attention over scaled products, in blocks where that is known to be the same."""
    blocks = _blocks(module, query, key, attention_mask, others)
    if blocks is None:
        theirs: Any = sdpa_attention_forward(module, query, key, value, attention_mask, scaling=scaling, **others)
        return theirs  # type: ignore[no-any-return]
    shared = query.shape[1] != key.shape[1]
    parts = [
        scaled_dot_product_attention(
            query[:, :, one.queries],
            key[:, :, one.keys],
            value[:, :, one.keys],
            attn_mask=one.mask,
            scale=scaling,
            enable_gqa=shared,
        )
        for one in blocks
    ]
    return torch.cat(parts, dim=2).transpose(1, 2).contiguous(), None


def use_blocks(model: Any) -> None:
    """Have ``model`` attend here, where it lies on a CPU and its kind of model lets attention be chosen."""
    if next(model.parameters()).device.type != "cpu":
        return
    AttentionInterface.register(NAME, attend)
    AttentionMaskInterface.register(NAME, sdpa_mask)
    model.set_attn_implementation(NAME)


def _blocks(
    module: torch.nn.Module, query: torch.Tensor, key: torch.Tensor, mask: torch.Tensor | None, others: dict[str, Any]
) -> Sequence[Block] | None:
    """How to split this row; ``None`` where the library's own way is taken."""
    size = query.shape[2]
    asked = ("softcap", "position_bias", "cache", "output_attentions", "dropout")
    if query.device.type != "cpu" or size != key.shape[2] or any(others.get(name) for name in asked):
        return None
    if mask is not None:
        found: Sequence[Block] | None = getattr(mask, "blocks", None)
        return found
    causal = others.get("is_causal")
    causal = getattr(module, "is_causal", True) if causal is None else causal
    return _causal(size, query.dtype) if causal and query.shape[0] == 1 and size >= SHORTEST else None


@lru_cache(maxsize=4)
def _causal(size: int, dtype: torch.dtype) -> tuple[Block, ...]:
    hidden = torch.ones(size, size, dtype=torch.bool).triu(1)
    return blocks_of(torch.zeros(size, size, dtype=dtype).masked_fill_(hidden, torch.finfo(dtype).min)[None, None])
