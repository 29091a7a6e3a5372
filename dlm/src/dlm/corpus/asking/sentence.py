"""The questions that one declarative English sentence answers, in the words a reader would ask them.

The sentence is the answer. What is not surely understood is not asked about: a question that is wrong or no English
teaches worse than none. How a sentence is taken apart is said in ``clauses``, what a phrase stands for in ``phrases``.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from . import phrases, predicates, verbs
from .clauses import Clause, finite_at, parse
from .tokens import CALENDAR, PREPOSITIONS, is_plural, split

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST = 200
"""Characters of a sentence that is asked about."""
_PRONOUN = re.compile(r"(It|They|He|She|This [a-z]+|This)(?= )")
_POSSESSIVE = re.compile(r"(Its|Their|His|Her)(?= )")
_LABEL = re.compile(r"[A-Z][a-z]+(?: [a-z]+)?: (?=[A-Z0-9`])")
_LINK = re.compile(r"\[([^\]]+)\]\([^)\s]*\)")
_ASIDE = re.compile(r" \([^()`]*\)")
_DANGLING = frozenset(
    "it they them he she him this these those here this. itself themselves another such former latter".split()
)
_LOST = _DANGLING | frozenset(
    "you i both others there what some most whether if that how why never always please than above".split()
)
_ORDINALS = frozenset("one ones first second third fourth last other others rest same more".split())
_OWN = frozenset("its their his her".split())
_ENDINGS = (
    "tion sion sis ment ness ity ance ence ism ship ing ology graphy ture ware".split()
)  # of common nouns: Respiration, Planning
_COMMON = frozenset(
    "paper water food mail traffic access support service electricity gas heat power oxygen hydrogen carbon glucose "
    "sugar bread milk coffee tea dogs data staff people children noise rent rubbish waste breakfast lunch dinner "
    "customer guest public personal annual new old large small muscle street night day".split()
)
_HEADINGS = frozenset(
    "overview setup usage faq notes summary background contact contacts people staff history hours safety basics "
    "details architecture deployment alerts backups questions rules tools terms glossary week house food".split()
)
_TELLERS = frozenset("run execute type enter write use press call send open say".split())
_COMMANDS = frozenset("run execute type enter use".split())


class Asked(NamedTuple):
    question: str
    answer: str


def ask(sentence: str, subject_hint: str = "") -> list[Asked]:
    """Every question that ``sentence`` surely answers.

    ``subject_hint`` is what the text is about: a name (``Kittiwake``), or a noun with its article (``the air filter``).
    It takes the place of a pronoun that opens the sentence. Nothing is made when such a pronoun has no fitting hint.
    """
    said = " ".join(sentence.split())
    whole = _named(said, subject_hint.strip()) if _declares(said) else ""
    if not whole:
        return []
    plain = _ASIDE.sub("", _LABEL.sub("", _LINK.sub(r"\1", whole), count=1)).rstrip(".! ")
    made = (_finished(words) for words in _questions(split(plain), frozenset(subject_hint.split())))
    return [Asked(question, whole) for question in dict.fromkeys(made) if _sound(question)]


def subject_of(sentence: str, subject_hint: str = "") -> str:
    """The subject of ``sentence`` as a hint for the pronoun that may open the next one; empty when it is not clear."""
    whole = _named(" ".join(sentence.split()), subject_hint.strip())
    clause = parse(split(_ASIDE.sub("", whole).rstrip(".! "))) if whole else None
    if clause is None or len(clause.subject) > 4:
        return ""
    subject = _inner(clause.subject, frozenset(subject_hint.split()))
    return " ".join(subject) if subject[0] == "the" or subject[0][0].isupper() else ""


def _declares(said: str) -> bool:
    odd = "```" in said or "|" in re.sub(r"`[^`]*`", "", said) or said.count("`") % 2 or said.count('"') % 2
    return (
        bool(said)
        and len(said) <= LONGEST
        and not odd
        and not said.endswith(("?", ":", "…", " and", " or", ","))
        and said[0] not in "-*#>("
    )


def _named(said: str, hint: str) -> str:
    """``said`` with a name in the place of the pronoun that opens it; empty when that cannot be done well."""
    if found := _PRONOUN.match(said):
        plural = found[1] == "They"
        if not _fits(hint, plural=plural) or (found[1] in {"He", "She"} and not phrases.is_name(tuple(hint.split()))):
            return ""
        if found[1] == "This" and not finite_at(split(said), 1):
            return ""
        return _capital(hint) + said[found.end() :]
    if found := _POSSESSIVE.match(said):
        return _capital(_owner(hint)) + said[found.end() :] if _fits(hint, plural=found[1] == "Their") else ""
    return said


def _fits(hint: str, *, plural: bool) -> bool:
    """Whether ``hint`` is a name, or a noun with its article, of the right number."""
    words = hint.split()
    if not words or plural != is_plural(words[-1]):
        return False
    if words[0].lower() in {"the", "a", "an"}:
        return len(words) > 1
    low = words[0].lower()
    common = low in _HEADINGS | _COMMON or low.endswith(tuple(_ENDINGS)) or verbs.is_base(low)
    title = len(words) == 1 and common and not low.endswith("sis")
    return not title and all(word[0].isupper() or word[0].isdigit() or word[0] == "`" for word in words)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _owner(text: str) -> str:
    return f"{text}'" if is_plural(text.split()[-1]) else f"{text}'s"


def _inner(subject: tuple[str, ...], known: frozenset[str]) -> tuple[str, ...]:
    """The words of a subject inside a sentence, where only names have a capital."""
    first, low = subject[0], subject[0].lower()
    if first == "I" or not first[0].isupper() or not low.replace("-", "").isalpha() or low in CALENDAR:
        return subject
    if len(first) > 1 and not first[1:].islower():
        return subject
    function = low in predicates.STARTERS or low in phrases.NUMBERS or low in PREPOSITIONS
    compound = len(subject) > 1 and subject[1].islower() and not (first in known or subject[1] in {"and", "of"})
    plural = len(subject) == 1 and is_plural(first) and first not in known
    common = (low in _COMMON or low.endswith(tuple(_ENDINGS)) or verbs.is_base(low)) and first not in known
    return (low, *subject[1:]) if function or compound or plural or (common and len(subject) == 1) else subject


def _questions(words: list[str], known: frozenset[str]) -> Iterator[list[str]]:
    if len(words) < 3:
        return
    if words[0] == "To":
        yield from _purpose(words)
        return
    front, main = _opener(words)
    if words[0] in {"When", "If"}:
        yield from _condition(front, main)
        return
    if main[0].lower() == "there":
        yield from predicates.existence(main, front)
        return
    clause = parse(main)
    if clause is None or _out_of_reach(clause):
        return
    yield from predicates.questions(clause._replace(subject=_inner(clause.subject, known)), front)


def _out_of_reach(clause: Clause) -> bool:
    """Commands, first and second persons, subjects that only the text before explains."""
    subject = [word.lower() for word in clause.subject]
    order = verbs.is_base(subject[0]) and len(subject) > 1
    part = subject[:2] == ["one", "of"] or "," in subject or subject[0] in PREPOSITIONS or "same" in subject
    return order or part or subject[0] in _LOST or subject[-1] in _ORDINALS or bool(set(subject) & _DANGLING)


def _opener(words: list[str]) -> tuple[list[str], list[str]]:
    """What stands before the first comma, when that is a setting: ``In winter, the museum closes early``."""
    low = words[0].lower()
    if (
        "," not in words
        or low in {"as", "like"}
        or not (low in PREPOSITIONS or low in {"when", "if", "every", "each", "once"})
    ):
        return [], words
    at = words.index(",")
    return ([low, *words[1:at]], words[at + 1 :]) if at + 2 < len(words) and at <= 14 else ([], words)


def _condition(front: list[str], main: list[str]) -> Iterator[list[str]]:
    if len(front) < 3 or _DANGLING & {word.lower() for word in front} or "you" in front:
        return
    if verbs.is_base(main[0].lower()) and not parse(main):
        yield ["What", "do", "I", "do", *front]
    elif parse(main) and main[0].islower():
        yield ["What", "happens", *front]


def _purpose(words: list[str]) -> Iterator[list[str]]:
    """``To restart Kittiwake, run `x```: the aim, and the order that serves it."""
    front, main = _opener(["to", *words[1:]])
    if len(front) < 2 or not verbs.is_base(front[1]) or not main or "," in front:
        return
    aim = [{"your": "my", "yourself": "myself"}.get(word, word) for word in front[1:]]
    if not verbs.is_base(main[0].lower()) or (_DANGLING | _OWN | {"you"}) & {word.lower() for word in aim}:
        return
    yield ["How", "do", "I", *aim]
    tells = len(main) > 1 and main[1].startswith("`")
    if tells and main[0] in _TELLERS:
        yield ["What", "do", "I", main[0], "to", *aim]
    if tells and main[0] in _COMMANDS and "and" not in aim and predicates.is_command(main[1]):
        yield ["Which", "command", verbs.third(aim[0]), *aim[1:]]


def _finished(words: list[str]) -> str:
    text = " ".join(word for word in words if word)
    return _capital(re.sub(r" ([,;:])", r"\1", text)) + "?"


def _sound(question: str) -> bool:
    """No pronoun without its noun, nothing unbalanced, no word twice in a row."""
    prose = re.sub(r"`[^`]*`|\"[^\"]*\"", "X", question)
    words = [word.lower().strip(",?") for word in prose.split()]
    twice = any(left == right for left, right in pairwise(words))
    fits = 8 < len(question) <= LONGEST and prose.count("(") == prose.count(")")
    return fits and not twice and not _DANGLING & set(words) and not re.search(r"[:;,]|\.\?| [–—-] ", prose)
