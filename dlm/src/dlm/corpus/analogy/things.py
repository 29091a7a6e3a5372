"""What a document is about: its things, by every name it gives them.

A thing is a heading with text of its own, the first cell of a table's row, or what many questions differ in. A heading
that stands under several others (``Backups`` under every service) names a property and is no thing.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from .words import ARTICLES, GREY, Word, plain, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..makers import Block

_NUMBERING = re.compile(r"^\s*(?:\d+(?:\.\d+)*[.)]|\d+(?:\.\d+)+)\s+")
_AFTER_NAME = re.compile(r"\s*(?:\(.*\)|\[.*\]|[:–—].*| - .*)\s*$")
LONGEST_NAME = 6
"""Words of a heading that parts of may stand for it."""


@dataclass(frozen=True)
class Thing:
    """Something that facts are about. Two are the same when their names are."""

    name: str
    lows: tuple[str, ...]


class Mention(NamedTuple):
    """Where a text names a thing: words ``first:last``, all but ``before`` and ``after`` of its name."""

    thing: Thing
    first: int
    last: int
    before: int
    after: int
    exact: bool
    """Whole name, in its own capitals."""


def named(heading: str) -> Thing | None:
    """The thing that ``heading`` names, without number, article and what follows its name."""
    text = _NUMBERING.sub("", plain(heading)).strip("*_ #")
    text = _AFTER_NAME.sub("", text) or text
    found = words(text)
    if found and found[0].low in ARTICLES and len(found) > 1:
        text, found = text[found[1].start :], words(text[found[1].start :])
    return (
        Thing(text, tuple(word.low for word in found))
        if any(word.low.strip("`")[:1].isalnum() for word in found)
        else None
    )


class Things:
    """All things of a document, found by name."""

    def __init__(self, things: Iterable[Thing]) -> None:
        self.all = list(dict.fromkeys(things))
        known = {thing.lows: thing for thing in reversed(self.all)}
        holders = Counter(low for lows in known for low in set(lows))
        self._by_first: dict[str, list[tuple[tuple[str, ...], Thing, int, int]]] = {}
        for thing in known.values():
            for before, after in _parts(thing, holders):
                lows = thing.lows[before : len(thing.lows) - after]
                if before + after == 0 or lows not in known:
                    self._by_first.setdefault(lows[0], []).append((lows, thing, before, after))
        for names in self._by_first.values():
            names.sort(key=lambda name: -len(name[0]))

    def mentions(self, text: str, found: Sequence[Word]) -> list[Mention]:
        """Every place where ``text``, which is ``found``, names a thing; the longest name wins."""
        mentions, at = [], 0
        while at < len(found):
            mention = self._at(text, found, at)
            if mention:
                mentions.append(mention)
            at = mention.last if mention else at + 1
        return mentions

    def _at(self, text: str, found: Sequence[Word], at: int) -> Mention | None:
        for lows, thing, before, after in self._by_first.get(found[at].low, ()):
            last = at + len(lows)
            if tuple(word.low for word in found[at:last]) != lows:
                continue
            said = text[found[at].start : found[last - 1].end]
            exact = said in thing.name
            if before + after and not exact:
                continue
            return Mention(thing, at, last, before, after, exact and not before + after)
        return None


def _parts(thing: Thing, holders: Counter[str]) -> list[tuple[int, int]]:
    """Parts of a name that stand for it, as words left out before and after: those with a word no other name has."""
    count = len(thing.lows)
    parts = [(0, 0)]
    if count > LONGEST_NAME:
        return parts
    for before in range(count):
        for after in range(count - before):
            lows = thing.lows[before : count - after]
            own = any(holders[low] == 1 and len(low) > 2 and low.isalpha() for low in lows)
            if before + after and own and lows[0] not in GREY and lows[-1] not in GREY:
                parts.append((before, after))
    return parts


def own_things(blocks: Sequence[Block]) -> list[Thing | None]:
    """The thing of each block: its deepest heading that does not stand under several others; not the title."""
    paths = [block.record.title.split(" > ") for block in blocks]
    above: dict[str, set[tuple[str, ...]]] = {}
    for path in paths:
        for depth, part in enumerate(path):
            above.setdefault(part, set()).add(tuple(path[:depth]))
    firsts = {path[0] for path in paths}
    return [_own(path, above, titled=len(firsts) == 1 and len(set(map(tuple, paths))) > 1) for path in paths]


def _own(path: list[str], above: dict[str, set[tuple[str, ...]]], *, titled: bool) -> Thing | None:
    for part in reversed(path[1:] if titled else path):
        if len(above[part]) == 1 and part:
            return named(part)
    return None
