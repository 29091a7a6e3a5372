"""Whether a passage says what a claim says. Every check may only refuse: one that refuses is enough.

Numbers, names, code and words of closed sorts (days, colours, units) must be said. Of other words some may differ,
never a noun. Denials, opposites, who does it to whom, and which of several things a value belongs to must agree.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from ..corpus.nouns import singular
from ..learning.judging import says
from .reading import CALENDAR, TELLING, Number, Reading, Word, is_noun, is_verb, ordinary

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .evidence import Evidence

MOST_NEW = 1 / 3
"""Share of a claim's words, nouns never among them, that may be the speaker's own."""
_OPPOSITES = [
    pair.split("/")
    for pair in (
        "before/after above/below over/under more/less more/fewer most/least minimum/maximum first/last open/clos "
        "up/down on/off inside/outside left/right earli/lat start/end begin/end with/without allow/forbid "
        "always/never all/none increas/decreas older/younger enabl/disabl accept/reject north/south east/west "
        "hot/cold until/after until/before since/until upstair/downstair cheap/expensiv best/worst long/short "
        "high/low big/small largest/smallest"
    ).split()
]
_SEQUENCE = frozenset("first then before after from to than until into".split())


def agrees(claim: Reading, asked: Reading, evidence: Evidence) -> bool:
    """Whether the passage says ``claim``, an answer to ``asked``."""
    return (
        _numbers(claim, asked, evidence)
        and same_thing(claim, asked, evidence)
        and _exact(claim, asked, evidence)
        and _telling(claim, evidence)
        and _opposites(claim, evidence)
        and _words(claim, asked, evidence)
        and _denials(claim, evidence)
        and _roles(claim, evidence.own)
        and _roles(evidence.own, claim)
        and _sequence(claim, evidence.own)
        and _belongs(claim, asked, evidence)
    )


def _numbers(claim: Reading, asked: Reading, evidence: Evidence) -> bool:
    """Each number stands in the passage, once for each time it is said, and counts the same."""
    left, missing = list(evidence.own.numbers), list[Number]()
    for number in claim.numbers:
        same = next((other for other in left if _same(number, other, evidence)), None)
        if same is None:
            missing.append(number)
        else:
            left.remove(same)
    return not missing or (not left and all(_named_above(number, asked, evidence) for number in missing))


def _same(number: Number, other: Number, evidence: Evidence) -> bool:
    if number.value != other.value:
        return False
    if number.after and number.after == other.after:
        return True
    if number.after and (other.after or not evidence.covers(number.after)):
        return False
    return not (number.before and other.before) or number.before == other.before


def _named_above(number: Number, asked: Reading, evidence: Evidence) -> bool:
    """Whether ``number`` is part of what the question and the heading call the thing: room 204."""
    beside = [other for reading in evidence.above for other in reading.numbers if other.value == number.value]
    same = any(number.before == other.before != "" for other in beside)
    return same and any(number.value == other.value for other in asked.numbers)


def same_thing(claim: Reading, asked: Reading, evidence: Evidence) -> bool:
    """Each name, the question's too, stands in the passage or over it, and the passage is about no other thing."""
    homes = {run: evidence.home(run) for run in (*claim.names, *asked.names)}
    if None in homes.values():
        return False
    known = evidence.near.union(evidence.around)
    if any(not (evidence.own.stems & {n.value} or n.value in known) for n in asked.numbers):
        return False
    farthest = max((home for home in homes.values() if home), default=0)
    said = claim.lows | claim.stems | asked.lows | asked.stems
    away = [run for run in claim.names if homes[run]]
    first, about = {word.low for word in claim.words[:2]}, [run for run in asked.names if homes[run] == 2]
    if any(run[0] not in first and run not in about for run in away) and _unsaid(evidence.own, said):
        return False
    if farthest and evidence.opening and said.isdisjoint(evidence.opening):
        return False
    if farthest == 2 and any(said.isdisjoint(run) for run in _heading_names(evidence)):
        return False
    return not (claim.names and homes[claim.names[0]] and _another_subject(claim, evidence))


def _unsaid(own: Reading, said: frozenset[str]) -> bool:
    """Whether the passage has a name or number that is not said: another may stand in its place."""
    return any(said.isdisjoint(run) for run in own.names) or any(number.value not in said for number in own.numbers)


def _heading_names(evidence: Evidence) -> list[tuple[str, ...]]:
    """What the headings name, as far as the prose or the title shows that it is a name."""
    titled = (word for run in evidence.index.titled.names for word in run if not ordinary(word))
    known = evidence.index.vocabulary.proper.union(titled)
    return [run for reading in evidence.above for run in reading.names if known.issuperset(run)]


def _another_subject(claim: Reading, evidence: Evidence) -> bool:
    """Whether the claim says of a name what the passage says of something that the name is nowhere put with."""
    opening: list[Word] = []
    for word in evidence.own.words:
        if word.stem in claim.stems and word.content:
            break
        opening.append(word)
    if not claim.words[0].name or not opening or opening[0].low not in ("the", "a", "an", "our", "each", "every"):
        return False
    things = [word.stem for word in opening if word.content]
    name = claim.names[0][-1]
    return bool(things) and not any(evidence.index.together(things[-1], stem) for stem in _stems_of(name, claim))


def _stems_of(low: str, reading: Reading) -> list[str]:
    return [word.stem for word in reading.words if word.low == low]


def _exact(claim: Reading, asked: Reading, evidence: Evidence) -> bool:
    """Code, tags, addresses and quotes are said as they are written, and a command is said whole."""
    above = "\n".join(reading.text for reading in evidence.above)
    for span in claim.exact:
        if not says(evidence.own.text, span) and not (says(asked.text, span) and says(above, span)):
            return False
    for code in evidence.own.code:
        inside = Reading(code).lows
        outside = Reading(evidence.own.text.replace(f"`{code}`", " ")).lows | asked.lows
        if claim.lows & (inside - outside) and not says(claim.text, code):
            return False
    return True


def _telling(claim: Reading, evidence: Evidence) -> bool:
    return all(word.stem in evidence.near for word in claim.words if word.stem in TELLING)


def _opposites(claim: Reading, evidence: Evidence) -> bool:
    there, here = evidence.near | evidence.own.lows, claim.stems | claim.lows
    for one, other in _OPPOSITES:
        for said, against in ((one, other), (other, one)):
            if said in here and against not in here and against in there and said not in there:
                return False
    return True


def _words(claim: Reading, asked: Reading, evidence: Evidence) -> bool:
    """The claim's words are the passage's, but for a few that are no nouns and are not the document's elsewhere."""
    words = {word.stem: word for word in claim.words if word.content and not word.name}
    new = [word for stem, word in words.items() if not _has(evidence, word)]
    knows = evidence.index.knows
    if any(is_noun(word.low) or not ordinary(word.low) or (knows(word.stem) and singular(word.low)) for word in new):
        return False
    if sum(2 if knows(word.stem) else 1 for word in new) > min(MOST_NEW * len(words), 2):
        return False
    opening = {word.stem for word in claim.words[:3]} | asked.stems
    lent = any(stem not in evidence.own.stems and stem not in opening and singular(w.low) for stem, w in words.items())
    if lent and any(word.content and word.stem not in claim.stems for word in evidence.own.words):
        return False
    said = claim.stems & evidence.own.stems
    return any(word.stem in said or word.number in said for word in claim.words if _is_value(word) or word.content)


def _has(evidence: Evidence, word: Word) -> bool:
    """Whether the passage has the word, or what it stands under; of what its pronouns point to, the nouns."""
    return evidence.covers(word.stem) or (word.stem in evidence.before.stems and bool(singular(word.low)))


def _denials(claim: Reading, evidence: Evidence) -> bool:
    """What the claim is drawn from is denied where the claim denies, and only there."""
    clauses = evidence.own.clauses
    denied = [any(word.denies for word in clause) for clause in clauses]
    wanted = {word.number or word.stem for word in claim.words if word.content or word.number}
    words = [{word.number or word.stem for word in clause if word.content or word.number} for clause in clauses]
    only = [
        bool(wanted & (mine - set().union(*(w for n, w in enumerate(words) if n != at))))
        for at, mine in enumerate(words)
    ]
    drawn = only if any(only) else [bool(wanted & mine) for mine in words]
    there = any(no for no, used in zip(denied, drawn, strict=True) if used)
    return there == any(word.denies for word in claim.words)


def _roles(one: Reading, other: Reading) -> bool:
    """``owned by the team`` in one text, and the team owns it in the other."""
    for at, word in enumerate(one.words):
        if word.low != "by" or not at or not is_verb(one.words[at - 1].low):
            continue
        verb = one.words[at - 1].stem
        agent = {w.stem for w in one.words[at + 1 : at + 6] if w.clause == word.clause and w.content}
        lows, stems = [w.low for w in other.words], [w.stem for w in other.words]
        places = [n for n, stem in enumerate(stems) if stem in agent]
        if verb not in stems or not places:
            continue
        done = stems.index(verb)
        passive = "by" in lows[done : done + 3]
        if (max(places) < done) if passive else (min(places) > done):
            return False
    return True


def _sequence(claim: Reading, own: Reading) -> bool:
    """Values that the passage puts in an order, or makes do something to each other, keep it."""
    there = {w.number or w.low: n for n, w in reversed(list(enumerate(own.words))) if _is_value(w)}
    spots = [there[w.number or w.low] for w in claim.words if (w.number or w.low) in there]
    for one, other in pairwise(dict.fromkeys(spots)):
        if other < one:
            between = own.words[other + 1 : one]
            words = {word.low for word in between} | {word.low for word in own.words[max(other - 2, 0) : other]}
            turned = any(is_verb(word.low) for word in between) and "by" not in own.lows | claim.lows
            if words & _SEQUENCE or turned:
                return False
    return True


def _belongs(claim: Reading, asked: Reading, evidence: Evidence) -> bool:
    """A value stands in the clause that is about what is asked, not in one about something else."""
    clauses, shared = evidence.parts
    common = {word.stem for word in shared}
    wanted = (set(claim.content) | set(asked.content)) - common
    sets = [{word.stem for word in clause if word.content} for clause in clauses]
    values = {word.number or word.low for word in claim.words if word.number or word.name} - _values(asked.words)
    for value in sorted(values):
        mine = [n for n, clause in enumerate(clauses) if value in _values(clause)]
        if not mine or len(mine) == len(clauses):
            continue
        at = mine[0]
        here = set().union(*(sets[n] for n in mine)) - _stems(clauses, mine, values)
        for n, there in enumerate(sets):
            if n in mine or values & _values(clauses[n]):
                continue
            theirs, ours = wanted & (there - here), wanted & (here - there)
            if theirs and not ours and here - wanted:
                return False
            if theirs and ours and at < n and _values(clauses[n]):
                return False
    return True


def _is_value(word: Word) -> bool:
    return bool(word.name or word.number or word.stem in CALENDAR)


def _values(words: Iterable[Word]) -> set[str]:
    return {word.number or word.low for word in words if word.number or word.name}


def _stems(clauses: tuple[tuple[Word, ...], ...], mine: list[int], values: set[str]) -> set[str]:
    return {word.stem for n in mine for word in clauses[n] if word.low in values or word.number in values}
