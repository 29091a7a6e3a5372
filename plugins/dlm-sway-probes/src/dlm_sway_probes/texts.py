"""Long texts in pieces: cut between sentences, about equally long, none above a limit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_SENTENCE_END = re.compile(r"(?<=[.!?:;\"'”])\s+|\n{2,}")


def pieces(text: str, longest: int) -> list[str]:
    """``text`` as the fewest pieces of at most ``longest`` characters, of about the same length each.

    They begin and end with whole sentences; a sentence that is longer than ``longest`` is cut between words, a word
    between letters.
    """
    text = text.strip()
    fewest = -(-len(text) // longest)
    wanted, found = len(text) / max(fewest, 1), [""]
    for sentence in _short(_SENTENCE_END.split(text), longest):
        joined = f"{found[-1]} {sentence}" if found[-1] else sentence
        full = len(joined) > longest or (found[-1] and len(found[-1]) + len(sentence) / 2 > wanted)
        if full and found[-1]:
            found.append(sentence)
        else:
            found[-1] = joined
    return [piece for piece in found if piece]


def _short(parts: Sequence[str], longest: int) -> Iterator[str]:
    for part in parts:
        rest = part.strip()
        while len(rest) > longest:
            at = rest.rfind(" ", 1, longest + 1)
            at = at if at > 0 else longest
            yield rest[:at].rstrip()
            rest = rest[at:].lstrip()
        if rest:
            yield rest


def in_turn(columns: Sequence[Sequence[str]]) -> list[tuple[int, str]]:
    """The first of every column, then the second of every column, and so on, each with its column's number."""
    longest = max(map(len, columns), default=0)
    return [(at, column[row]) for row in range(longest) for at, column in enumerate(columns) if row < len(column)]
