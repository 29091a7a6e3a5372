"""What an augmenter is given and what it gives back. Seams here; the built-in makers are in their own modules."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from .makers import Block
    from .records import Record


@dataclass(frozen=True)
class Lesson:
    """A document laid out for those who write study records of it."""

    title: str
    questions: tuple[Record, ...]
    """Every pair, once a wording: conversations that end with the answer."""
    blocks: tuple[Block, ...]
    """Every heading with the text under it."""
    reserved: tuple[str, ...]
    """Held-out questions and probes. An augmenter neither writes nor uses them; dlm drops records that hold one."""
    seed: int
    room: int
    """Longest derived text in bytes."""


@dataclass(frozen=True)
class AugmentContext:
    """Where an augmenter works."""

    folder: Path | None
    """The document's, for paths in its options."""
    cache: Path
    """A folder of the document's store for what need not be made twice; may not exist yet. Content-addressed: records
    are the same with it, without it, and whatever it holds."""
    say: Callable[[str], None]
    """A line for people: a model that is loaded, a count."""


class Augmenter(ABC):
    """Writes study records beside those of the built-in makers.

    Made with the options that the document gives under ``training.recipe.augmenters.NAME`` and a context.

    Raises:
        UsageProblem: an option is unknown or wrong; names it and its allowed values.
    """

    kinds: Mapping[str, float]
    """Kinds of record it writes, each with its share relative to the built-in ones (``qa`` has 1.2)."""
    why: Mapping[str, str]
    """One line a kind, for ``dlm study``."""

    def __init__(self, options: Mapping[str, Any], context: AugmentContext) -> None:
        self.options, self.context = options, context

    @abstractmethod
    def records(self, lesson: Lesson) -> Iterator[Record]:
        """Records of its kinds, the same for the same lesson and options. Each keeps ``group`` and ``section_id`` of
        the pair or block it was made from, so that an edit replaces what came from it."""
