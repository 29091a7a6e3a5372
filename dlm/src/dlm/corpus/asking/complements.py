"""What follows a verb: its object, and each phrase after it, as far as they are sure."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from .finite import clause_follows
from .groups import Group, joins
from .parts import Chunk
from .words import (
    ADVERB,
    AND,
    AUX,
    BASE,
    CALENDAR,
    CAPITAL,
    DET,
    FINITE,
    GERUND,
    MARK,
    NEGATION,
    NUMBER,
    PREP,
    PRONOUN,
    REL,
    SUB,
    Sentence,
    tagged,
)

INTENT = frozenset({"in order to", "so as to"})
_PERIODIC = frozenset("hourly daily nightly weekly fortnightly monthly quarterly yearly annually twice once".split())
_TIMES = frozenset(
    "second minute hour day night morning evening afternoon week month year weekday weekend spring summer autumn "
    "winter quarter season term shift lesson".split()
)
_SPANS = frozenset("seconds minutes hours days nights weeks months years minute hour day week month year".split())
_SAID_SENTENCE = frozenset(
    "always also usually often then now still therefore thus however mostly sometimes normally automatically currently "
    "only just again already even too generally typically really actually simply especially particularly mainly "
    "largely partly nearly almost exactly fully instead well likewise either rarely probably certainly finally".split()
)
"""Adverbs that say nothing a reader would ask for."""
_ONCE = frozenset("a an every each per in on at and , ; .".split())
"""What follows ``once`` when that is no conjunction."""
_OFFSETS = frozenset({"before", "after", "later", "ago", "earlier"})
JOINING = frozenset({"before", "after", "until", "since", "as", "till"})
"""Prepositions that may begin a clause."""


class Rest(NamedTuple):
    object: tuple[str, ...]
    chunks: tuple[Chunk, ...]
    stop: int


def complements(s: Sentence, at: int, group: Group) -> Rest:
    """Object and phrases from ``at`` on, as far as they are sure."""
    starts: list[int] = []
    marks: list[int] = []
    here, frozen = at, False
    while here < len(s.words):
        if (stops := _stops(s, here, at, group)) == "stop":
            break
        if stops == "skip":
            marks.append(here)
            here += 1
            continue
        if not frozen and _starts(s, here, at):
            starts.append(here)
            frozen = _freezes(s, here)
        here += 1
    edges = [*starts, here]
    pieces = [[i for i in range(start, stop) if i not in marks] for start, stop in pairwise([at, *edges])]
    direct = tuple(s.words[i] for i in pieces[0] if not _empty(s.words[i], s.tags[i]))
    chunks = [_chunk(tuple(s.words[i] for i in piece)) for piece in pieces[1:]]
    kept = [_plain(chunk) for chunk in chunks if chunk.words and not (not chunk.prep and _said(chunk))]
    if direct[-1:] == ("only",):
        direct = direct[:-1]
    return Rest(direct, tuple(_merged(kept)), here)


def _empty(word: str, tag: int) -> bool:
    return bool(tag & ADVERB and word.lower() in _SAID_SENTENCE and word.lower() != "only")


def _plain(chunk: Chunk) -> Chunk:
    return chunk._replace(words=chunk.words[:-1]) if chunk.words[-1:] == ("only",) and chunk.words[1:] else chunk


def _said(chunk: Chunk) -> bool:
    return len(chunk.words) == 1 and chunk.words[0].lower() in _SAID_SENTENCE


def _freezes(s: Sentence, at: int) -> bool:
    """Whether all that follows belongs to the phrase that starts here: ``to keep the heat in``."""
    following = s.tags[at + 1] if at + 1 < len(s.tags) else 0
    low = s.words[at].lower()
    return low in INTENT or (low == "to" and bool(following & BASE) and not following & (CAPITAL | DET))


def _stops(s: Sentence, here: int, start: int, group: Group) -> str:
    """``stop`` where the clause ends, ``skip`` at a comma before one more phrase, else empty."""
    tag, low = s.tags[here], s.words[here].lower()
    after = s.tags[here + 1] if here + 1 < len(s.tags) else MARK
    if tag & MARK:
        if low == "," and here > start and after & PREP and not _begins_clause(s, here + 1):
            return "skip"
        return "" if low == "," and _lists(s, here, start, group) else "stop"
    if low == "once":
        return "stop" if clause_follows(s, here + 1) and s.words[here + 1].lower() not in _ONCE else ""
    if tag & SUB or (tag & PREP and after & REL and s.words[here + 1] != "that"):
        return "stop"
    if tag & REL:
        pointing = low == "that" and here > start and s.tags[here - 1] & PREP
        return "" if pointing else "stop"
    if tag & AND:
        counted = after & NUMBER and here + 2 < len(s.tags) and s.tags[here + 2] & PREP
        counted = (counted and "between" not in s.words[start:here]) or _gaps(s, here + 1)
        return "" if not counted and not after & PREP and _joins(s, here, start, group) else "stop"
    return "stop" if low in JOINING and clause_follows(s, here + 1) else ""


def _gaps(s: Sentence, at: int) -> bool:
    """Whether a verb is left out: ``and a half plot 26``."""
    end = next((i for i in range(at, len(s.words)) if s.tags[i] & (MARK | AND | PREP)), len(s.words))
    return end - at > 2 and bool(s.tags[at] & DET) and bool(s.tags[end - 1] & NUMBER)


def _begins_clause(s: Sentence, at: int) -> bool:
    return clause_follows(s, at + 1) or s.words[at].lower() in JOINING - {"before", "after"}


def _joins(s: Sentence, here: int, start: int, group: Group) -> bool:
    if here == start:
        return False
    kind = joins(s, here + 1, group)
    return kind == "noun" and not (s.tags[here + 1] & (SUB | REL | NEGATION) or s.words[here + 1] == "then")


def _lists(s: Sentence, comma: int, start: int, group: Group) -> bool:
    """Whether the comma stands in a list of things: ``a torch, a whistle and a blanket``."""
    if comma == start or s.words[comma - 1].lower() in _SAID_SENTENCE:
        return False
    if s.tags[comma - 2] & DET and not s.tags[comma + 1] & ~(ADVERB | BASE) and comma + 2 < len(s.words):
        return not s.tags[comma + 2] & (MARK | AUX | DET)
    verb = comma + 2 < len(s.words) and joins(s, comma + 1, group) != "noun"
    if verb and not s.tags[comma + 2] & (MARK | AND):
        return False
    first, second = s.tags[comma + 1 : comma + 2], s.tags[comma + 2 : comma + 3]
    if first and first[0] & (PREP | ADVERB | GERUND):
        return False
    if first and second and first[0] & FINITE and not first[0] & (DET | CAPITAL) and second[0] & (DET | PREP | PRONOUN):
        return False
    for at in range(comma + 1, len(s.words)):
        tag = s.tags[at]
        if tag & AND:
            return at > comma + 1 and not clause_follows(s, at + 1)
        if tag & (SUB | REL | AUX | PRONOUN | NEGATION) or (tag & MARK and s.words[at] != ","):
            return False
    return False


def _starts(s: Sentence, here: int, start: int) -> bool:
    """Whether a new phrase starts here."""
    tag, low = s.tags[here], s.words[here].lower()
    timed = _starts_time(s, here, start) if tag & (NUMBER | DET) or low in _PERIODIC else None
    if timed is not None:
        return timed
    previous = s.tags[here - 1] if here > start else 0
    if tag & PREP:
        return _starts_prepositional(s, here, start)
    if tag & ADVERB and low not in {"only", "too", "there", "here", "well"}:
        last = here + 1 >= len(s.words) or bool(s.tags[here + 1] & (MARK | PREP | SUB | AND | ADVERB | DET))
        return last and not previous & (DET | PREP | ADVERB) and (here > start or low.endswith("ly"))
    return low in INTENT


def _starts_time(s: Sentence, here: int, start: int) -> bool | None:
    """``every night``, ``three times``, ``two days before``; ``None`` when it is no such thing."""
    low = s.words[here].lower()
    following = s.words[here + 1].lower() if here + 1 < len(s.words) else ""
    previous = s.tags[here - 1] if here > start else 0
    before = s.words[here - 1].lower() if here > start else ""
    if low in _PERIODIC:
        return not previous & (DET | PREP) and before != "once"
    if low in {"every", "each"}:
        timed = any(word.lower().rstrip("s") in _TIMES | CALENDAR for word in s.words[here + 1 : here + 4])
        return timed and not previous & PREP and before not in {"of", "once", "twice", "times", "than"}
    if following == "times":
        return not previous & PREP
    if following in _SPANS and here + 2 < len(s.words) and s.words[here + 2].lower() in _OFFSETS:
        return not previous & (PREP | NUMBER)
    return None


def _starts_prepositional(s: Sentence, here: int, start: int) -> bool:
    low = s.words[here].lower()
    previous = s.tags[here - 1] if here > start else 0
    before = s.words[here - 1].lower() if here > start else ""
    if previous & (PREP | DET) or before == "only":
        return False
    after = s.tags[here + 1] if here + 1 < len(s.tags) else 0
    if low in {"about", "over", "around", "under"} and after & NUMBER:
        return False
    offset = low in _OFFSETS and before in _SPANS and here - 2 >= start and s.tags[here - 2] & (NUMBER | DET)
    return not offset or (here - 3 >= start and bool(s.tags[here - 3] & PREP))


def _chunk(words: tuple[str, ...]) -> Chunk:
    low = words[0].lower()
    if tagged((words[0],)).tags[0] & PREP or low in INTENT:
        return Chunk(low, words[1:])
    return Chunk("", words)


def _merged(chunks: list[Chunk]) -> list[Chunk]:
    """``from 8:30`` and ``to 17:00`` in one."""
    found: list[Chunk] = []
    for chunk in chunks:
        if found and found[-1].prep == "from" and chunk.prep in {"to", "until", "till"}:
            found[-1] = Chunk("from", (*found[-1].words, *chunk.all))
        else:
            found.append(chunk)
    return found
