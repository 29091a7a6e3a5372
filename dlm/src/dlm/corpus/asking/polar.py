"""Yes or no: asked only where the sentence itself permits, forbids or denies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import verbs
from .order import inverted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .parts import Clause

_PERMITTING = frozenset({"may", "must", "can"})


def about(clause: Clause) -> Iterator[tuple[str, list[str]]]:
    """Each with ``Yes`` or ``No``, which the answer begins with."""
    group = clause.group
    words = [*clause.object, *(word for chunk in clause.chunks for word in chunk.all)]
    if clause.tail and clause.tail.word in {"when", "if", "before", "after", "while", "until", "during"}:
        words += clause.tail.all
    if clause.cut or clause.listed or len(words) > 14:
        return
    if clause.subject == ("I",) and group.helper == "should":
        if group.negative and words and not {"only", "or", "nor"} & set(words):
            yield "No", ["May", *inverted(_granted(clause, "may"), words)[1:]]
        return
    if (
        group.negative
        and not {"only", "any", "until", "unless"} & set(words)
        and not (clause.tail and group.helper == "do")
    ):
        helper = {"must": "may", "should": "should"}.get(group.helper, group.helper)
        yield "No", inverted(_granted(clause, helper), words)
    elif group.helper == "may" and (words or group.rest) and not {"only"} & {*words, *group.rest}:
        yield "Yes", inverted(clause, words)
    elif (
        clause.object[:1] == ("no",)
        and len(clause.object) > 1
        and not group.helper
        and group.base not in verbs.AUXILIARIES
    ):
        yield "No", inverted(clause, [*clause.object[1:], *words[len(clause.object) :]])


def denied_object(clause: Clause) -> Iterator[list[str]]:
    """``Robin eats no fish`` as what Robin does not eat."""
    if clause.object[:1] == ("no",) and len(clause.object) > 1 and not clause.group.helper and not clause.cut:
        asked = inverted(clause)
        at = 1 + len(clause.subject)
        if clause.group.base not in {"have", "be"}:
            yield ["What", *asked[:at], "not", *asked[at:]]


def _granted(clause: Clause, helper: str) -> Clause:
    return clause._replace(group=clause.group._replace(helper=helper, negative=False))
