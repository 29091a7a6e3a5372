"""What a document is about: its things, by every name it gives them.

A thing is a heading with text of its own, the first cell of a table's row, or what many questions differ in. A heading
that stands under several others (``Backups`` under every service) names a property and is no thing.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from .words import ARTICLES, GREY, Word, plain, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ..makers import Block

_NUMBERING = re.compile(r"^\s*(?:\d+(?:\.\d+)*[.)]|\d+(?:\.\d+)+)\s+")
_AFTER_NAME = re.compile(r"\s*(?:\(.*\)|\[.*\]|[:–—].*| - .*)\s*$")
LONGEST_NAME = 6
"""Words of a heading that parts of may stand for it."""


@dataclass(frozen=True)
class Thing:
    """Something that facts are about. Two are the same when their names are."""

    name: str = field(compare=False)
    """As its heading has it."""
    lows: tuple[str, ...]
    spelled: str = field(default="", compare=False)
    """Its name inside of a sentence; empty when the document shows none."""
    article: bool = field(default=False, compare=False)
    """Whether sentences call it *the* so and so."""


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
    article = len(found) > 1 and found[0].low in ARTICLES
    if article:
        text, found = text[found[1].start :], words(text[found[1].start :])
    sound = any(word.low.strip("`")[:1].isalnum() for word in found)
    return Thing(text, tuple(word.low for word in found), article=article) if sound else None


class Things:
    """All things of a document, found by name."""

    def __init__(self, things: Iterable[Thing]) -> None:
        self.all = tuple(dict.fromkeys(things))
        self._known = known = {thing.lows: thing for thing in self.all}
        holders = Counter(low for lows in known for low in set(lows))
        self._by_first: dict[str, list[tuple[tuple[str, ...], Thing, int, int]]] = {}
        for thing in known.values():
            for before, after in _parts(thing, holders):
                lows = thing.lows[before : len(thing.lows) - after]
                if before + after == 0 or lows not in known:
                    self._by_first.setdefault(lows[0], []).append((lows, thing, before, after))
        for names in self._by_first.values():
            names.sort(key=lambda name: -len(name[0]))

    def like(self, thing: Thing) -> Thing:
        """The thing of that name as these things have it."""
        return self._known.get(thing.lows, thing)

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


def spelled(things: Things, texts: Iterable[tuple[str, Sequence[Word]]]) -> Iterator[Thing]:
    """Every thing with its name as ``texts``, each with its words, use it inside of a sentence.

    A name of one word that ever stands alone takes no article, since it may be followed by a noun: *the Kestrel
    service*. A longer one takes it when it mostly does; of a thing that no text names, the heading decides, or others.
    """
    inside: dict[Thing, Counter[str]] = {thing: Counter() for thing in things.all}
    alone, articled = Counter[Thing](), Counter[Thing](thing for thing in things.all if thing.article)
    for text, found in texts:
        for thing, first, last, before, after, _ in things.mentions(text, found):
            if before + after:
                continue
            inside[thing][text[found[first].start : found[last - 1].end]] += first > 0
            articled[thing] += first > 0 and found[first - 1].low == "the"
            alone[thing] += first == 0 or (found[first - 1].grey and found[first - 1].low not in ARTICLES)
    names = {thing: next((name for name, count in inside[thing].most_common(1) if count), "") for thing in things.all}
    lower = sum(name[:1].islower() for name in names.values()) * 2 > sum(map(bool, names.values()))
    usual = sum(articled[thing] > alone[thing] for thing in things.all) * 2 > len(things.all)
    for thing in things.all:
        some = bool(alone[thing]) if len(thing.lows) == 1 else alone[thing] >= articled[thing]
        article = not some and (names[thing].islower() or usual or thing.article)
        if not alone[thing] and not articled[thing]:
            article = thing.article or usual or (thing.name.islower() and not thing.name.endswith("s"))
        name = names[thing] or (in_text(thing.name) if lower else "")
        yield replace(thing, spelled=name, article=article)


def in_text(name: str) -> str:
    """``name`` without the capital it starts with, unless its spelling is its own: ``iPad``, ``SSH``."""
    first = name.split(maxsplit=1)[0]
    own = any(sign.isupper() or sign.isdigit() for sign in first[1:])
    return name if own else name[0].lower() + name[1:]


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
    titled = len({path[0] for path in paths}) == 1 and len(set(map(tuple, paths))) > 1
    return [_own(path, above, titled=titled) for path in paths]


def _own(path: list[str], above: dict[str, set[tuple[str, ...]]], *, titled: bool) -> Thing | None:
    for part in reversed(path[1:] if titled else path):
        if len(above[part]) == 1 and part:
            return named(part)
    return None
