"""One English clause taken apart: its subject, its verb group and what follows, as far as a word list can tell.

What cannot be told apart is no clause: :func:`parse` returns ``None`` rather than a guess. What the parts mean (a time,
a place, a person) is said in ``phrases``.
"""

from __future__ import annotations

from typing import NamedTuple

from . import verbs
from .tokens import CALENDAR, DETERMINERS, PREPOSITIONS, Chunk, number

_SUBORDINATORS = frozenset(
    "that which who whose whom where when while because if unless although though whereas so as whenever once".split()
)
_TAILS = {"when": "when", "once": "when", "whenever": "when", "if": "when", "because": "why", "so": "why", "as": "when"}
_NO_CONDITION = frozenset("a an every each per in on at and , ;".split())
"""What follows ``once`` when that is no conjunction."""
_ASIDES = frozenset("also called named formerly now which who".split())
_NEGATIONS = frozenset("no not never neither nor nothing none nobody cannot hardly".split())
_ADVERBS = frozenset(
    "always also usually often then now still therefore thus however mostly sometimes normally automatically "
    "currently only just again soon already".split()
)
_PARTICLES = frozenset("up out off down away back".split())
_LOOSE_PARTICLES = frozenset("on in over through".split())
_PUNCTUATION = frozenset(", ; : – — -- - ( )".split())
_TIMES = frozenset(
    "second minute hour day night morning evening afternoon week month year weekday weekend spring summer autumn "
    "winter".split()
)
_PERIODIC = frozenset("hourly daily nightly weekly fortnightly monthly quarterly yearly annually twice once".split())


class Clause(NamedTuple):
    """``helper`` is the finite auxiliary, empty when the verb stands alone; ``rest`` is the verb group after it."""

    subject: tuple[str, ...]
    helper: str
    rest: tuple[str, ...]
    base: str
    """Base form of the verb that carries the meaning; empty of a copula."""
    tense: str
    """Of a verb that stands alone: ``third``, ``base`` or ``past``."""
    passive: bool
    object: tuple[str, ...]
    chunks: tuple[Chunk, ...]
    tail: str
    """``when`` or ``why``: what a subordinate clause at the end says."""
    cut: str
    """The word at which something that follows was left out."""


def _agrees(subject: tuple[str, ...], word: str, kind: str) -> bool:
    low = word.lower()
    count = number(subject)
    if low in {"is", "has", "was"} or kind == "third":
        return count != "plural"
    if low in {"are", "have", "were"} or kind == "base":
        return count != "singular"
    return True


def finite_at(words: list[str], at: int) -> verbs.Form | None:
    """The verb at ``at`` if what stands before it can be its subject."""
    before = at
    while before > 0 and _is_adverb(words[before - 1]):
        before -= 1
    subject = tuple(words[:before])
    if not subject or subject[-1].lower() in DETERMINERS | PREPOSITIONS | _SUBORDINATORS | {"of", "and", "or"}:
        return None
    if subject[-1].lower().endswith(("'s", "’s", "s'")):
        return None
    if words[at] in verbs.AUXILIARIES:
        return (
            verbs.Form("be" if words[at] in verbs.BE else words[at], "aux") if _agrees(subject, words[at], "") else None
        )
    forms = [form for form in verbs.finite(words[at]) if _agrees(subject, words[at], form.tense)]
    return forms[0] if forms else None


def _is_adverb(word: str) -> bool:
    low = word.lower()
    return low in _ADVERBS or (
        low.endswith("ly") and len(low) > 4 and low not in _PERIODIC | {"early", "only", "supply"}
    )


def _boundary(words: list[str], start: int) -> int:
    for at in range(start, len(words)):
        if words[at] in _PUNCTUATION or words[at].lower() in _SUBORDINATORS:
            return at
    return len(words)


def _find(words: list[str]) -> int:
    """Where the finite verb stands; 0 when that is not clear."""
    end = _boundary(words, 0)
    found = [at for at in range(1, end) if finite_at(words, at)]
    if not found:
        return 0
    first = found[0]
    if words[first] in verbs.AUXILIARIES:
        return first
    form = finite_at(words, first)
    joined = next((at for at in range(first, end) if words[at] in {"and", "or", "but"}), end)
    later = [at for at in found[1:] if words[at] in verbs.AUXILIARIES and at < joined]
    if later:
        return later[0] if later[0] == first + 1 else 0
    past = form is not None and form.tense == "past"
    participle = past and any(at < joined for at in found[1:])
    following = words[first + 1 : first + 2]
    noun = following not in (["place"], ["part"]) and any(verbs.finite(word) for word in following)
    if participle or noun:
        return 0
    return first


def parse(words: list[str]) -> Clause | None:
    """The main clause that ``words`` begin with."""
    words = _without_aside(words)
    at = _find(words)
    if not at or any(word.lower() in _NEGATIONS or word.endswith("n't") for word in words[: _boundary(words, at)]):
        return None
    before = at
    while _is_adverb(words[before - 1]):
        before -= 1
    group = _group(words, at)
    if group is None:
        return None
    helper, rest, base, tense, passive, after = group
    return _predicate(tuple(words[:before]), (helper, rest, base, tense, passive), words[after:])


def _without_aside(words: list[str]) -> list[str]:
    """``X, also called Y, lies`` as ``X lies``."""
    commas = [at for at, word in enumerate(words) if word == ","]
    if len(commas) < 2 or commas[1] + 1 == len(words) or words[commas[0] + 1].lower() not in _ASIDES:
        return words
    rest = words[: commas[0]] + words[commas[1] + 1 :]
    fits = finite_at(rest, commas[0]) or rest[commas[0]].lower() in PREPOSITIONS
    return rest if fits else words


def _group(words: list[str], at: int) -> tuple[str, tuple[str, ...], str, str, bool, int] | None:
    """The verb group that begins at ``at``: helper, the rest of it, base, tense, passive, where it ends."""
    word = words[at]
    tense = {"has": "third", "have": "base"}.get(word, "past" if word in {"was", "were", "had"} else "")
    if word not in verbs.AUXILIARIES:
        form = finite_at(words, at)
        assert form is not None
        rest, end = _particle(words, at + 1)
        if form.base == "need" and words[end : end + 1] == ["to"]:
            return _infinitive(words, form, end)
        return "", rest, form.base, form.tense, False, end
    end = _skip(words, at + 1)
    if word in verbs.HAVE and words[end : end + 1] == ["to"]:
        return _infinitive(words, verbs.Form("have", tense), end)
    follow = words[end] if end < len(words) else ""
    chain: list[str] = []
    while follow in {"be", "been", "being"}:
        chain.append(follow)
        end = _skip(words, end + 1)
        follow = words[end] if end < len(words) else ""
    passive = bool(chain) or word in verbs.BE
    return _main(words, end, word, chain, tense, passive=passive)


def _main(
    words: list[str], end: int, word: str, chain: list[str], tense: str, *, passive: bool
) -> tuple[str, tuple[str, ...], str, str, bool, int] | None:
    follow = words[end] if end < len(words) else ""
    base = verbs.participle_base(follow)
    modal = word in verbs.MODALS and not chain
    if base and not modal and not (word in verbs.HAVE and follow in {"set"}):
        particle, after = _particle(words, end + 1)
        return word, (*chain, follow, *particle), base, tense, passive, after
    if modal and verbs.is_base(follow):
        particle, after = _particle(words, end + 1)
        return word, (follow, *particle), follow, tense, False, after
    if passive and not modal and verbs.gerund_base(follow):
        particle, after = _particle(words, end + 1)
        return word, (*chain, follow, *particle), verbs.gerund_base(follow), tense, False, after
    if word in verbs.HAVE and not chain:
        return "", (), "have", tense, False, end
    return (word, tuple(chain), "", tense, False, end) if word in verbs.BE and not follow.endswith("ed") else None


def _infinitive(words: list[str], form: verbs.Form, at: int) -> tuple[str, tuple[str, ...], str, str, bool, int] | None:
    """``has to stand``: the helper is what carries the tense, the verb what is to be done."""
    verb = words[at + 1] if at + 1 < len(words) else ""
    passive = verb == "be" and at + 2 < len(words)
    main = verbs.participle_base(words[at + 2]) if passive else verb
    if not main or not verbs.is_base(main):
        return None
    end = at + 3 if passive else at + 2
    particle, after = _particle(words, end)
    return "", (f"{form.base}:", *words[at:end], *particle), main, form.tense, passive, after


def _skip(words: list[str], at: int) -> int:
    while at < len(words) and _is_adverb(words[at]):
        at += 1
    return at


def _particle(words: list[str], at: int) -> tuple[tuple[str, ...], int]:
    """``up`` of ``is backed up every night``."""
    here, following = (words[at + step].lower() if at + step < len(words) else "" for step in (0, 1))
    ends = not following or following in PREPOSITIONS | _SUBORDINATORS | {"and", "every", ","}
    if (here in _PARTICLES and following not in {"of", "to"}) or (here in _LOOSE_PARTICLES and ends):
        return (here,), at + 1
    if here in {"place", "part"}:
        return (here,), at + 1
    return (), at


def _predicate(
    subject: tuple[str, ...], group: tuple[str, tuple[str, ...], str, str, bool], words: list[str]
) -> Clause | None:
    end, tail = _end(words)
    kept = words[:end]
    starts = [at for at in range(len(kept)) if _starts(kept, at)]
    edges = [*starts, len(kept)]
    direct = tuple(word for word in kept[: edges[0]] if word == "only" or not _is_adverb(word))
    chunks = [_chunk(kept[start:stop]) for start, stop in zip(starts, edges[1:], strict=True)]
    if not all(chunk.words for chunk in chunks):
        return None
    return Clause(subject, *group, direct, tuple(_merged(chunks)), tail, words[end] if end < len(words) else "")


def _end(words: list[str]) -> tuple[int, str]:
    """Where the main clause ends, and what the clause after it says."""
    for at, word in enumerate(words):
        low = word.lower()
        if low in {"before", "after", "until", "since"} and _clause_follows(words, at + 1):
            return at, "when" if low == "after" else ""
        if word in _PUNCTUATION:
            following = words[at + 1].lower() if at + 1 < len(words) else ""
            return at, _tail(words, at + 1) if following in {"because", "so", "when", "if"} else ""
        if low in _SUBORDINATORS and not (low in {"once", "as", "so"} and not _tail(words, at)):
            return at, _tail(words, at)
        if low in {"and", "or", "but"} and _verb_follows(words, at + 1):
            return at, ""
    return len(words), ""


def _tail(words: list[str], at: int) -> str:
    low = [word.lower() for word in words[at : at + 3]]
    if not low or (low[0] == "as" and low != ["as", "soon", "as"]) or (low[0] == "so" and low[1:2] != ["that"]):
        return ""
    if low[0] == "once" and (len(low) == 1 or low[1] in _NO_CONDITION):
        return ""
    return _TAILS.get(low[0], "")


def _clause_follows(words: list[str], at: int) -> bool:
    return any(
        words[index] in verbs.AUXILIARIES or (index > at and finite_at(words[at:], index - at))
        for index in range(at, min(_boundary(words, at), len(words)))
    )


def _verb_follows(words: list[str], at: int) -> bool:
    """Whether a second predicate or a second clause begins after a conjunction."""
    at = _skip(words, at)
    if at >= len(words):
        return False
    here = words[at]
    joined = (
        here in verbs.AUXILIARIES
        or verbs.participle_base(here)
        or {f.tense for f in verbs.finite(here)}
        & {
            "third",
            "past",
        }
    )
    base = verbs.is_base(here) and at + 1 < len(words) and words[at + 1].lower() in DETERMINERS
    return bool(joined) or base or _clause_follows(words, at)


def _starts(words: list[str], at: int) -> bool:
    """Whether a new chunk starts here."""
    low = words[at].lower()
    following = words[at + 1].lower() if at + 1 < len(words) else ""
    previous = words[at - 1].lower() if at else ""
    if low in _PERIODIC:
        return not (previous in PREPOSITIONS or previous in DETERMINERS or previous == "once")
    if low in {"every", "each"}:
        timed = any(word.lower().rstrip("s") in _TIMES | CALENDAR for word in words[at + 1 : at + 4])
        return timed and previous not in PREPOSITIONS | {"of"}
    if low == "about" and following[:1].isdigit():
        return False
    if low == "at" and following in {"most", "least"}:
        return False
    if low == "over" and following[:1].isdigit():
        return False
    if low == "to" and previous in {"up", "down", "back"}:
        return False
    return (low in PREPOSITIONS and (at == 0 or previous not in PREPOSITIONS | DETERMINERS | {"out"})) or (
        low == "out" and following == "of"
    )


def _chunk(words: list[str]) -> Chunk:
    if words[0].lower() in PREPOSITIONS:
        return Chunk(words[0].lower(), tuple(words[1:]))
    if words[0].lower() == "out":
        return Chunk("out of", tuple(words[2:]))
    return Chunk("", tuple(words))


def _merged(chunks: list[Chunk]) -> list[Chunk]:
    """``from 8:30`` and ``to 17:00`` in one."""
    found: list[Chunk] = []
    for chunk in chunks:
        if found and found[-1].prep == "from" and chunk.prep in {"to", "until", "till"}:
            found[-1] = Chunk("from", (*found[-1].words, *chunk.all))
        else:
            found.append(chunk)
    return found
