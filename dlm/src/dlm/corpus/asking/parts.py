"""The parts that a sentence is taken apart into."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .groups import Group


class Chunk(NamedTuple):
    """Some words of the predicate: a preposition with its noun, or words that stand without one."""

    prep: str
    words: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        return (self.prep, *self.words) if self.prep else self.words


class Tail(NamedTuple):
    """A clause that says when, why or under which condition."""

    word: str
    words: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        return (self.word, *self.words)


class Clause(NamedTuple):
    subject: tuple[str, ...]
    group: Group
    object: tuple[str, ...]
    chunks: tuple[Chunk, ...]
    tail: Tail | None = None
    listed: tuple[str, ...] = ()
    """What stands after a colon."""
    cut: str = ""
    """The word at which something that belongs to the last phrase was left out."""
    front: tuple[Chunk | Tail, ...] = ()
    """What stood before the subject."""
    people: frozenset[str] = frozenset()
    """Single names that are known to be people's."""
    things: tuple[tuple[str, str], ...] = ()
    """Names that are known to be no people's, each with what it is: a service."""
