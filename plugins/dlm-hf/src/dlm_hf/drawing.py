"""What random adapters are made of: for every module, where its inputs and outputs go and with which sign.

A draw depends on a seed and a module's name only. Modules of one shape are changed together, in a few products instead
of a few for each of hundreds, and what was drawn is kept, since every probe of a suite looks at the same random
adapters. Kinds of adapter, and undoing: :mod:`.nulls`.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

KEPT_BYTES = 64 << 20
"""Of draws that are kept: forty of a small model's, five of a large one's."""


class Turn(NamedTuple):
    """For the modules of one shape, ``n`` of them, small integers."""

    columns: torch.Tensor
    """[n, in] where each input comes from."""
    column_signs: torch.Tensor
    rows: torch.Tensor
    """[n, out] where each output comes from."""
    row_signs: torch.Tensor

    def of_inputs(self, down: torch.Tensor) -> torch.Tensor:
        """``down`` [n, r, in] with its columns signed and put in their order."""
        signed = down * self.column_signs[:, None].to(down)
        return signed.gather(2, self.columns[:, None].long().expand_as(down))

    def of_outputs(self, up: torch.Tensor) -> torch.Tensor:
        """``up`` [n, out, r] with its rows signed and put in their order."""
        signed = up * self.row_signs[:, :, None].to(up)
        return signed.gather(1, self.rows[:, :, None].long().expand_as(up))


def draw(n: int, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """A random order and random signs, each [n]."""
    order = torch.randperm(n, generator=generator)
    return order, torch.randint(0, 2, (n,), generator=generator) * 2 - 1


def generator_of(seed: int, name: str) -> torch.Generator:
    """Where the draws of the module ``name`` come from."""
    found = int.from_bytes(hashlib.sha256(f"{seed}:{name}".encode()).digest()[:7], "big")
    return torch.Generator().manual_seed(found)


class Draws:
    """Turns by seed and modules, those used last kept up to ``limit`` bytes."""

    def __init__(self, limit: int = KEPT_BYTES) -> None:
        self.limit = limit
        self.held = 0
        self._turns: OrderedDict[tuple[int, tuple[str, ...]], Turn] = OrderedDict()

    def turn(self, seed: int, names: Sequence[str], inputs: int, outputs: int, device: torch.device) -> Turn:
        """That of the modules called ``names``, which have ``inputs`` and ``outputs``."""
        key = (seed, tuple(names))
        found = self._turns.pop(key, None)
        if found is None:
            each = zip(*(_one(seed, name, inputs, outputs) for name in names), strict=True)
            found = Turn(*(torch.stack(column).to(device) for column in each))
            self.held += _size(found)
        self._turns[key] = found
        while self.held > self.limit and len(self._turns) > 1:
            self.held -= _size(self._turns.popitem(last=False)[1])
        return found


def _one(seed: int, name: str, inputs: int, outputs: int) -> Iterator[torch.Tensor]:
    generator = generator_of(seed, name)
    for size in (inputs, outputs):
        order, signs = draw(size, generator)
        yield order.to(torch.int32)
        yield signs.to(torch.int8)


def _size(turn: Any) -> int:
    return sum(int(tensor.nbytes) for tensor in turn)
