"""How much memory a run takes at its fullest moment. The arithmetic is a backend's; here is what it answers with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

TOLERANCE = 1.25
"""An estimate is within this factor of what is measured."""


class Part(NamedTuple):
    """Something that lies in memory at that moment."""

    name: str
    bytes: int
    why: str
    """The numbers that it follows from."""


@dataclass(frozen=True)
class Estimate:
    """Bytes that a run takes beside what its process holds before the weights are loaded."""

    parts: tuple[Part, ...]
    """With all rows of the fullest step in one pass."""
    least: int
    """Bytes in all when every row has a pass of its own."""
    rows: int
    """Of the fullest step."""
    tokens: int
    """Of its rows together."""
    scored: int
    """Positions of it that carry loss: each has logits over the whole vocabulary."""

    @property
    def peak(self) -> int:
        """Bytes in all."""
        return sum(part.bytes for part in self.parts)


class Measured(NamedTuple):
    """What one step really took."""

    peak: int
    """Bytes at its fullest moment, beside what the process held before."""
    what: str
    """Of what it is the peak: ``resident memory``, ``CUDA memory``..."""
    seconds: float
    """That the step took, loading not counted."""


def gigabytes(count: float) -> str:
    """``1.4 GB``, or ``412 MB`` below one."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"
