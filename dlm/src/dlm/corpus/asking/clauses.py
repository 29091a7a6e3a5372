"""A sentence taken apart into its clauses: subject, verb group, object, and each phrase that follows.

What cannot be told apart is left out rather than guessed. What the parts mean (a time, a place, a person) is said in
``phrases``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import verbs
from .asides import taken_out
from .complements import INTENT, JOINING, complements
from .finite import clause_follows, finite_at, skip_adverbs
from .groups import Found, joins, read_group, shared_group
from .parts import Chunk, Clause, Tail
from .words import (
    ADVERB,
    AND,
    AUX,
    BASE,
    CAPITAL,
    CODE,
    DET,
    MARK,
    NEGATION,
    NUMBER,
    PREP,
    PRONOUN,
    REL,
    SUB,
    Sentence,
    number,
    tagged,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOCATIVE = frozenset({"behind", "beside", "under", "above", "below", "in", "on", "near", "next to", "at", "opposite"})
_ORDERS = frozenset(
    "write add use put keep take give make set bring send tell ask read choose remove insert install create delete "
    "ensure avoid follow carry buy build find get hold let leave move open pay pull push reduce replace see sell "
    "serve show teach throw try understand wear apply attach bake clean collect compare connect convert describe "
    "divide draw eat enter explain feed fill grease heat include lift lower measure mix prepare pour remember "
    "repeat rinse select separate sprinkle store tie treat turn type unpack unplug verify wash wipe".split()
)
"""Verbs that hardly ever open a sentence as nouns."""
_STANDING = frozenset("stands stand lies lie hangs hang sits sit is are stood lay hung was were".split())
MOST = 5
"""Clauses of one sentence."""
_BEGINNINGS = frozenset("always never please then next finally first also now only afterwards".split())
_TELLING = frozenset("tell show inform remind say mean ask warn teach assume ensure check make see know".split())


def clauses(words: list[str]) -> list[Clause]:
    """Every clause of the sentence that is understood, in its order; a second predicate repeats its subject."""
    passing = taken_out(words)
    s = tagged(passing.main)
    front, at = _front(s)
    made = _inverted(s) or [clause._replace(front=front) for clause in _chain(s.since(at))]
    made += [clause for clause in map(_consequence, made) if clause]
    return made + [clause for aside in passing.said for clause in _chain(tagged(aside))][:MOST]


def _consequence(clause: Clause) -> Clause | None:
    """What ``so`` and ``while`` lead to at the end of a clause, as a clause of its own."""
    if clause.tail is None or clause.tail.word not in {"so", "while", "whereas", "although", "though"}:
        return None
    made = _declared(tagged(clause.tail.words), 0)
    if made is None:
        return None
    return made[0]._replace(front=(Tail("because", ()),)) if clause.tail.word == "so" else made[0]


def _inverted(s: Sentence) -> list[Clause]:
    """``Behind the hut stands a tank``: the subject comes last."""
    at = next((at for at in range(2, min(8, len(s.words) - 1)) if s.words[at] in _STANDING), 0)
    if (
        not at
        or s.words[0].lower() not in _LOCATIVE
        or sum(bool(tag & DET) for tag in s.tags[1:at]) != 1
        or not s.tags[at + 1] & (DET | NUMBER)
        or any(t & MARK for t in s.tags[:at])
    ):
        return []
    end = next((i for i in range(at + 2, len(s.words)) if s.tags[i] & (PREP | REL | SUB | MARK | AND)), len(s.words))
    subject = s.words[at + 1 : end]
    found = read_group(s, at, subject)
    return [Clause(subject, found.group, (), (Chunk(s.words[0].lower(), s.words[1:at]),))] if found else []


def _chain(s: Sentence) -> Iterator[Clause]:
    made = command(s) or _declared(s, 0)
    at = 0
    for _ in range(MOST):
        if made is None:
            return
        clause, at = made
        yield clause
        made = _next(s, at, clause)


def _declared(s: Sentence, start: int) -> tuple[Clause, int] | None:
    verb = finite_at(s.since(start), 0)
    if not verb:
        return None
    last = verb
    related = any(tag & REL for tag in s.tags[start + 1 : start + verb])
    while (
        not related
        and last > 1
        and s.tags[start + last - 1] & (ADVERB | NEGATION)
        and not s.tags[start + last - 2] & DET
    ):
        last -= 1
    subject = s.words[start : start + last]
    found = read_group(s, start + verb, subject)
    if found and any(tag & NEGATION for tag in s.tags[start + last : start + verb]):
        found = found._replace(group=found.group._replace(negative=True))
    return _completed(s, subject, found) if found else None


def command(s: Sentence) -> tuple[Clause, int] | None:
    """``Rinse the tank twice`` as what I should do."""
    at, negative = 0, False
    while at < len(s.words) and (s.words[at].lower() in _BEGINNINGS or (at and s.words[at] == ",")):
        negative = negative or s.words[at].lower() == "never"
        at += 1
    if s.words[at : at + 1] and s.words[at].lower() == "do" and s.words[at + 1 : at + 2] == ("not",):
        at, negative = at + 2, True
    at = skip_adverbs(s, at)
    if at >= len(s.words) or not _orders(s, at):
        return None
    helper = Sentence(("should", s.words[at].lower(), *s.words[at + 1 :]), (AUX, BASE, *s.tags[at + 1 :]))
    found = read_group(helper, 0, ("I",))
    if found is None:
        return None
    group = found.group._replace(negative=negative)
    return _completed(s, ("I",), Found(group, found.end + at - 1))


def _orders(s: Sentence, at: int) -> bool:
    word = s.words[at].lower()
    if not s.tags[at] & BASE or (word in verbs.AUXILIARIES and word != "have"):
        return word == "be" and at + 1 < len(s.words) and not s.tags[at + 1] & MARK
    if at + 1 >= len(s.words) or s.tags[at + 1] & (AUX | MARK):
        return False
    following = s.tags[at + 1]
    if following & (DET | PRONOUN | CODE) or s.words[at + 1] in {"up", "off", "out", "down", "back", "away"}:
        return True
    return word in _ORDERS or not finite_at(s.since(at), 0)


def _next(s: Sentence, at: int, before: Clause) -> tuple[Clause, int] | None:
    """The clause after a conjunction or a mark at ``at``."""
    start = at
    if not at:
        return None
    while start < len(s.words) and (s.tags[start] & (MARK | AND) or s.words[start] in {"so", "then"}):
        start += 1
    if start == at or start >= len(s.words):
        return None
    only_comma = s.words[at:start] == (",",)
    if before.subject == ("I",) and before.group.helper == "should":
        made = command(s.since(start))
        return (made[0], made[1] + start) if made else None
    joined = only_comma or {"and", "but", "or"} & set(s.words[at:start])
    if joined and joins(s, start, before.group) == "verb":
        found = shared_group(s, start, before.group)
        return _completed(s, before.subject, found) if found else None
    return _declared(s, start) if not only_comma and clause_follows(s, start) else None


def _completed(s: Sentence, subject: tuple[str, ...], found: Found) -> tuple[Clause, int]:
    """The clause with what follows its verb, and where it ends."""
    rest = complements(s, found.end, found.group)
    stop = rest.stop
    clause = Clause(subject, found.group, rest.object, rest.chunks)
    tail = _tail(s, stop)
    if tail:
        return clause._replace(tail=tail[0]), tail[1]
    if s.words[stop : stop + 1] == (":",):
        return clause._replace(listed=s.words[stop + 1 :]), len(s.words)
    if relative := _relative(s, stop, clause):
        return relative
    cut = s.words[stop] if stop < len(s.words) and not s.tags[stop] & MARK else ""
    if cut in {"and", "but", "or"} and joins(s, stop + 1, found.group) in {"verb", "clause"}:
        cut = ""
    if cut and s.tags[stop] & REL:
        stop = _after(s, stop)
    return clause._replace(cut=cut), stop


def _relative(s: Sentence, stop: int, clause: Clause) -> tuple[Clause, int] | None:
    """The clause with ``who are not members`` as part of its last phrase."""
    telling = clause.group.base in _TELLING and s.words[stop : stop + 1] == ("that",)
    noun = clause.chunks[-1].words if clause.chunks else clause.object
    relative = stop < len(s.words) and s.tags[stop] & REL and s.words[stop] in {"who", "that", "which", "whose"}
    if not relative or telling or not noun or not clause.group.base or len(noun[-1]) < 2:
        return None
    end = _after(s, stop)
    words = s.words[stop:end]
    if {"and", "or", "but"} & set(words) or (clause.chunks and not clause.chunks[-1].prep):
        return None
    if clause.chunks:
        last = clause.chunks[-1]
        return clause._replace(chunks=(*clause.chunks[:-1], last._replace(words=(*last.words, *words)))), end
    return clause._replace(object=(*clause.object, *words)), end


def _after(s: Sentence, at: int) -> int:
    """The next mark or end after a clause inside the clause."""
    return next((here for here in range(at, len(s.words)) if s.tags[here] & MARK), len(s.words))


def _tail(s: Sentence, stop: int) -> tuple[Tail, int] | None:
    at = stop + 1 if s.words[stop : stop + 1] == (",",) else stop
    if at >= len(s.words) or not (s.tags[at] & SUB or s.words[at] in JOINING) or s.words[at] in {"whether", "how"}:
        return None
    if s.words[at].lower() == "as" and at == stop:
        # Without a comma, it says when as often as why.
        return None
    end = at + 1
    while end < len(s.words) and not s.tags[end] & MARK:
        end += 1
    return (Tail(s.words[at].lower(), s.words[at + 1 : end]), end) if end > at + 2 else None


def _front(s: Sentence) -> tuple[tuple[Chunk | Tail, ...], int]:
    """What stands before the first commas when it is a setting: ``On Fridays, if it rains, the museum closes``."""
    found: list[Chunk | Tail] = []
    at = 0
    if s.words[0] == "Should" and (supposed := _supposed(s)):
        return supposed
    while len(found) < 2 and at < len(s.words):
        low = s.words[at].lower()
        if s.tags[at] & ADVERB and s.words[at + 1 : at + 2] == (",",):
            at += 2
            continue
        opens = s.tags[at] & (PREP | SUB) or low in {"to", *INTENT} or _is_period(s, at)
        comma = next((i for i in range(at + 1, min(len(s.words), at + 18)) if s.words[i] == ","), 0)
        if not found and s.tags[at] & PREP and (bare := _bare_front(s, at, comma)):
            return (Chunk(low, s.words[at + 1 : bare]),), bare
        if not opens or not comma or comma == at + 1 or comma + 2 >= len(s.words):
            break
        inside = s.words[at + 1 : comma]
        subordinate = s.tags[at] & SUB or (low in JOINING and bool(clause_follows(s, at + 1)))
        found.append(Tail(low, inside) if subordinate else Chunk(low, inside))
        at = comma + 1
    return (tuple(found), at) if found or at else ((), 0)


def _is_period(s: Sentence, at: int) -> bool:
    """``Every Monday,`` or ``Each spring,``."""
    comma = s.words[at + 1 : at + 4]
    return s.words[at].lower() in {"every", "each"} and "," in comma


def _supposed(s: Sentence) -> tuple[tuple[Tail], int] | None:
    """``Should the alarm ring, leave`` as ``If the alarm rings, leave``."""
    comma = next((at for at in range(3, len(s.words)) if s.words[at] == ","), 0)
    verb = next((at for at in range(2, comma) if s.tags[at] & BASE and not s.tags[at - 1] & (DET | PREP)), 0)
    if not verb or number(s.words[1:verb]) == "plural":
        return None
    return (Tail("if", (*s.words[1:verb], verbs.third(s.words[verb]), *s.words[verb + 1 : comma])),), comma + 1


def _bare_front(s: Sentence, at: int, comma: int) -> int:
    """Where the subject begins in ``After the concert the chairs are stacked``; 0 when no comma is missing."""
    for here in range(at + 2, min(comma or len(s.words), at + 9)):
        begins = s.tags[here] & (DET | PRONOUN) or (s.tags[here] & CAPITAL and not s.tags[here - 1] & CAPITAL)
        if begins and not s.tags[here - 1] & (PREP | DET | AND) and s.words[here - 1].lower() != "of":
            verb = finite_at(s.since(here), 0)
            earlier = finite_at(s.since(at + 1), 0)
            return here if verb and not 0 < earlier < here - at - 1 else 0
    return 0
