"""Long texts in pieces: cut between sentences, about equally long, none above a limit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate

_SENTENCE_END = re.compile(r"(?<=[.!?:;\"'”])\s+|\n{2,}")


def pieces(text: str, longest: int) -> list[str]:
    """``text`` in few pieces of at most ``longest`` characters, of about the same length each.

    They begin and end with whole sentences; a sentence that is longer than ``longest`` is cut between words, a word
    between letters.
    """
    sentences = list(_short(_SENTENCE_END.split(text.strip()), longest))
    if not sentences:
        return []
    number = -(-len(text.strip()) // longest)
    while max(map(len, found := _shared_out(sentences, number))) > longest:
        number += 1
    return found


def _shared_out(sentences: Sequence[str], number: int) -> list[str]:
    """Each sentence into the part, out of ``number``, in which its middle lies."""
    ends = list(accumulate(len(sentence) + 1 for sentence in sentences))
    parts: dict[int, list[str]] = {}
    for sentence, end in zip(sentences, ends, strict=True):
        middle = end - (len(sentence) + 1) / 2
        parts.setdefault(int(middle * number / ends[-1]), []).append(sentence)
    return [" ".join(part) for part in parts.values()]


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
