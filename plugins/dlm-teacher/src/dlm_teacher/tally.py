"""What became of everything that a teacher wrote, for people."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from .options import WHERE


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
        """One line of what was asked and kept, one of what was dropped and why."""
        kept, dropped = self.kept.total(), self.dropped.total()
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(self.kept.items()))
        found = [
            f"teacher: {self.asked:,} asked, {self.cached:,} from the cache; "
            f"{kept:,} of {kept + dropped:,} wordings kept" + (f" ({kinds})" if kinds else "")
        ]
        if dropped:
            reasons = sorted(self.dropped.items(), key=lambda item: (-item[1], item[0]))
            found.append("teacher: dropped " + ", ".join(f"{count:,} {reason}" for reason, count in reasons))
        if not kept and self.asked + self.cached:
            found.append(
                f"teacher: nothing that this model wrote could be used: name a larger instruct model in {WHERE}.model"
            )
        return found
