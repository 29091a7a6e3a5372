"""From answers to numbers: items marked, counted, compared. No model here."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from .intervals import clustered, sign_test
from .report import Change, Item, LearningReport, Missed, NotAsked, Score, SectionScore
from .verdict import sentence, state_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from .paper import Paper
    from .questions import LeftOut
    from .report import Conflict


class Answers(NamedTuple):
    """What both models said to the questions of a paper, in its order."""

    before: Sequence[str]
    after: Sequence[str]
    open_book: Mapping[int, str]
    """By the number of the fact's question: what the base says with the passage in its context."""


def marked(paper: Paper, answers: Answers) -> tuple[Item, ...]:
    """Every question with both answers and whether they are right."""
    said = list(zip(paper.questions, answers.before, answers.after, strict=True))
    ends = [len(paper.facts), len(paper.facts) + len(paper.general), len(said) - len(paper.missing)]
    facts = _facts(paper, said[: ends[0]], answers.open_book)
    general = _general(paper, said[ends[0] : ends[1]])
    near = (_outside(paper, "near", *one) for one in said[ends[1] : ends[2]])
    missing = (_outside(paper, "missing", *one) for one in said[ends[2] :])
    return (*facts, *general, *near, *missing)


def of_adapter(items: Iterable[Item], name: str | None, facts: int) -> Iterator[Item]:
    """``items`` as those that ``name`` was asked; ``facts`` are counted already."""
    if name is None:
        yield from items
        return
    for item in items:
        yield replace(item, adapter=name, fact=item.fact + facts if item.fact else 0)


def concluded(
    items: tuple[Item, ...],
    left_out: Iterable[LeftOut],
    contradictions: tuple[Conflict, ...],
    location: str,
    about: Mapping[str, Any],
) -> LearningReport:
    """The report of ``items``; ``about`` are the fields that say of what it is."""
    facts = [item for item in items if item.kind == "fact"]
    total = score(facts) if facts else None
    state = state_of(total)
    general = _change(items, "general", right=True)
    return LearningReport(
        **about,
        state=state,
        verdict=sentence(state, total, general, location),
        total=total,
        sources=_by(facts, lambda item: item.source),
        taught=_by(facts, lambda item: item.taught),
        sections=tuple(_sections(facts)),
        general=general,
        bleed=_change(items, "near", right=False),
        confabulation=_change(items, "missing", right=False),
        not_learned=tuple(_missed(item) for item in facts if not item.right_after),
        not_asked=tuple(NotAsked(*one) for one in left_out),
        contradictions=contradictions,
        items=items,
        adapters=_by_adapter(facts),
    )


def score(items: Sequence[Item]) -> Score:
    """Fact items, counted."""
    found = clustered((item.fact, item.right_after) for item in items)
    gains: dict[int, int] = {}
    for item in items:
        gains[item.fact] = gains.get(item.fact, 0) + item.right_after - item.right_before
    opened = [item for item in items if item.right_open is not None]
    return Score(
        asked=len(items),
        facts=len(gains),
        before=sum(item.right_before for item in items),
        after=sum(item.right_after for item in items),
        share=round(found.share, 4),
        low=round(found.low, 4),
        high=round(found.high, 4),
        p_value=sign_test(gains.values()),
        loose=sum(item.judged != "all" for item in items),
        open_asked=len(opened),
        open_right=sum(bool(item.right_open) for item in opened),
    )


def _facts(paper: Paper, said: Sequence[tuple[str, str, str]], opened: Mapping[int, str]) -> Iterator[Item]:
    numbers: dict[tuple[str, ...], int] = {}
    for index, (one, (question, before, after)) in enumerate(zip(paper.facts, said, strict=True)):
        wanted, read = one.expected, opened.get(index)
        yield Item(
            "fact",
            question,
            wanted.values or wanted.words,
            before,
            after,
            wanted.met(before),
            wanted.met(after),
            source=one.source,
            taught=one.taught,
            section_id=one.section_id,
            heading=one.heading,
            fact=numbers.setdefault(one.fact, len(numbers) + 1),
            judged=wanted.judged,
            said_open=read,
            right_open=None if read is None else wanted.met(read),
        )


def _general(paper: Paper, said: Sequence[tuple[str, str, str]]) -> Iterator[Item]:
    for one, (question, before, after) in zip(paper.general, said, strict=True):
        yield Item("general", question, one.answers, before, after, one.met(before), one.met(after), judged="any")


def _outside(paper: Paper, kind: Any, question: str, before: str, after: str) -> Item:
    slips = tuple(paper.slip(kind, question, after))
    clean = not paper.slip(kind, question, before)
    return Item(kind, question, (), before, after, clean, not slips, brought_up=slips)


def _change(items: Iterable[Item], kind: str, *, right: bool) -> Change:
    """Items of ``kind`` whose answers are right, or are not."""
    pairs = [(item.right_before == right, item.right_after == right) for item in items if item.kind == kind]
    p_value = sign_test(after - before for before, after in pairs)
    return Change(len(pairs), sum(before for before, _ in pairs), sum(after for _, after in pairs), p_value)


def _by(facts: Sequence[Item], key: Callable[[Item], str]) -> dict[str, Score]:
    return {
        name: score([item for item in facts if key(item) == name]) for name in sorted({key(item) for item in facts})
    }


def _by_adapter(facts: Sequence[Item]) -> dict[str, Score]:
    """In the order in which they were asked; empty for one without a name."""
    names = dict.fromkeys(item.adapter for item in facts if item.adapter)
    return {name: score([item for item in facts if item.adapter == name]) for name in names}


def _sections(facts: Sequence[Item]) -> Iterator[SectionScore]:
    places = dict.fromkeys((item.section_id, item.heading) for item in facts)
    for section_id, heading in places:
        inside = [item for item in facts if (item.section_id, item.heading) == (section_id, heading)]
        yield SectionScore(section_id, heading, score(inside))


def _missed(item: Item) -> Missed:
    joined = {"all": ", ", "any": " or ", "words": " "}[item.judged].join(item.expected)
    expected = f"most of: {joined}" if item.judged == "words" else joined
    return Missed(item.question, item.heading, expected, item.said_after, item.right_before)
