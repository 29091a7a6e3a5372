"""How faithful an export must be, by how many bits its weights have.

An export at full precision has no excuse: what it loses is a mistake of the file, not of the format. Below, each format
may lose what rounding to it is known to lose on the smallest base that dlm registers (135 million parameters, where a
weight carries most), with room for another document: the figures that were measured are in the reference of GGUF.
A larger base loses less at the same format. What a wrong scale, a lost adapter or a permuted tensor costs lies far
below every floor, and those have messages of their own.

llama.cpp rounds what a layer is given to 8 bits wherever weights have 8 or fewer, which alone costs about 0.003 nats.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Floor(NamedTuple):
    """What is asked of an export."""

    effect: float
    """Share of the adapter's effect that must be kept, at least."""
    divergence: float
    """KL(trained || exported) over all texts, nats a position, at most."""
    agreement: float
    """Share of positions where both have the same likeliest token, at least."""
    why: str


FULL: Final = Floor(0.97, 0.01, 0.96, "nothing is rounded but the last bits")
EIGHT: Final = Floor(0.90, 0.03, 0.90, "8 bits: rounding is hardly seen")
SIX: Final = Floor(0.88, 0.08, 0.88, "6 bits")
FIVE: Final = Floor(0.85, 0.25, 0.80, "5 bits: some second-best answers become the best ones")
FOUR: Final = Floor(0.75, 0.40, 0.70, "4 bits: a small base is visibly coarser")
LOWEST: Final = Floor(0.60, 0.80, 0.60, "3 bits or fewer: for large bases")

LEAST_EFFECT: Final = 0.02
"""KL(trained || base), nats a position of the answers: of an adapter that changes less, no share can be told."""
LEAST_POSITIONS: Final = 1000
"""Fewer say too little about rare tokens."""


def floor_of(quant: str | None) -> Floor:
    """The floor of a format by its name, such as ``Q4_K_M``; ``None`` and unknown names are full precision."""
    name = (quant or "F16").upper()
    digits = next((letter for letter in name if letter.isdigit()), "")
    if name.startswith(("F", "BF", "FP")) or not digits:
        return FULL
    bits = int(digits)
    if bits >= 8:
        return EIGHT
    return {6: SIX, 7: SIX, 5: FIVE, 4: FOUR}.get(bits, LOWEST)
