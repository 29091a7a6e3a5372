"""Which prompts are answered together: plain numbers, no model.

Kernels round by the shape of what they are given, so the shape of a batch follows from any one of its prompts alone: a
fixed number of rows and few widths, filled up where needed. On one machine a question then gets the same greedy answer
alone, in any list and in any order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

ROWS = 16
"""Answers of one batch: more would make a single question slow, fewer a list of them."""
MOST_ROWS = 128
LEAST_WIDTH = 64
BATCH_TOKENS = 4096
"""Prompt and answer tokens of one batch, padding included: wide ones have fewer rows."""
SHARE_OF_MEMORY = 8
"""One part in so many of an accelerator's memory is for what a batch of answers keeps of its tokens."""

Weights = tuple[float, ...]


class Round(NamedTuple):
    """Prompts that are answered together; its shape follows from the length of any of them alone."""

    indices: list[int]
    rows: int
    width: int
    weights: Weights = ()
    """Of the parts of a mix; the same for all of them."""


def one_by_one(prompts: Sequence[Sequence[int]], weights: Sequence[Weights] | None = None) -> list[Round]:
    """Each prompt by itself, without padding."""
    return [Round([index], 1, len(prompt), weights[index] if weights else ()) for index, prompt in enumerate(prompts)]


def together(
    prompts: Sequence[Sequence[int]],
    new_tokens: int,
    weights: Sequence[Weights] | None = None,
    *,
    most_rows: int = ROWS,
    tokens: int = BATCH_TOKENS,
) -> list[Round]:
    """Prompts of about one length and the same weights together, in their order: at most ``most_rows`` of them, and
    ``tokens`` with what is answered."""
    alike: dict[tuple[int, Weights], list[int]] = {}
    for index, prompt in enumerate(prompts):
        alike.setdefault((_width(len(prompt)), weights[index] if weights else ()), []).append(index)
    found = []
    for (width, mixed), indices in alike.items():
        rows = max(1, min(most_rows, tokens // (width + new_tokens)))
        found += [Round(indices[at : at + rows], rows, width, mixed) for at in range(0, len(indices), rows)]
    return found


def room_for_tokens(config: Any, memory: int, bytes_each: int) -> int:
    """How many tokens of a batch an accelerator of ``memory`` bytes has room for, their keys and values held in numbers
    of ``bytes_each``. It follows from the machine and the model, never from what is free just now."""
    text = config.get_text_config()
    heads = int(getattr(text, "num_key_value_heads", None) or text.num_attention_heads)
    size = int(getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads)
    return max(BATCH_TOKENS, memory // SHARE_OF_MEMORY // (2 * int(text.num_hidden_layers) * heads * size * bytes_each))


def _width(length: int) -> int:
    """The next of 64, 96, 128, 192, 256...: few widths, so that batches are full, and little padding.

    At least one column of padding: without any, attention takes another path that rounds otherwise.
    """
    power = LEAST_WIDTH
    while 2 * power <= length:
        power *= 2
    return next(width for width in (power, power * 3 // 2, power * 2) if width > length)
