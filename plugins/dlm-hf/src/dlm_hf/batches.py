"""Which items share a forward pass: plain lists of token ids in, lists of small jobs out."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .render import Encoded
from .trees import shared_length

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


TOKEN_PAIRS = 2048
"""Pairs of tokens whose attention costs what all else of one token does: three to six times the width of a model."""
LONGEST_ROW = 4096
"""Tokens of a pass whose items share a long beginning: what sees what is a matrix of their square."""


@dataclass(frozen=True)
class Piece:
    """A run of scored positions of one item, short enough for its logits to fit in memory."""

    item: int
    example: Encoded

    @property
    def scored(self) -> int:
        """How many positions are scored."""
        return len(self.example.ids) - self.example.start


Batch = tuple[Piece, ...]
"""What goes through the model in one pass."""


@dataclass(frozen=True)
class Limits:
    """What one pass may hold."""

    tokens: int
    """Tokens of a pass, those that items share counted once. Attention costs their square, so more is not faster,
    except behind a long beginning that they share."""
    scored: int
    """Scored positions of a pass: their logits are [scored, V] floats."""
    alone_above: int | None
    """Items longer than this never share a pass: 0 for architectures that cannot be packed, the attention window for
    those that have one."""


def plan(examples: Sequence[Encoded], limits: Limits, *, backwards: bool = False) -> list[Batch]:
    """Put ``examples`` into few passes, those that begin alike beside each other.

    Which examples share a pass depends on what they are and not on their order; ``backwards`` goes through them from
    the other end.
    """
    pieces = sorted(_pieces(examples, limits.scored), key=_place, reverse=backwards)
    batches: list[list[Piece]] = []
    tokens = scored = 0
    for piece in pieces:
        size = len(piece.example.ids) - 1
        alone = limits.alone_above is not None and size + 1 > limits.alone_above
        common = shared_length(batches[-1][-1].example.ids[:-1], piece.example.ids[:-1]) if batches else 0
        room = max(limits.tokens, _best_length(common))
        fits = tokens + size - common <= room and scored + piece.scored <= limits.scored
        if not batches or alone or not fits:
            batches.append([])
            tokens = scored = common = 0
        batches[-1].append(piece)
        # Nothing may join a piece that has to be alone.
        tokens += LONGEST_ROW + limits.tokens if alone else size - common
        scored += piece.scored
    return [tuple(batch) for batch in batches]


def within_memory(batches: Sequence[Batch], scored: int) -> Iterator[list[Batch]]:
    """Split ``batches`` into runs of at most ``scored`` positions, one batch at least."""
    run: list[Batch] = []
    held = 0
    for batch in batches:
        size = sum(piece.scored for piece in batch)
        if run and held + size > scored:
            yield run
            run, held = [], 0
        run.append(batch)
        held += size
    if run:
        yield run


def again(run: Sequence[Batch], limits: Limits) -> list[Batch]:
    """The pieces of ``run`` in passes of another make-up."""
    pieces = [piece for batch in run for piece in batch]
    smaller = replace(limits, tokens=limits.tokens * 2 // 3)
    batches = plan([piece.example for piece in pieces], smaller, backwards=True)
    return [tuple(Piece(pieces[piece.item].item, piece.example) for piece in batch) for batch in batches]


def windows(ids: Sequence[int], longest: int | None) -> Iterator[Encoded]:
    """``ids`` in runs of at most ``longest`` inputs, each half covered by the one before; every id but the first is
    scored once, in the first run that holds it."""
    size = len(ids) - 1 if longest is None else min(longest, len(ids) - 1)
    scored = 1
    while scored < len(ids):
        begin = 0 if scored == 1 else max(0, scored - 1 - size // 2)
        end = min(len(ids), begin + size + 1)
        yield Encoded(tuple(ids[begin:end]), scored - begin)
        scored = end


def _best_length(common: int) -> int:
    """How long a pass should be whose items share their first ``common`` tokens.

    A pass of L tokens answers for L - common of them and costs L + L^2 / TOKEN_PAIRS: the L at which that is least for
    each token answered for.
    """
    return min(LONGEST_ROW, common + math.isqrt(common * (common + TOKEN_PAIRS)))


def _place(piece: Piece) -> tuple[tuple[int, ...], int]:
    return piece.example.ids, piece.example.start


def _pieces(examples: Sequence[Encoded], longest: int) -> Iterator[Piece]:
    """A position depends only on what is before it, so the start of a long item is an item of its own."""
    for index, example in enumerate(examples):
        for start in range(example.start, len(example.ids), longest):
            yield Piece(index, Encoded(example.ids[: start + longest], start))
