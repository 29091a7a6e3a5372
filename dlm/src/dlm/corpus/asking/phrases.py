"""What a few words of a sentence stand for: a person, a time, a place, an amount, a noun with its value."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from . import nouns, verbs
from .words import CALENDAR, DAYS, DETERMINERS, NUMBER, PREPOSITIONS, head, is_plural, tag

if TYPE_CHECKING:
    from .parts import Chunk

_HOURS = frozenset("one two three four five six seven eight nine ten eleven twelve".split())
_APPROXIMATELY = frozenset(
    {"about", "around", "roughly", "nearly", "almost", "exactly", "over", "under", "approximately", "only", "just"}
    | {"up to", "at least", "at most", "more than", "less than", "fewer than", "no more than", "no fewer than"}
)
_CLOCK = re.compile(r"\d{1,2}[:.]\d{2}(?:am|pm|h)?|\d{1,2}(?:am|pm)|noon|midnight|midday", re.I)
_YEAR = re.compile(r"(?:1[5-9]|20)\d\d(?:s)?")
_CURRENCY = re.compile(r"[€$£]\d[\d.,]*|\d[\d.,]*[€$£]|\d[\d.,]*p")
_KINDS_OF_DAYS = frozenset("working business calendar school full whole consecutive".split())
_TIME_PREPOSITIONS = frozenset(
    {"on", "in", "at", "from", "by", "after", "before", "until", "till", "since", "during", "between", "prior to"}
    | {"no later than", "within", "until after", "around", "about", "towards", ""}
)
_PLACE_PREPOSITIONS = frozenset(
    "in on at under behind near beside below above inside outside between opposite beneath within by".split()
) | {"next to", "in front of", "on top of", "close to", "underneath", "against", "along", "away from"}
_ROLES = re.compile(
    r"[a-z]+(?:keeper|keepers|man|woman|men|women|person|ist|ists|ician|icians|master|masters|holders?|children)"
)
_ALSO_THINGS = frozenset({"chair", "lead", "guard", "contact", "partner", "operator", "person", "second"})
"""Words that name people in the singular only, for sure."""
_NO_ROLES = frozenset("list lists mist mists twist wrist checklist grist waist fist human woman mailing".split())


class Amount(NamedTuple):
    noun: tuple[str, ...]
    """The plural noun with what follows it: ``litres of water``."""
    unit: str


class Named(NamedTuple):
    """``port 7413``: the noun and the value."""

    noun: tuple[str, ...]


def is_name(words: tuple[str, ...]) -> bool:
    """Two or more capitalised words and nothing else."""
    return 1 < len(words) < 5 and all(word[:1].isupper() and word[-1:].isalpha() for word in words)


def is_person(words: tuple[str, ...], people: frozenset[str] = frozenset()) -> bool:
    """A person or a group of people, for sure; ``people`` are single names that are known to be people's."""
    if not words:
        return False
    if len(words) == 1 and words[0] in people:
        return True
    if words[0].lower() in nouns.TITLES and len(words) > 1 and words[1][:1].isupper():
        return True
    if "and" in words:
        at = words.index("and")
        return is_person(words[:at], people) and is_person(words[at + 1 :], people)
    if is_name(words) and words[0].lower() not in DETERMINERS:
        return not any(word.lower() in nouns.NO_PERSONS or word.isupper() for word in words[:]) and not (
            CALENDAR & {word.lower() for word in words}
        )
    return is_role(words)


def is_role(words: tuple[str, ...]) -> bool:
    """``the technical lead`` or ``the engineer Thomas Weld``."""
    if not words or words[0][0] in '`"“#':
        return False
    titled = any(one in nouns.PERSONS and two[:1].isupper() for one, two in pairwise(words))
    titled = titled or words[:3] in {("the", "head", "of"), ("The", "head", "of")}
    last = head(words).lower()
    suffix = bool(_ROLES.fullmatch(last)) and last not in _NO_ROLES
    return titled or last in nouns.PERSONS or last.removesuffix("s") in nouns.PERSONS - _ALSO_THINGS or suffix


def can_act(words: tuple[str, ...], people: frozenset[str] = frozenset()) -> bool:
    """A person, or an organisation that does what people do."""
    return is_person(words, people) or (bool(words) and head(words).lower() in nouns.ORGANISATIONS)


def is_time(chunk: Chunk) -> bool:
    """A point or stretch of time: ``at 03:20``, ``on Mondays``, ``in April 1911``, ``after the concert``."""
    words = [word.lower() for word in chunk.words]
    if not words or chunk.prep not in _TIME_PREPOSITIONS:
        return False
    if has_clock(chunk):
        return True
    if chunk.prep in {"before", "after", "prior to"} and (verbs.gerund_base(words[0]) or _is_event(chunk.words)):
        return True
    event = _is_event(chunk.words) and words[-1] not in {"use", "work", "end", "side"}
    if event and (chunk.prep == "during" or (chunk.prep == "at" and words[0] in DETERMINERS)):
        return True
    return _dated(chunk, words)


def _dated(chunk: Chunk, words: list[str]) -> bool:
    dated = any(word in CALENDAR or word in nouns.DAY_PARTS for word in words) and "room" not in words
    dated = dated and not (chunk.prep == "from" and words[0] in {"a", "an", "the"})
    if words[0] == "may" or (chunk.prep == "" and words[-1] in {"may", "march"}):
        dated = bool(re.search(r"\d", " ".join(words)))
    year = len(words) == 1 and bool(_YEAR.fullmatch(words[0]))
    part = (
        len(words) > 1
        and words[-1] in {"day", "week", "month", "year"}
        and chunk.prep
        in {
            "on",
            "at",
            "by",
            "before",
            "after",
            "until",
        }
    )
    spans = chunk.prep == "" and bool({"before", "after", "later", "earlier", "ago"} & set(words[1:]))
    return dated or year or part or spans or (chunk.prep == "after" and is_duration(chunk.words))


def _is_event(words: tuple[str, ...]) -> bool:
    last = head(words).lower()
    gerund = bool(verbs.gerund_base(last)) and words[0].lower() in DETERMINERS
    return last in nouns.EVENTS or last.removesuffix("s") in nouns.EVENTS or gerund


def has_clock(chunk: Chunk) -> bool:
    hour = any(
        _is_number(one) and two.lower() in {"am", "pm", "a.m", "p.m", "o'clock"} for one, two in pairwise(chunk.words)
    )
    words = chunk.words[:-1] if chunk.words[-1:] in {("onwards",), ("sharp",)} else chunk.words
    at = chunk.prep in {"at", "until", "before", "after", "from"} and len(words) == 1 and words[0] in _HOURS
    spoken = chunk.prep == "at" and chunk.words[:2] in {("half", "past"), ("quarter", "past"), ("quarter", "to")}
    return at or hour or spoken or any(_CLOCK.fullmatch(word) for word in chunk.words)


def has_weekday(chunk: Chunk) -> bool:
    return any(word.lower() in DAYS for word in chunk.words)


def is_frequency(chunk: Chunk) -> bool:
    words = [word.lower() for word in chunk.words]
    if chunk.prep or not words:
        return False
    periodic = words[0] in {"hourly", "daily", "nightly", "weekly", "fortnightly", "monthly", "quarterly", "yearly"}
    often = words[0] in {"once", "twice"} and len(words) > 1 and words[1] in {"a", "an", "per", "each", "every"}
    times = "times" in words[:3] and bool({"a", "an", "per", "each", "every"} & set(words[2:]))
    return words[0] in {"every", "each", "annually"} or periodic or often or times


def is_manner(chunk: Chunk) -> bool:
    """``slowly``, ``by hand``."""
    return (
        not chunk.prep and len(chunk.words) == 1 and chunk.words[0].lower().endswith("ly") and not is_frequency(chunk)
    )


def amount(words: tuple[str, ...]) -> Amount | None:
    """``about 14 litres of water``: a number and a plural noun; two numbers are not one amount."""
    rest = list(words[:-1] if words[-1:] == ("each",) else words)
    while rest and rest[0].lower() in _APPROXIMATELY:
        rest = rest[1:]
    if (
        len(rest) < 2
        or not _is_number(rest[0])
        or rest[0].lower() == "half"
        or any(_is_number(word) or word in {"and", "or", ","} for word in rest[1:])
    ):
        return None
    noun = tuple(rest[1:])
    rate = next((at for at, word in enumerate(noun) if at and word in {"a", "an", "per"}), len(noun))
    unit = head(noun[:rate])
    return Amount(noun, unit) if is_plural(unit) and unit.islower() and unit.isalpha() else None


def is_money(words: tuple[str, ...]) -> bool:
    found = amount(words)
    bare = words[-1:] and _CURRENCY.fullmatch(words[-1]) and len(words) <= 3
    return bool(bare or (found and found.unit in nouns.MONEY) or (words and words[0] in {"nothing"}))


def _is_number(word: str) -> bool:
    return bool(tag(word) & NUMBER) and word[-1] not in "%:/" and (word[0].isdigit() or word[0].isalpha())


def is_duration(words: tuple[str, ...]) -> bool:
    found = amount(words)
    if found:
        noun = found.noun[1:] if found.noun[0] in _KINDS_OF_DAYS else found.noun
        found = found._replace(noun=noun)
        return found.unit.removesuffix("s") in nouns.DURATIONS and (
            len(found.noun) == 1 or found.noun[1] in {"of", "from"}
        )
    if len(words) == 3 and words[0] == "the" and words[1] in {"first", "last", "next"}:
        return words[2].removesuffix("s") in nouns.DURATIONS
    single = len(words) == 2 and words[0] in {"a", "an", "one", "1"} and words[1] in nouns.DURATIONS
    return single or words in {("half", "an", "hour"), ("an", "hour"), ("a", "few", "days"), ("overnight",)}


def named(words: tuple[str, ...]) -> Named | None:
    """``the channel #tide-watch`` or ``a database named saltmarsh``: a common noun with its value."""
    rest = list(words)
    if rest and rest[0].lower() in {"the", "a", "an"}:
        rest = rest[1:]
    for marker in ("called", "named", "marked", "labelled", "entitled"):
        if marker in rest[1:-1]:
            return _noun(rest[: rest.index(marker)])
    if len(rest) < 2:
        return None
    value = len(rest) - 1
    while value > 1 and rest[value][:1].isupper() and rest[value - 1][:1].isupper():
        value -= 1
    last = rest[value]
    says = last[0] in '#@`"“' or last[:1].isupper() or bool(re.fullmatch(r"[\d.]*\d", last))
    return _noun(rest[:value]) if says and not CALENDAR & {word.lower() for word in rest} else None


def _noun(words: list[str]) -> Named | None:
    plain = all(re.fullmatch(r"[^\W\d_][\w'-]*", word) for word in words) and words and words[-1].islower()
    simple = plain and not is_plural(words[-1]) and words[-1] not in {"and", "or", "of", "to", "about", "than", "by"}
    return (
        Named(tuple(words))
        if simple and len(words) <= 3 and words[0] not in DETERMINERS and "of" not in words
        else None
    )


def is_place(chunk: Chunk) -> bool:
    """A place, if the verb is one of being, putting or keeping somewhere."""
    words = [word.lower() for word in chunk.words]
    if chunk.prep not in _PLACE_PREPOSITIONS or not words or is_time(chunk) or amount(chunk.words):
        return False
    if chunk.prep == "by" or head(chunk.words).lower() in nouns.NO_PLACES or words[0] in nouns.NO_PLACES:
        return False
    determined = (
        words[0] in DETERMINERS
        or chunk.words[0][:1].isupper()
        or words[0] in {"room", "number", "platform"}
        or words[0][0] == "`"
        or is_sure_place(chunk)
        or chunk.prep in {"below", "above", "underneath", "away from", "outside", "behind"}
    )
    return determined and not any(_is_number(word) and word == words[0] for word in words)


def is_sure_place(chunk: Chunk) -> bool:
    """A place whatever the verb: ``in the cupboard``."""
    last = head(chunk.words).lower() if chunk.words else ""
    known = last in nouns.PLACES or (last.endswith("s") and last[:-1] in nouns.PLACES)
    return chunk.prep in _PLACE_PREPOSITIONS and known and chunk.words[0].lower() not in nouns.NO_PLACES


def prepositional(words: tuple[str, ...] | list[str]) -> bool:
    """Whether a preposition or a conjunction stands among ``words``."""
    return any(word.lower() in PREPOSITIONS or word in {"and", "or"} for word in words)
