"""Examples that begin alike in one forward pass: what they share is computed once.

The tokens of a pass form a tree: every example is a path from the root, and a branch begins where an example leaves the
one before it. A token sees its ancestors only, at the positions that the example alone would give it. So a system
message, a document in front of many questions, a question with several answers and a conversation's earlier turns cost
what they cost once. Rows for training, where a loss belongs to an example, are packed in :mod:`.packing`.
"""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING, Any

import torch

from .packing import Packed, forward_packed
from .render import Encoded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .render import Renderer


def shared_length(one: Sequence[int], other: Sequence[int]) -> int:
    """How many ids both begin with."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def grow(examples: Sequence[Encoded], device: torch.device | str = "cpu", tail: Sequence[int] = ()) -> Packed:
    """One row that holds ``examples``; each shares what it has in common with the one before it.

    Sorted examples share the most. The ids of ``tail`` are put behind them all, where no example sees them.
    """
    ids: list[int] = []
    positions: list[int] = []
    keep: list[int] = []
    path: list[int] = []  # where each input of the example before lies in the row
    before: Sequence[int] = ()
    branches: list[tuple[list[int], int, int]] = []
    for example in examples:
        inputs = example.ids[:-1]
        common, begin = shared_length(inputs, before), len(ids)
        ids += inputs[common:]
        positions += range(common, len(inputs))
        path, before = [*path[:common], *range(begin, len(ids))], inputs
        branches.append((path[:common], begin, len(ids)))
        keep += [path[at - 1] for at in range(example.start, len(example.ids))]
    if tail:
        branches.append(([], len(ids), len(ids) + len(tail)))
        ids, positions = [*ids, *tail], [*positions, *range(len(tail))]
    targets = [target for example in examples for target in example.ids[example.start :]]
    owner = [index for index, example in enumerate(examples) for _ in example.ids[example.start :]]
    return Packed(
        input_ids=torch.tensor([ids], device=device),
        position_ids=torch.tensor([positions], device=device),
        visible=_visible(len(ids), branches).to(device),
        keep=torch.tensor(keep, device=device),
        targets=torch.tensor(targets, device=device),
        owner=torch.tensor(owner, device=device),
        alone=len(examples) == 1 and not tail,
    )


@torch.no_grad()
def grows_exactly(model: Any, renderer: Renderer) -> bool:
    """Whether this architecture gives the same logits in a tree as alone.

    One that ignores the mask or the positions, a recurrent or sliding-window one, say, does not. Measured, because no
    configuration says so.
    """
    texts = (
        "Which river is the longest? I do not know that.",
        "Which river is the longest? I do not.",
        "Hello, hello!",
    )
    read = sorted(tuple(renderer.text_ids(text)) for text in texts)
    examples = [Encoded(ids, 1) for ids in read]
    device = next(model.parameters()).device
    together = forward_packed(model, grow(examples, device)).float()
    alone = torch.cat([forward_packed(model, grow([example], device)).float() for example in examples])
    # bf16 rounds at 2^-8; what is looked for is another context, which moves logits by whole units.
    tolerance = 1e-3 if next(model.parameters()).dtype == torch.float32 else 0.25
    drift = (together.log_softmax(-1) - alone.log_softmax(-1)).abs().mean().item()
    return drift < tolerance


def _visible(size: int, branches: Sequence[tuple[list[int], int, int]]) -> torch.Tensor:
    """[T, T] bool: what each token sees, given each branch's ancestors and its run in the row."""
    visible = torch.zeros(size, size, dtype=torch.bool)
    for ancestors, begin, end in branches:
        visible[begin:end, ancestors] = True
        visible[begin:end, begin:end] = torch.ones(end - begin, end - begin, dtype=torch.bool).tril()
    return visible
