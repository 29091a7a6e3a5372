"""The question that an answer's own words would put: *By whom is it owned*, for *It is owned by the Soundings team*.

An answer in a full sentence often names the fact in other words than its question. What it asks is only trusted where
the kind of thing asked for stands in it once.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from .. import sentences
from . import answers, predicates, tokens
from .clause import Clause, joined

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .facts import Meaning

_CLOCK = r"\d{1,2}[:.]\d{2}(?: ?(?:am|pm|UTC|GMT))?|\d{1,2} ?(?:am|pm|o'clock)"
_DAY = r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)days?"
_MONTH = r"(?:January|February|March|April|May|June|July|August|September|October|November|December)"
_DATE = rf"\d{{1,2}}(?:st|nd|rd|th)? {_MONTH}(?: \d{{4}})?|{_MONTH} \d{{1,2}}(?:, \d{{4}})?"
_ABOUT = r"(?:(?:about|around|roughly|exactly|at least|at most|up to|only|almost|nearly) )?"
_COUNT = rf"{_ABOUT}(?:\d[\d.,]*|an?|{'|'.join(answers.NUMERALS)})"
_DURATION = re.compile(rf"(?P<prep>for )?{_COUNT} (?:second|minute|hour|day|night|week|month|year)s?\b")
_EVERY = re.compile(rf"\b(?:every (?:{_COUNT} )?\w+|once an? \w+|twice an? \w+|once every (?:{_COUNT} )?\w+)")
_WHEN = re.compile(
    rf"(?:\b(?:every \w+|on (?:{_DATE}|{_DAY})) )?\bat (?:{_CLOCK})|\bon (?:{_DATE}|{_DAY})|\bevery {_DAY}|"
    r"\bin (?:1[5-9]|20)\d\d\b"
)
_INNER = re.compile(r"\b(?:when|if|after|before|while|that|which|who|because|unless|until)\b")
_PLACED = re.compile(
    r"\b(?P<prep>in|on|at|to) (?:the|an?) (?:[\w-]+ ){0,3}?(?P<noun>[a-z-]{3,}) (?:(?:called|named) \S+|[#`][^\s`]+`?)"
)
_BY = re.compile(r"\bby (?:the )?(?:[A-Z][\w'-]+ ?)+(?P<noun>[a-z]+)?")


def asking(meaning: Meaning) -> Iterator[Clause]:
    """The answer as a question for what the question asks for; nothing where that is not sure."""
    said = sentences.sentences(" ".join(meaning.said.split()))
    if meaning.compound or meaning.before.endswith(", ") or not said or len(said[0]) > 200:
        return
    clause = predicates.statement(said[0])
    if clause is None or not _about_the_same(meaning, clause):
        return
    found = _without(meaning, clause)
    if found:
        yield replace(found, subject=_inside(found.subject, meaning.question))


def _inside(subject: str, question: str) -> str:
    """``subject`` as it stands inside of a sentence: in lower case, unless it may be a name."""
    words = subject.split()
    if not words:
        return subject
    first = words[0].lower()
    common = tokens.is_plural(first) and len(words) > 1 and words[1].islower()
    if first in tokens.DETERMINERS or common or first in question.split():
        return " ".join([first, *words[1:]])
    return subject


def _about_the_same(meaning: Meaning, clause: Clause) -> bool:
    asked = {*sentences.content_words(meaning.question)}
    return bool(asked & {*sentences.content_words(clause.subject), *sentences.content_words(clause.rest)})


def _without(meaning: Meaning, clause: Clause) -> Clause | None:
    """The statement with what is asked for taken out and its question word put in front."""
    kind, opener = meaning.answer.kind, meaning.clause.opener
    if kind == "duration" and meaning.clause.wh in {"how long", "how many days", "how many years", "how many minutes"}:
        return _cut(clause, _DURATION, "how long", "for")
    if kind == "every":
        return _cut(clause, _EVERY, "how often")
    if kind in {"time", "date", "moment", "weekday", "year"}:
        return _cut(clause, _WHEN, "when")
    if kind in {"place", "channel"} and opener in {"where", "which", "in"}:
        return _placed(clause)
    if opener in {"who", "whom"} or "who" in meaning.facts:
        return _somebody(clause)
    return None


def _cut(clause: Clause, pattern: re.Pattern[str], wh: str, prep: str = "") -> Clause | None:
    """``clause`` without the one place in its rest where ``pattern`` matches."""
    found = [*pattern.finditer(clause.rest)]
    if len(found) != 1 or pattern.search(clause.subject) or _INNER.search(clause.rest[: found[0].start()]):
        return None
    after = clause.rest[found[0].end() :].strip(" .")
    if after and after.split()[0] not in {"in", "on", "at", "from", "for", "by", "to", "of"}:
        return None
    fronted = prep if "prep" in found[0].groupdict() and found[0]["prep"] else ""
    rest = joined(clause.rest[: found[0].start()], after)
    if wh == "when" and re.search(rf"\b(?:{_CLOCK}|{_DATE}|{_DAY})\b", rest):
        return None
    return replace(clause, wh=wh, prep=fronted, rest=rest) if _whole(rest) else None


def _placed(clause: Clause) -> Clause | None:
    found = [*_PLACED.finditer(clause.rest)]
    if len(found) != 1 or clause.rest[found[0].end() :].strip(" ."):
        return None
    rest = clause.rest[: found[0].start()].strip()
    return replace(clause, wh=f"which {found[0]['noun']}", prep=found[0]["prep"], rest=rest)


def _somebody(clause: Clause) -> Clause | None:
    kind = answers.read("who", f"{clause.subject} x")
    if kind.kind in {"person", "group"} and clause.rest and clause.helper.split()[0] not in {"are", "were", "do"}:
        named = kind.noun if kind.kind == "group" else ""
        return replace(clause, wh=f"which {named}" if named else "who", subject="")
    found = _BY.search(clause.rest)
    if found and clause.passive and not clause.rest[found.end() :].strip(" ."):
        wh = f"which {found['noun']}" if found["noun"] and answers.is_group(found["noun"]) else "whom"
        return replace(clause, wh=wh, prep="by", rest=clause.rest[: found.start()].strip())
    return None


def _whole(rest: str) -> bool:
    """Whether nothing hangs in the air: the rest ends with no *and*, *about* or *than*."""
    return not re.search(r"\b(?:and|or|than|about|of|the|a|an|from|until|between|after|before|within)$", rest)
