"""Which new section is an old one, edited: by what they share, without keeping the old text.

A sketch is the smallest hashes of a text's sentences; the share of hashes that two sketches have in common estimates
how many sentences the texts have in common (bottom-k sketches, Broder 1997).
"""

from __future__ import annotations

import re
import zlib
from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Sketch = tuple[int, ...]

LENGTH = 16
"""Hashes of a sketch."""
ALIKE = 0.2
"""Least share of sentences by which two sections are one, edited."""
CONTAINED = 0.5
"""Least share of an old section's sentences, those of its fellows left out, by which a new one took it in."""
COMMON = 20
"""A sentence of more sections than this tells none of them apart."""
_BREAK = re.compile(r"\n[ \t]*\n\s*|(?<=[.!?])\s+")


def sketch(text: str) -> Sketch:
    """At most 16 CRC-32 values, ascending; the same however the lines are wrapped."""
    return _least({" ".join(part.split()).casefold() for part in _BREAK.split(text)} - {""})


def likeness(one: Sketch, other: Sketch) -> float:
    """Estimated share of sentences in common, 0 to 1."""
    whole = sorted({*one, *other})[:LENGTH]
    return len({*one} & {*other} & {*whole}) / len(whole) if whole else 0.0


def matches(old: Mapping[str, Sketch], new: Mapping[str, Sketch], least: float = ALIKE) -> dict[str, str]:
    """For each old name the new one that is most like it; each is used once, the most alike first."""
    found: dict[str, str] = {}
    used: set[str] = set()
    for _, _, a, b in sorted(_candidates(old, new, least)):
        if a not in found and b not in used:
            found[a] = b
            used.add(b)
    return found


def taken_in(old: Mapping[str, Sketch], new: Mapping[str, Sketch], found: Mapping[str, str]) -> dict[str, str]:
    """Those of ``old`` that stand in no match of ``found``, with the new one that holds most of their sentences.

    Sentences that the sections which became that one had as well do not count: they came from there.
    """
    fellows: dict[str, set[int]] = defaultdict(set)
    for a, b in found.items():
        fellows[b].update(old[a])
    left = {name: sentences for name, sentences in old.items() if name not in found}
    theirs, best = _by_sentence(new), dict[str, tuple[float, str]]()
    for a, b in sorted({(a, b) for a, some in left.items() for sentence in some for b in theirs.get(sentence, ())}):
        # A full sketch says nothing about hashes above its largest.
        limit = max(new[b]) if len(new[b]) == LENGTH else None
        own = {h for h in left[a] if h not in fellows[b] and (limit is None or h <= limit)}
        share = len(own.intersection(new[b])) / len(own) if own else 0.0
        if share >= CONTAINED and share > best.get(a, (0.0, ""))[0]:
            best[a] = share, b
    return {a: b for a, (_, b) in best.items()}


def word_sketch(text: str) -> Sketch:
    """As :func:`sketch`, of words in place of sentences: for texts too short to share a whole sentence."""
    return _least(set(text.casefold().split()))


def _least(parts: set[str]) -> Sketch:
    return tuple(sorted({zlib.crc32(part.encode()) for part in parts})[:LENGTH])


def _candidates(
    old: Mapping[str, Sketch], new: Mapping[str, Sketch], least: float
) -> Iterator[tuple[float, int, str, str]]:
    """Pairs that are alike: how unlike they are, how far apart they stand, the two names."""
    ours, theirs = _by_sentence(old), _by_sentence(new)
    shared = {(a, b) for sentence, names in ours.items() for a in names for b in theirs.get(sentence, ())}
    place = {name: at for names in (old, new) for at, name in enumerate(names)}
    for a, b in shared:
        if (alike := likeness(old[a], new[b])) >= least:
            yield -alike, abs(place[a] - place[b]), a, b


def _by_sentence(sketches: Mapping[str, Sketch]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    for name, sentences in sketches.items():
        for sentence in sentences:
            found[sentence].append(name)
    return {sentence: names for sentence, names in found.items() if len(names) <= COMMON}
