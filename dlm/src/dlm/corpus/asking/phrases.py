"""What a few words of a sentence stand for: a person, a time, a place, an amount, a noun with its value."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from .tokens import CALENDAR, DETERMINERS, PREPOSITIONS, head, is_plural

if TYPE_CHECKING:
    from .tokens import Chunk

_NUMBERS = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred"
)
_HOURS = frozenset(_NUMBERS.split()[:12])
NUMBERS = frozenset(_NUMBERS.split())
PREPOSITIONAL = PREPOSITIONS | {"and", "or"}
_APPROXIMATELY = frozenset("about around roughly nearly almost exactly over approximately only".split())
_LIMITS = ("up to", "at least", "at most", "more than", "less than", "fewer than", "no more than")
DURATIONS = frozenset("second minute hour day night week month year decade century".split())
_PARTS = frozenset("morning afternoon evening night noon midnight weekend weekday spring summer autumn winter".split())
_CLOCK = re.compile(r"\d{1,2}[:.]\d{2}(?:am|pm)?|\d{1,2}(?:am|pm)|noon|midnight", re.I)
_YEAR = re.compile(r"(?:1[5-9]|20)\d\d(?:s)?")
_PERSONS = frozenset(
    "team lead crew staff committee warden owner manager mother father brother sister wife husband son daughter friend "
    "colleague neighbour neighbor boss chief chair chairman president treasurer secretary captain mayor doctor dentist "
    "nurse vet chef cook guide pilot volunteer volunteers partner assistant apprentice expert engineer author founder "
    "director coordinator supervisor inspector instructor tutor editor curator operator administrator translator "
    "keeper caretaker teacher trainer leader baker carpenter painter plumber driver gardener librarian technician "
    "electrician surveyor accountant mechanic contact person skipper porter cleaner researcher developer maintainer "
    "organiser organizer trustee trustees architect winner student students pupils member members head people "
    "everyone".split()
)
_ORGANISATIONS = frozenset(
    "office department council company union government university court agency board authority club association "
    "society ministry".split()
)
_TITLES = frozenset("dr dr. mr mr. mrs mrs. ms ms. doctor captain professor prof. sir".split())
_NO_PERSONS = frozenset(
    "harbour harbor street road lane house hall bridge museum lake river bay port island station school library garden "
    "park square tower cup prize day week act project system server press office company bank church castle hotel inn "
    "club centre center market mill farm quay wharf room building theatre hospital university college foundation union "
    "valley mount mountain hill beach cape north south east west new old saint database service kettle".split()
)
_NO_PLACES = frozenset(
    "use charge order full person pairs pair writing cash advance time case fact general turn turns batches english "
    "french german euros dollars metres meters litres minutes hours days weeks months years year phase stage state "
    "condition process mind sight touch risk rest war peace danger progress addition total part detail parallel "
    "sequence private public common stock demand sale duty fire strike hand way form format language colour color "
    "size mode order lines rows columns average least most stages parts steps groups bulk degrees doubt trouble "
    "beginning end start moment event force effect hurry name honour memory response connection favour".split()
)
_PLACE_PREPOSITIONS = frozenset(
    "in on at under behind near beside below above inside outside between opposite beneath within next by".split()
)


class Amount(NamedTuple):
    noun: tuple[str, ...]
    """The plural noun with what follows it: ``litres of water``."""
    unit: str


class Named(NamedTuple):
    """``port 7413``: the noun and the value."""

    noun: tuple[str, ...]


def is_name(words: tuple[str, ...]) -> bool:
    """Two or more capitalised words and nothing else."""
    return len(words) > 1 and all(word[:1].isupper() and word[-1:].isalpha() for word in words)


def is_person(words: tuple[str, ...]) -> bool:
    """A person or a group of people, for sure."""
    if not words:
        return False
    if words[0].lower() in _TITLES and len(words) > 1:
        return True
    if is_name(words) and words[0].lower() not in DETERMINERS:
        return not any(word.lower() in _NO_PERSONS for word in words) and not CALENDAR & {w.lower() for w in words}
    return is_role(words)


def is_role(words: tuple[str, ...]) -> bool:
    """``the technical lead`` or ``the engineer Thomas Weld``."""
    if not words:
        return False
    titled = any(one in _PERSONS and two[:1].isupper() for one, two in pairwise(words))
    return titled or head(words).lower() in _PERSONS


def can_act(words: tuple[str, ...]) -> bool:
    """A person, or an organisation that does what people do."""
    return is_person(words) or (bool(words) and head(words).lower() in _ORGANISATIONS)


def is_time(chunk: Chunk) -> bool:
    """A point in time: ``at 03:20``, ``on Mondays``, ``in April 1911``."""
    words = [word.lower() for word in chunk.words]
    if has_clock(chunk):
        return chunk.prep in {"at", "from", "on", "after", "before", "until", "between", ""}
    if chunk.prep in {"on", "in", "from", "by", "after", "before", "until", "since", "during", ""} and words:
        dated = any(word in CALENDAR or word in _PARTS for word in words) and "room" not in words
        dated = dated and not (chunk.prep == "from" and words[0] in {"a", "an", "the"})
        year = len(words) == 1 and _YEAR.fullmatch(words[0])
        ordinal = bool(words[-1:]) and words[-1] in {"day", "week", "month", "year"} and chunk.prep == "on"
        return bool(dated or year or ordinal)
    return False


def has_clock(chunk: Chunk) -> bool:
    hour = any(_is_number(one) and two.lower() in {"am", "pm", "o'clock"} for one, two in pairwise(chunk.words))
    at = chunk.prep == "at" and len(chunk.words) == 1 and chunk.words[0] in _HOURS
    return at or hour or any(_CLOCK.fullmatch(word) for word in chunk.words)


def has_weekday(chunk: Chunk) -> bool:
    return any(word.lower().rstrip("s").endswith("day") and word.lower() in CALENDAR for word in chunk.words)


def is_frequency(chunk: Chunk) -> bool:
    words = [word.lower() for word in chunk.words]
    if chunk.prep or not words:
        return False
    return (
        words[0] in {"every", "each"} or words[0].endswith("ly") or (words[0] in {"once", "twice"} and len(words) > 1)
    )


def amount(words: tuple[str, ...]) -> Amount | None:
    """``about 14 litres of water``: a number and a plural noun; two numbers are not one amount."""
    rest = list(words[:-1] if words[-1:] == ("each",) else words)
    while rest and rest[0].lower() in _APPROXIMATELY:
        rest = rest[1:]
    for limit in _LIMITS:
        if " ".join(rest).lower().startswith(f"{limit} "):
            rest = rest[len(limit.split()) :]
    if len(rest) < 2 or not _is_number(rest[0]) or any(_is_number(word) or word in {"and", "or"} for word in rest[1:]):
        return None
    noun = tuple(rest[1:])
    rate = next((at for at, word in enumerate(noun) if at and word in {"a", "an", "per"}), len(noun))
    unit = head(noun[:rate])
    return Amount(noun, unit) if is_plural(unit) and unit.islower() and unit.isalpha() else None


def _is_number(word: str) -> bool:
    return word.lower() in NUMBERS or bool(re.fullmatch(r"\d[\d.,]*", word))


def is_duration(words: tuple[str, ...]) -> bool:
    found = amount(words)
    if found:
        return found.unit.removesuffix("s") in DURATIONS and len(found.noun) == 1
    return len(words) == 2 and words[0] in {"a", "an", "one", "1"} and words[1] in DURATIONS


def named(words: tuple[str, ...]) -> Named | None:
    """``the channel #tide-watch`` or ``a database named saltmarsh``: a common noun with its value."""
    rest = list(words)
    if rest and rest[0].lower() in {"the", "a", "an"}:
        rest = rest[1:]
    for marker in ("called", "named"):
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
    if chunk.prep == "by" or head(chunk.words).lower() in _NO_PLACES or words[0] in _NO_PLACES:
        return False
    determined = (
        words[0] in DETERMINERS
        or chunk.words[0][:1].isupper()
        or words[0] in {"room", "number", "platform"}
        or words[0][0] == "`"
    )
    return determined and not any(_is_number(word) and word == words[0] for word in words)
