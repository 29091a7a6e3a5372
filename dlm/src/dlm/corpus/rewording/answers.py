"""What kind of thing an answer gives, as far as its form tells: a time, an amount, a command, a person."""

from __future__ import annotations

import re
from typing import NamedTuple

from ..asking import nouns
from . import tokens

NUMERALS = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred"
).split()
_DAY = "(?:mon|tues|wednes|thurs|fri|satur|sun)days?"
_MONTH = "(?:january|february|march|april|may|june|july|august|september|october|november|december)"
_UNIT = "(?:second|minute|hour|day|night|week|month|year)"
_NUMBER = rf"(?:\d[\d.,]*|{'|'.join(NUMERALS)}|half an?|an?)"
_CLOCK = re.compile(r"\b(?:\d{1,2}[:.]\d{2}|\d{1,2} ?(?:am|pm|o'clock)|noon|midnight)\b", re.I)
_DATE = re.compile(rf"\b(?:\d{{1,2}}(?:st|nd|rd|th)? {_MONTH}|{_MONTH} \d{{1,2}})\b", re.I)
_WEEKDAY = re.compile(rf"\b{_DAY}\b", re.I)
_YEAR = re.compile(r"\b(?:in|since|until|before|after) (?:1[5-9]|20)\d\d\b")
_DURATION = re.compile(rf"\b{_NUMBER} (?:to \S+ )?(?:[a-z]+ )?({_UNIT})s?\b", re.I)
_MONEY = re.compile(
    r"[$€£]\s?\d|\d[\d.,]*\s?(?:[$€£]|euros?\b|pounds?\b|dollars?\b|cents?\b|francs?\b|kron\w+\b)", re.I
)
_CURRENCY = re.compile(r"\d[\d.,]* (euros|pounds|dollars|cents|francs|kroner|kronor)\b")
_PERCENT = re.compile(r"\d ?%|\bper ?cent\b", re.I)
_EVERY = re.compile(
    rf"\b(?:(?:every|each) (?:{_NUMBER} |other |second )?(?:{_UNIT}s?|morning|evening|{_DAY}|{_MONTH}|spring|summer|"
    rf"autumn|winter)\b|(?:once|twice|times) (?:an?|every|each|per)\b|"
    r"(?:daily|weekly|monthly|yearly|hourly|annually)\b)",
    re.I,
)
_CODE = re.compile(r"`[^`]+`")
_COMMAND = re.compile(
    r"\b(?:run|type|enter|execute|command|start|call) (?:the (?:command|program) )?`|`[a-z][\w-]* (?:[^`]* )?-[^`]*`",
    re.I,
)
_CHANNEL = re.compile(r"(?<!\w)#[a-z][\w-]+")
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_URL = re.compile(r"https?://\S+|\bwww\.\S+")
_AMOUNT = re.compile(rf"\b{_NUMBER} ((?:[a-z]+ )?[a-z]+s)\b")
_NAMED = re.compile(r"\b(?:the|an?|its|their) ((?:[A-Z]\w+ )?(?:[a-z-]+ ){0,2}[a-z-]{3,}) (?:called|named) ")
_MARKED = re.compile(r"\bthe ((?:[a-z]+ )?[a-z]{3,}) (?=[#`@])")
_GROUP = re.compile(
    r"\b[Tt]he (?:[A-Z][\w-]+ )+(team|department|office|group|company|committee|crew|board|council|club|association|"
    r"union|agency|ministry|unit|faculty|school|bank|court)\b"
)
_PERSON = re.compile(r"\b(?:(?:Dr|Mr|Mrs|Ms|Prof|Doctor|Professor)\.? )?[A-Z][a-zà-ÿ]+(?: [A-Z][\w'-]+)+")
_ROLES = frozenset(
    "team department office group company committee crew board council club association union agency ministry unit "
    "person member engineer student pupil teacher manager employee firm organisation organization".split()
)


class Answer(NamedTuple):
    """What the answer to a question with a certain question word gives."""

    kind: str
    """``time``, ``date``, ``moment`` (both), ``weekday``, ``year``, ``duration``, ``money``, ``percent``, ``measure``,
    ``number``, ``command``, ``code``, ``channel``, ``email``, ``url``, ``file``, ``place``, ``person``, ``group``,
    ``every``; empty when nothing tells."""
    noun: str = ""
    """A class the thing belongs to, as the answer names it: ``team``, ``database``, or the unit it is counted in."""


def read(wh: str, answer: str, question: str = "") -> Answer:
    """``answer`` as what ``wh`` (``how long``, ``who``, ``which port``) asks for; ``question`` tells what is known."""
    first, second = [*wh.split(), "", ""][:2]
    if first == "when" or (first in {"what", "which"} and second in {"time", "day", "date", "hour", "weekday", "year"}):
        return _when(answer)
    if first == "where":
        return _where(answer)
    if first in {"who", "whom"} or second in _ROLES:
        return _who(answer, question)
    if first == "how":
        return _how(second, answer)
    return _what(answer) if first in {"what", "which"} else Answer("")


def is_group(noun: str) -> bool:
    """Whether ``noun`` is a person or people."""
    return noun in _ROLES or noun in nouns.PERSONS


def _when(answer: str) -> Answer:
    answer = re.sub(r"\"[^\"]*\"|“[^”]*”|`[^`]*`", "", answer)
    if _EVERY.search(answer) and not _CLOCK.search(answer) and not _WEEKDAY.search(answer):
        return Answer("every")
    if _CLOCK.search(answer):
        dated = _DATE.search(answer) or _WEEKDAY.search(answer)
        return Answer("moment", "date and time") if dated else Answer("time", "time")
    if _DATE.search(answer):
        return Answer("date", "date")
    if _WEEKDAY.search(answer):
        return Answer("weekday", "day")
    return Answer("year", "year") if _YEAR.search(answer) else Answer("")


def _where(answer: str) -> Answer:
    if found := _NAMED.search(answer):
        return Answer("place", _noun(found[1]))
    if found := _MARKED.search(answer):
        return Answer("channel" if _CHANNEL.search(answer) else "place", found[1])
    for kind, pattern in (("email", _EMAIL), ("url", _URL), ("channel", _CHANNEL)):
        if pattern.search(answer):
            return Answer(kind, {"email": "address", "url": "address", "channel": "channel"}[kind])
    return Answer("file") if _CODE.search(answer) else Answer("place")


def _who(answer: str, question: str) -> Answer:
    found = _GROUP.search(answer)
    if found and found[0].lower() not in question.lower():
        return Answer("group", found[1])
    return Answer("person") if len({*_PERSON.findall(answer)}) == 1 else Answer("")


def _how(second: str, answer: str) -> Answer:
    if second in {"often", "frequently"}:
        return Answer("every") if _EVERY.search(answer) else Answer("")
    if (lasting := _DURATION.search(answer)) and second in {"long", "old", "late", "early"}:
        return Answer("duration", f"{lasting[1].lower()}s")
    if second in {"much", "expensive"} and _MONEY.search(answer):
        unit = _CURRENCY.search(answer)
        return Answer("money", unit[1] if unit else "")
    if second == "much" and _PERCENT.search(answer):
        return Answer("percent")
    if second and (amount := _AMOUNT.search(answer)):
        first, *more = amount[1].split()
        return Answer("measure", first if first.endswith("s") or not more else more[-1])
    return _what(answer) if not second else Answer("")


def _what(answer: str) -> Answer:
    if _COMMAND.search(answer):
        return Answer("command")
    for kind, pattern in (
        ("code", _CODE),
        ("email", _EMAIL),
        ("url", _URL),
        ("channel", _CHANNEL),
        ("money", _MONEY),
        ("percent", _PERCENT),
    ):
        if pattern.search(answer):
            return Answer(kind)
    return Answer("number") if re.search(r"\d", answer) else Answer("")


def _noun(text: str) -> str:
    """The noun without the names in front of it: ``PostgreSQL database`` to ``database``."""
    plain = [word for word in text.split() if word.islower() and word not in tokens.PREPOSITIONS]
    return plain[-1] if plain else ""
