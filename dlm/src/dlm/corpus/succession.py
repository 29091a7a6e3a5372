"""Which section of a document took the place of which: edited, merged, moved, written back, or written anew.

Better one edit too many than an old wording that is trained beside the new one. How alike two texts are lies in
:mod:`.likeness`, what becomes of the sections in :mod:`.replay`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .alignment import gaps
from .likeness import matches, sketch, taken_in, word_sketch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ..document.model import Section
    from ..store.ledger import Entry, Ledger

SAME_WORDS = 0.5
"""Least share of words by which, of several sections in one place, an old and a new one are one, edited."""


def replaced(
    ledger: Ledger, gone: Iterable[Entry], body: Sequence[str], fresh: Mapping[str, Section]
) -> dict[str, str]:
    """Old sections of the document with those that they became.

    ``gone`` are the entries that stand nowhere now, ``body`` the ids of what does, and ``fresh`` what of it is new.
    """
    old = {entry.id: entry for entry in gone if not entry.origin}
    if not old or not fresh:
        return {}
    found = _written_back(ledger, old, fresh)
    for kind in dict.fromkeys(entry.type for entry in old.values()):
        found |= _alike(
            {name: entry.sketch for name, entry in old.items() if entry.type == kind},
            {name: sketch(section.content) for name, section in fresh.items() if section.type == kind},
            found,
        )
    before = {entry.id: entry for entry in ledger.entries if not entry.origin and entry.kept is None}
    return found | dict(_of_one_place(before, body, old, fresh, found))


def _written_back(ledger: Ledger, old: Mapping[str, Entry], fresh: Iterable[str]) -> dict[str, str]:
    """Old sections with the earlier wording of theirs that stands there again."""
    later = {stone.id: stone.superseded_by for stone in ledger.tombstones if stone.superseded_by}
    found: dict[str, str] = {}
    for earlier in fresh:
        name, passed = earlier, set[str]()
        while name not in old and name in later and name not in passed:
            passed.add(name)
            name = later[name]
        if name in old:
            found.setdefault(name, earlier)
    return found


def _alike(
    old: Mapping[str, tuple[int, ...]], new: Mapping[str, tuple[int, ...]], found: Mapping[str, str]
) -> dict[str, str]:
    """Those that share sentences: one for one first, then those that another one took in."""
    used = set(found.values())
    alike = {name: became for name, became in found.items() if name in old and became in new}
    alike |= matches(
        {name: sentences for name, sentences in old.items() if name not in found},
        {name: sentences for name, sentences in new.items() if name not in used},
    )
    return alike | taken_in({name: old[name] for name in old if name in alike or name not in found}, new, alike)


def _of_one_place(
    before: Mapping[str, Entry],
    body: Sequence[str],
    gone: Mapping[str, Entry],
    fresh: Mapping[str, Section],
    found: Mapping[str, str],
) -> Iterator[tuple[str, str]]:
    """Sections with no sentence in common that stand between the same neighbours: one for one, else by their words."""
    used = set(found.values())
    for gone_here, there_now in gaps(tuple(before), body):
        old = [gone[name] for name in gone_here if name in gone and name not in found]
        new = [fresh[name] for name in there_now if name in fresh and name not in used]
        if len(old) == len(new):
            yield from ((a.id, b.id) for a, b in zip(old, new, strict=True) if a.type == b.type)
        elif old and new:
            yield from _of_same_words(old, new)


def _of_same_words(old: Sequence[Entry], new: Sequence[Section]) -> Iterator[tuple[str, str]]:
    """Those that share half of their words; only where the old text is kept."""
    for kind in dict.fromkeys(entry.type for entry in old):
        ours = {entry.id: word_sketch(entry.text.content) for entry in old if entry.text and entry.type == kind}
        theirs = {section.id: word_sketch(section.content) for section in new if section.type == kind}
        yield from matches(ours, theirs, SAME_WORDS).items()
