"""What became of everything that a teacher wrote, for people."""

from __future__ import annotations

import textwrap
from collections import Counter
from dataclasses import dataclass, field

from .options import WHERE

WIDTH = 80
"""Columns of a terminal."""


@dataclass
class Tally:
    """Counts of one pass over a document."""

    asked: int = 0
    """Prompts that the model answered now."""
    cached: int = 0
    """Prompts whose reply was kept from before."""
    kept: Counter[str] = field(default_factory=Counter)
    """Records by kind."""
    dropped: Counter[str] = field(default_factory=Counter)
    """Wordings by the reason they were left out."""

    def lines(self) -> list[str]:
        """What was asked and kept, and what was dropped and why, in lines that fit a terminal."""
        kept, dropped = self.kept.total(), self.dropped.total()
        found = [f"{self.asked:,} asked, {self.cached:,} from the cache; {kept:,} of {kept + dropped:,} wordings kept"]
        if kept:
            found.append(f"kept {_listed(self.kept)}")
        if dropped:
            found.append(f"dropped {_listed(self.dropped)}")
        if not kept and self.asked + self.cached:
            found.append(f"nothing that this model wrote could be used: name a larger instruct model in {WHERE}.model")
        return [line for text in found for line in textwrap.wrap(f"teacher: {text}", WIDTH, subsequent_indent="  ")]


def _listed(counts: Counter[str]) -> str:
    """Counts with their names, the largest first."""
    rows = sorted((+counts).items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{count:,} {name}" for name, count in rows)
