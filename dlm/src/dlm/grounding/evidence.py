"""One passage with everything that tells what it is about, read word by word."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from .reading import Reading, Word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .index import Index
    from .passages import Passage

HEADING = 0.5
"""What a word counts that stands over a passage only."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """``passage``, of the document behind ``index``."""

    passage: Passage
    index: Index

    @cached_property
    def own(self) -> Reading:
        """What the passage itself says."""
        return self._read(self.passage.text)

    @cached_property
    def above(self) -> tuple[Reading, ...]:
        """Headings, column heads, the wordings of a pair's question: nearest last."""
        return tuple(map(self._read, (*self.passage.above, *(name for name, _ in self.passage.columns if name))))

    @cached_property
    def before(self) -> Reading:
        """What its pronouns point to."""
        return self._read(self.passage.before)

    @cached_property
    def around(self) -> frozenset[str]:
        """Stems of all that the passage stands under, those of the document's title too."""
        return frozenset().union(*(reading.stems for reading in (*self.above, self.index.titled)))

    @cached_property
    def near(self) -> frozenset[str]:
        """Stems of the passage with its headings or its question, and with what its pronouns point to."""
        return self.own.stems.union(self.before.stems, *(reading.stems for reading in self.above))

    @cached_property
    def itself(self) -> frozenset[str]:
        """Stems of the passage without its headings, with its question or the line before its list."""
        first = 0 if self.passage.kind == "answer" else len(self.passage.above)
        if self.passage.above and self.passage.above[-1] != self.passage.heading:
            first = min(first, len(self.passage.above) - 1)
        told = self.above[first : len(self.passage.above)]
        return self.own.stems.union(self.before.stems, *(reading.stems for reading in told))

    def weight(self, stem: str) -> float:
        """How much of a word of a question the passage has: less when only a heading has it."""
        if stem in self.itself or (self.passage.kind == "row" and stem in self.near):
            return 1.0
        return HEADING if stem in self.near else 0.0

    def covers(self, stem: str) -> bool:
        """Whether the passage or what it stands under has this word."""
        return stem in self.own.stems or stem in self.around

    def home(self, run: tuple[str, ...]) -> int | None:
        """How far away the name ``run`` stands: 0 in the passage, 1 near it, 2 in the subject; nowhere: ``None``."""
        if stands(run, self.own):
            return 0
        if any(stands(run, reading) for reading in (*self.above, self.before)):
            return 1
        return 2 if stands(run, self.index.subject) else None

    @cached_property
    def parts(self) -> tuple[tuple[tuple[Word, ...], ...], tuple[Word, ...]]:
        """The clauses; with the words that belong to every one of them. Of a row: its cells, and the first."""
        columns = self.passage.columns
        if len(columns) < 2:
            return self.own.clauses, ()
        cells = [self._read(f"{name} {cell}").words for name, cell in columns]
        return tuple(cells[1:]), cells[0]

    @cached_property
    def opening(self) -> tuple[str, ...]:
        """The name that the passage opens with, after an article at most; empty without one."""
        for at, word in enumerate(self.own.words[:2]):
            if word.name:
                return tuple(_run(self.own.words[at:]))
            if word.content or word.number:
                break
        return ()

    def _read(self, text: str) -> Reading:
        return Reading(text, self.index.vocabulary)


def stands(run: tuple[str, ...], reading: Reading) -> bool:
    """Whether the words of ``run`` stand side by side."""
    if not reading.lows.issuperset(run):
        return False
    lows = [word.low for word in reading.words]
    return any(tuple(lows[at : at + len(run)]) == run for at in range(len(lows)))


def _run(words: tuple[Word, ...]) -> Iterator[str]:
    for word in words:
        if not word.name:
            return
        yield word.low
