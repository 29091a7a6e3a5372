"""A clause in the order of a question, and its verb as a new subject takes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import phrases, verbs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .parts import Chunk, Clause


def inverted(clause: Clause, kept: Iterable[str] = ()) -> list[str]:
    """``does the service listen``."""
    group, denied = clause.group, ["not"] if clause.group.negative else []
    if group.helper:
        return [_helper(clause), *clause.subject, *denied, *group.rest, *kept]
    return [_do(group.tense), *clause.subject, *denied, group.finite, *group.rest, *kept]


def _helper(clause: Clause) -> str:
    """The helper of a subject that became ``I``."""
    if clause.subject == ("I",):
        return {"are": "am", "were": "was", "is": "am"}.get(clause.group.helper, clause.group.helper)
    return clause.group.helper


def _do(tense: str) -> str:
    return {"past": "did", "base": "do"}.get(tense, "does")


def third_person(clause: Clause, *, many: bool = False) -> list[str]:
    """The verb group after ``who``, which is singular, or after ``how many keys``."""
    group, denied = clause.group, ["not"] if clause.group.negative else []
    if group.helper:
        swap = {} if many else {"are": "is", "were": "was", "have": "has", "do": "does", "am": "is"}
        return [swap.get(group.helper, group.helper), *denied, *group.rest]
    if denied:
        return ["did" if group.tense == "past" else "do" if many else "does", "not", group.finite, *group.rest]
    if group.tense == "past":
        return [verbs.past(group.finite), *group.rest]
    return [group.finite if many else verbs.third(group.finite), *group.rest]


def active(clause: Clause) -> list[str]:
    """The verb of a passive clause as its agent's: ``owns`` for ``is owned``."""
    group = clause.group
    be = [word for word in group.rest if word in {"be", "been", "being"}]
    done, particle = group.rest[len(be)], list(group.rest[len(be) + 1 :])
    if group.helper in verbs.MODALS:
        return [group.helper, group.base, *particle]
    if group.helper in verbs.HAVE:
        return ["has", done, *particle]
    if group.helper in {"was", "were"}:
        return [verbs.past(group.base), *particle]
    return [verbs.third(group.base), *particle]


def told(chunk: Chunk) -> bool:
    """Whether the phrase says when, how often or how long: it can be left out without making the rest false."""
    return phrases.is_time(chunk) or phrases.is_frequency(chunk) or phrases.is_duration(chunk.words)


def kept(clause: Clause, upto: int) -> list[str]:
    """The object and the phrases before ``upto`` that tell no time."""
    words = list(clause.object)
    for chunk in clause.chunks[:upto]:
        if not told(chunk) and not phrases.is_manner(chunk):
            words += chunk.all
    return words
