"""Who and what: questions about a subject."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..sentences import content_words
from . import phrases
from .order import third_person
from .words import DETERMINERS, POSSESSIVES, PRONOUNS, head, is_plural

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .parts import Clause

_STATIVE = frozenset(
    "be have mean stand come need require hold contain lie appear exist belong include consist cost last follow".split()
)
_VAGUE = frozenset("be have go come get become seem appear exist happen do".split())
_HUMAN = frozenset(
    "work tell ask answer say know decide speak sign teach meet help visit explain approve call live think want "
    "agree refuse promise learn buy pay sing play cook clean choose bring watch order complain eat drink".split()
)
_KEPT = frozenset({"when", "if", "before", "after", "as soon as", "until"})
_COMMAND = re.compile(r"`[a-z][\w.-]*(?: [^`]+)`")
LONGEST = 16
"""Words of a predicate that a question repeats."""


def about_subject(clause: Clause) -> Iterator[list[str]]:
    subject, tail = clause.subject, clause.tail
    predicate = [*clause.object, *(word for chunk in clause.chunks for word in chunk.all)]
    if len(subject) == 1 and subject[0][0] == "`" and not clause.group.helper:
        yield from _about_code(clause, predicate)
        return
    own = POSSESSIVES & {word.lower() for word in predicate}
    if own or clause.cut or len(predicate) > LONGEST or subject[0].lower() == "no" or (tail and tail.word == "as"):
        return
    under = list(tail.all) if tail and tail.word in _KEPT else []
    if not predicate and _is_undergone(clause, under):
        yield ["What happens to", *subject, *under]
    if predicate or under:
        yield from _who_or_what(clause, [*predicate, *under])


def _is_undergone(clause: Clause, under: list[str]) -> bool:
    """Whether something is done to what is singled out: ``a build that takes too long is stopped``."""
    group = clause.group
    narrow = under or {"that", "who", "which"} & set(clause.subject)
    done = group.passive and group.helper in {"is", "are"} and not group.negative
    return bool(narrow) and done and _is_thing(clause)


def _who_or_what(clause: Clause, asked: list[str]) -> Iterator[list[str]]:
    subject, group = clause.subject, clause.group
    if found := phrases.amount(subject):
        yield ["How many", *found.noun, *third_person(clause, many=True), *asked]
    elif phrases.can_act(subject, clause.people):
        yield ["Who", *third_person(clause), *asked]
        if subject[-1] == "team" and subject[0] == "the":
            yield ["Which team", *third_person(clause), *asked]
    elif kind := next((kind for name, kind in clause.things if " ".join(subject) == name), ""):
        yield ["What", *third_person(clause), *asked]
        yield ["Which", kind, *third_person(clause), *asked]
    elif _is_thing(clause) and len(content_words(" ".join([*group.rest, group.base, *asked]))) > 1:
        yield ["What", *third_person(clause), *asked]


def is_command(code: str) -> bool:
    """Whether inline code is a shell command with its arguments."""
    return bool(_COMMAND.fullmatch(code)) and not re.search(r"`[\w.]+ (?:=|\+|-|\*|/|in|is|and|or|not) ", code)


def _about_code(clause: Clause, predicate: list[str]) -> Iterator[list[str]]:
    if clause.group.base in _STATIVE or not (predicate or clause.cut):
        return
    yield ["What does", clause.subject[0], "do"]
    own = POSSESSIVES & set(predicate)
    if is_command(clause.subject[0]) and not clause.cut and not own:
        yield ["Which command", *third_person(clause), *predicate]


def _may_be_person(clause: Clause) -> bool:
    """Whether the subject may be a person, by its ending and by what it does: ``the finder tells``."""
    last = head(clause.subject).lower()
    return last.removesuffix("s").endswith(("er", "or", "ee", "ian", "ant")) and clause.group.base in _HUMAN


def _is_thing(clause: Clause) -> bool:
    """A noun that surely names no person, with a predicate that says enough to know it by."""
    subject = clause.subject
    first, last = subject[0].lower(), head(subject)
    if first in PRONOUNS or first in {
        "this",
        "that",
        "these",
        "those",
        "each",
        "every",
        "some",
        "any",
        "no",
        "another",
    }:
        return False
    if _may_be_person(clause) or phrases.is_role(subject) or last[:1].isupper() or not last.replace("-", "").isalpha():
        return False
    determined = first in DETERMINERS or is_plural(last) or first.isdigit()
    said = clause.object or clause.group.passive or any(chunk.prep for chunk in clause.chunks)
    vague = clause.group.base in _VAGUE and not clause.object
    bare = not clause.object and not clause.chunks and not clause.group.passive
    return determined and bool(said) and not vague and not bare
