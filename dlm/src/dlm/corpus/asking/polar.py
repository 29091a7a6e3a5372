"""Yes or no: asked only where the sentence itself permits, forbids or denies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .order import inverted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .parts import Clause

MOST = 14
"""Words that such a question repeats."""
_BOUNDED = frozenset({"only", "any", "until", "unless"})
_PERMITTED = {("welcome",), ("allowed",), ("permitted",), ("free",), ("compulsory",), ("optional",)}


def about(clause: Clause) -> Iterator[tuple[str, list[str]]]:
    """Each with ``Yes`` or ``No``, which the answer begins with."""
    group = clause.group
    words = [*clause.object, *(word for chunk in clause.chunks for word in chunk.all)]
    if clause.tail and clause.tail.word in {"when", "if", "before", "after", "while", "until", "during"}:
        words += clause.tail.all
    if clause.cut or clause.listed or len(words) > MOST:
        return
    if clause.subject == ("I",) and group.helper == "should":
        if group.negative and words and not {"only", "or", "nor"} & set(words):
            yield "No", ["May", *inverted(_granted(clause, "may"), words)[1:]]
    elif any_one := _anybody(clause):
        yield "No", inverted(any_one, words)
    elif group.negative and not _BOUNDED & set(words) and not (clause.tail and group.helper == "do"):
        yield "No", inverted(_granted(clause, "may" if group.helper == "must" else group.helper), words)
    elif _permits(clause) and (words or group.rest) and "only" not in {*words, *group.rest}:
        yield "Yes", inverted(clause, words)
    elif (
        clause.object[:1] == ("no",)
        and len(clause.object) > 1
        and not {"and", ","} & set(clause.object)
        and not group.helper
        and group.base != "have"
    ):
        yield "No", inverted(clause, [*clause.object[1:], *words[len(clause.object) :]])


def _anybody(clause: Clause) -> Clause | None:
    """``No hose may be used`` with any hose in the place of no hose."""
    first, *rest = clause.subject
    if first.lower() == "no" and rest and clause.group.helper:
        return clause._replace(subject=("any", *rest))
    if first.lower() == "nobody" and clause.group.helper:
        return clause._replace(subject=("anybody", *rest))
    return None


def _permits(clause: Clause) -> bool:
    group = clause.group
    said = clause.object in _PERMITTED or (not clause.object and group.rest in _PERMITTED)
    return group.helper == "may" or (said and group.helper in {"is", "are"} and not group.negative)


def denied_object(clause: Clause) -> Iterator[list[str]]:
    """``Robin eats no fish`` as what Robin does not eat."""
    if clause.object[:1] == ("no",) and len(clause.object) > 1 and not clause.group.helper and not clause.cut:
        asked = inverted(clause)
        at = 1 + len(clause.subject)
        if clause.group.base not in {"have", "be"}:
            yield ["What", *asked[:at], "not", *asked[at:]]


def _granted(clause: Clause, helper: str) -> Clause:
    return clause._replace(group=clause.group._replace(helper=helper, negative=False))
