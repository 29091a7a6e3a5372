"""Pairs of a better and a worse answer: which are trained, and which judge the training.

A pair is held out by its prompt, so that no two pairs with one prompt stand on both sides. Whether one is depends on
the seed and the prompt alone; only in a document whose luck would hold out none, one is chosen.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from .records import Record

SHARE = 0.15
"""Of the prompts, held out about."""
ENOUGH = 6
"""Prompts from which one is held out: with fewer, every pair is needed for training."""
MOST = 48
"""Prompts held out: scoring more would cost more than training."""


class Split(NamedTuple):
    """Both sides."""

    train: tuple[Record, ...]
    held_out: tuple[Record, ...]


def is_pair(record: Record) -> bool:
    """Whether ``record`` is a better and a worse answer, rather than something to know."""
    return record.objective == "prefer"


def split(pairs: Sequence[Record], asked: Iterable[Record], seed: int) -> Split:
    """Take some of ``pairs`` apart; never one whose prompt is ``asked``, in the same words, by what is trained."""
    known = {prompt(record) for record in asked}
    free = dict.fromkeys(found for record in pairs if (found := prompt(record)) not in known)
    chosen = _chosen(free, seed)
    return Split(
        tuple(record for record in pairs if prompt(record) not in chosen),
        tuple(record for record in pairs if prompt(record) in chosen),
    )


def prompt(record: Record) -> str:
    """Everything that is said before the last turn, as far as it can be told apart by reading."""
    return "\n".join(" ".join(turn.content.casefold().split()) for turn in record.messages[:-1])


def _chosen(prompts: Collection[str], seed: int) -> frozenset[str]:
    if len(prompts) < ENOUGH:
        return frozenset()
    luck = {one: _luck(one, seed) for one in prompts}
    ordered = sorted(prompts, key=luck.__getitem__)
    return frozenset([one for one in ordered if luck[one] < SHARE][:MOST] or ordered[:1])


def _luck(prompt: str, seed: int) -> float:
    """Uniform from 0 to 1."""
    return int.from_bytes(hashlib.sha256(f"{seed}\npreferred\n{prompt}".encode()).digest()[:8]) / 2**64
